// What is on.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { register, t } from "../i18n.js";
import buying from "../i18n/buying.js";
import { here, note, show as showPage } from "../router.js";
import * as session from "../session.js";
import { busy, problem } from "../ui.js";
import { filterForm, isFiltered, readFilters, toQuery } from "../buyer/filters.js";
import { showCard, skeletonCard } from "../buyer/show_card.js";

register(buying);

const PAGE = 24;
const MOST = 100;
const TYPING_MS = 300;

/** What was found last, for whoever comes back from a show: as far as they had come, and just as far down. */
let kept = null;
/** Every category that was seen; there is no list of them. */
const categories = new Set();
let haveLooked = false;

export default async function page(view, { query, signal }) {
  let filters = readFilters(query);
  const list = h("ul.tickets");
  const count = h("p.found", { role: "status" });
  const below = h("div.below");
  const form = filterForm(filters, (now, { soon }) => {
    filters = now;
    note("/", filters);
    clearTimeout(pause);
    pause = setTimeout(load, soon ? TYPING_MS : 0);
  });
  let pause = null;
  let current = null;
  signal.addEventListener("abort", () => {
    clearTimeout(pause);
    current?.abort();
  });

  fill(view,
    h("header.hero", h("h1", t("nav.shows")), h("p", t("buying.catalogue.lead"))),
    form, count, list, below);

  const key = JSON.stringify(filters);
  form.setCategories(categories);
  if (kept?.key === key) {
    draw(kept);
    refresh();
  } else {
    load();
  }

  /** The first page of what is wanted now. What is shown stays until the answer is there. */
  async function load() {
    current?.abort();
    const mine = (current = new AbortController());
    const wanted = toQuery(filters);
    const found = { key: JSON.stringify(filters), wanted, shows: [], cursor: null };
    list.setAttribute("aria-busy", "true");
    fill(below);
    if (!list.firstChild || list.classList.contains("waiting")) {
      list.classList.add("waiting");
      fill(list, Array.from({ length: 6 }, skeletonCard));
      count.classList.remove("unseen");
      count.textContent = t("page.loading");
    }
    try {
      await next(found, PAGE, mine.signal);
      kept = found;
      draw(found);
    } catch (error) {
      if (mine.signal.aborted) return;
      kept = null;
      fill(list);
      count.textContent = "";
      fill(below, problem(error), h("button.primary", { type: "button", on: { click: load } }, t("page.try_again")));
    } finally {
      if (!mine.signal.aborted) {
        list.removeAttribute("aria-busy");
        list.classList.remove("waiting");
      }
    }
  }

  async function next(found, limit, ends) {
    const { data } = await get("/api/eventos", { query: { ...found.wanted, limite: limit, cursor: found.cursor }, signal: ends });
    found.shows.push(...data.eventos);
    found.cursor = data.cursor ?? null;
    notice(data.eventos);
    // Only then some may be missing from what was seen.
    if (found.cursor && !haveLooked) lookForCategories();
  }

  function notice(shows) {
    const before = categories.size;
    for (const { categoria } of shows) if (categoria) categories.add(categoria);
    if (categories.size !== before) form.setCategories(categories);
  }

  async function lookForCategories() {
    haveLooked = true;
    try {
      const { data } = await get("/api/eventos", { query: { desde: toQuery(readFilters(new URLSearchParams())).desde, limite: MOST }, signal, attempts: 1 });
      notice(data.eventos);
    } catch {
      haveLooked = false;
    }
  }

  /** What is shown from before is looked at again; when that fails it is still worth showing. */
  async function refresh() {
    const mine = (current = new AbortController());
    const found = { key, wanted: toQuery(filters), shows: [], cursor: null };
    try {
      const limit = Math.min(Math.max(kept.shows.length, PAGE), MOST);
      await next(found, limit, mine.signal);
      if (kept.shows.length > limit) {
        const fresh = new Map(found.shows.map((show) => [show.evento_id, show]));
        found.shows = kept.shows.map((show) => fresh.get(show.evento_id) ?? show);
        found.cursor = kept.cursor;
      }
      if (mine.signal.aborted) return;
      const isSame = JSON.stringify(found.shows) === JSON.stringify(kept.shows) && found.cursor === kept.cursor;
      // What is not drawn is not kept: the button below goes on with the list that is shown.
      if (isSame || list.contains(document.activeElement)) return;
      kept = found;
      draw(found);
    } catch {
      // As said above.
    }
  }

  function draw(found) {
    fill(list, found.shows.map(showCard));
    const n = found.shows.length;
    // That there is nothing stands below in large letters; here it is for those who hear the page.
    count.classList.toggle("unseen", n === 0);
    if (n === 0) count.textContent = t(isFiltered(filters) ? "buying.none_found" : "buying.none_on");
    else count.textContent = t(found.cursor ? "buying.found_more" : "buying.found", { n });
    fill(below, n === 0 ? nothing() : found.cursor ? moreButton(found) : null);
  }

  function moreButton(found) {
    const button = h("button.more", { type: "button" }, t("page.more"));
    button.addEventListener("click", () => busy(button, async () => {
      const before = found.shows.length;
      try {
        await next(found, PAGE, signal);
      } catch (error) {
        if (!signal.aborted) fill(below, problem(error), moreButton(found));
        return;
      }
      if (found !== kept) return;
      draw(found);
      list.children[before]?.querySelector("a").focus();
    }));
    return button;
  }

  function nothing() {
    if (isFiltered(filters)) {
      return h("div.empty", h("p.empty-title", t("buying.none_found")), h("p", t("buying.none_found_hint")),
        h("button", { type: "button", on: { click: clear } }, t("buying.filter.clear")));
    }
    const mayPlan = session.may("organizador");
    return h("div.empty", h("p.empty-title", t("buying.none_on")),
      h("p", t(mayPlan ? "buying.none_on_organiser" : "buying.none_on_hint")),
      mayPlan ? h("a.button.primary", { href: "#/organizar/nuevo" }, t("buying.plan_first")) : null);
  }

  function clear() {
    note("/");
    if (here().path === "/") showPage();
  }
}
