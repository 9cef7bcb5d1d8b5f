// Addresses behind `#`: one page, no round trip, and links that can be sent to somebody else. A page is a function
// `(view, {params, query, signal}) => void | Promise<void>`: it fills `view`, and whatever it keeps running ends with
// `signal`. It has one `h1`, which gets the focus, so that a screen reader says where one has come to.

import { ApiError, sleep } from "./api.js";
import { t } from "./i18n.js";
import { h, fill } from "./dom.js";
import { ofThisTab } from "./storage.js";
import { problem } from "./ui.js";

const routes = [];
let open = null;
let view = null;

/** Adds a page: `pattern` such as `/evento/:id`; `load` imports its module, whose default export is the page. */
export function route(pattern, load) {
  const names = [];
  const text = pattern.replace(/:(\w+)/g, (_, name) => {
    names.push(name);
    return "([^/]+)";
  });
  routes.push({ regex: new RegExp(`^${text}$`), names, load });
}

/** Where we are: `{path, query}`. */
export function here() {
  const [, path, search = ""] = /^#?([^?]*)\??(.*)$/s.exec(location.hash);
  return { path: path || "/", query: new URLSearchParams(search) };
}

/** The address of a page. */
export function href(path, query = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) search.set(name, value);
  const text = search.toString();
  return `#${path}${text ? `?${text}` : ""}`;
}

/** Goes to a page. `replace` leaves no step back to this one. */
export function go(path, query = {}, { replace = false } = {}) {
  const target = href(path, query);
  if (target === location.hash) show();
  else if (replace) location.replace(target);
  else location.hash = target;
}

/** Changes the address to match what is shown, without showing it again. */
export function note(path, query = {}) {
  history.replaceState(history.state, "", href(path, query));
}

/** Asks for the module of the present address already, while something else is waited for. */
export function prepare() {
  match(here().path)?.load().catch(() => {});
}

/** Begins to show pages in an element. */
export function start(element) {
  view = element;
  history.scrollRestoration = "manual";
  recognise();
  addEventListener("scroll", remember, { passive: true });
  addEventListener("pagehide", () => ofThisTab.set(DEPTHS_KEPT_AS, [...depths].slice(-50)));
  addEventListener("hashchange", () => {
    recognise();
    show();
  });
  return show();
}

// How far down each step of the history was scrolled, to come back to just there. A step has a number in its state;
// one without was made by a link.
const DEPTHS_KEPT_AS = "eventflow.depths";
const depths = new Map(ofThisTab.get(DEPTHS_KEPT_AS) ?? []);
let step = null;
let depth = 0;

function recognise() {
  const known = history.state?.step;
  step = known ?? Date.now() + Math.random();
  depth = depths.get(step) ?? 0;
  if (known === undefined) history.replaceState({ step }, "");
}

/** While a page is being made its height is nobody's wish. */
function remember() {
  if (!view.hasAttribute("aria-busy")) depths.set(step, scrollY);
}

/** Shows the page of the present address anew. */
export async function show({ keepFocus = false } = {}) {
  if (!view) return;
  open?.abort();
  const mine = (open = new AbortController());
  const { path, query } = here();
  const found = match(path);
  const page = h("div.page");
  const place = {
    keepFocus,
    down: keepFocus ? scrollY : depth,
    field: view.contains(document.activeElement) ? document.activeElement.name : null,
  };
  view.setAttribute("aria-busy", "true");
  fill(view, page);
  try {
    if (!found) throw Object.assign(new Error(), { missing: true });
    const module = await imported(found.load, mine.signal);
    if (mine.signal.aborted) return;
    await module.default(page, { params: found.params, query, signal: mine.signal });
  } catch (error) {
    if (mine.signal.aborted) return;
    if (!error.missing && !(error instanceof ApiError)) console.error(error);
    await failed(page, error);
  }
  if (mine.signal.aborted) return;
  view.removeAttribute("aria-busy");
  arrive(page, place);
}

/** A page's module; while the server restarts it is asked for again. */
async function imported(load, signal) {
  for (let pause = 500; ; pause *= 2) {
    try {
      return await load();
    } catch (error) {
      const isAway = error instanceof TypeError && /import/i.test(error.message);
      if (!isAway || pause > 8_000) throw error;
      await sleep(pause, signal);
    }
  }
}

/** What is shown instead of a page that could not be. */
async function failed(page, error) {
  if (error.status === 401) {
    const { offer } = await import("./buyer/offer.js");
    offer(fill(page));
    return;
  }
  fill(page, h("div.narrow.centred", h("section.card",
    h("h1", t(error.missing ? "page.missing" : "page.failed")),
    error.missing ? null : problem(error),
    h("div.actions",
      error.missing ? null : h("button.primary", { type: "button", on: { click: () => show() } }, t("page.try_again")),
      h("a.button", { href: "#/" }, t("nav.back_to_shows"))))));
}

function match(path) {
  for (const { regex, names, load } of routes) {
    const found = regex.exec(path);
    if (found) {
      const values = found.slice(1).map(decode);
      return { load, params: Object.fromEntries(names.map((name, index) => [name, values[index]])) };
    }
  }
  return null;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The page is there: its title, and the focus. Who typed something when the page had to be made anew goes on in the same
 * field; elsewhere the heading has the focus, which lets a screen reader say where one has come to.
 */
function arrive(page, { keepFocus, down, field }) {
  const title = page.querySelector("h1");
  document.title = title ? `${title.textContent} · EventFlow` : "EventFlow";
  scrollTo(0, down);
  const isFirst = first;
  first = false;
  if (keepFocus && field) page.querySelector(`[name="${CSS.escape(field)}"]`)?.focus({ preventScroll: true });
  if (!title || isFirst || (keepFocus && document.activeElement !== document.body)) return;
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
}
let first = true;
