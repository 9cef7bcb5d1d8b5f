// The organiser's shows: how each sells, and the way to the next one.

import { append, fill, h } from "../dom.js";
import { dateTime, money, register, t } from "../i18n.js";
import organising from "../i18n/organising.js";
import { note } from "../router.js";
import * as session from "../session.js";
import { announce, busy, busyButton, input, loading, problem, select, tag } from "../ui.js";
import { mayOrganise } from "../organiser/access.js";
import { saveFrom } from "../organiser/save.js";
import { Past, Upcoming } from "../organiser/show_list.js";
import { tallyBar, tallyOf } from "../organiser/tally.js";

register(organising);

const TYPING_PAUSE_MS = 300;
const ENDINGS = { csv: "csv", json: "json", ndjson: "ndjson" };

export default async function page(view, { query, signal }) {
  if (!(await mayOrganise(view, t("org.shows.title"), "/organizar"))) return;
  if (signal.aborted) return;
  const everybody = session.may("admin");
  const lists = h("div", { "aria-live": "off" });
  const search = input("search", { value: query.get("q") ?? "", maxlength: 100, "aria-label": t("org.shows.search"), placeholder: t("org.shows.search") });
  append(view, [
    h("div.org-head",
      h("div", h("h1", t("org.shows.title")), everybody ? h("p.muted", t("org.shows.everybody")) : null),
      h("a.button.primary", { href: "#/organizar/nuevo" }, t("org.shows.schedule"))),
    h("div.org-search", { role: "search" }, search),
    lists,
    exporting(signal),
  ]);

  let latest = null;
  async function list() {
    latest?.abort();
    const mine = (latest = new AbortController());
    signal.addEventListener("abort", () => mine.abort(), { once: true, signal: mine.signal });
    const q = search.value.trim();
    const now = new Date();
    const upcoming = group(t("org.shows.upcoming"), new Upcoming(q, now, mine.signal), q ? t("org.shows.none_found") : t("org.shows.none_upcoming"));
    const past = group(t("org.shows.past"), new Past(q, now, mine.signal), t(q ? "org.shows.none_found" : "org.shows.none_past"));
    if (!lists.hasChildNodes()) fill(lists, loading());
    try {
      await Promise.all([upcoming.load(), past.load()]);
    } catch (error) {
      if (mine.signal.aborted) return;
      fill(lists, problem(error), busyButton(t("page.try_again"), list));
      return;
    }
    if (!mine.signal.aborted) fill(lists, upcoming.element, past.element);
  }

  let typing = null;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      note("/organizar", { q: search.value.trim() });
      list();
    }, TYPING_PAUSE_MS);
  });
  signal.addEventListener("abort", () => clearTimeout(typing), { once: true });
  await list();
}

/** A heading, cards, and a button for more. */
function group(title, source, nothing) {
  const cards = h("div.org-cards");
  const failure = h("div");
  const more = busyButton(t("page.more"), async () => {
    fill(failure);
    const before = cards.lastElementChild;
    try {
      await load();
      // The focus goes on where the new ones begin.
      (before?.nextElementSibling?.querySelector("a") ?? more).focus();
    } catch (error) {
      if (error.name !== "AbortError") fill(failure, problem(error));
    }
  });
  async function load() {
    const shows = await source.next();
    if (shows.length === 0 && !cards.hasChildNodes()) append(cards, [h("p.muted", nothing)]);
    append(cards, [shows.map(card)]);
    actions.hidden = !source.more;
  }
  const actions = h("div.actions", more);
  return { element: h("section", h("h2", title), cards, failure, actions), load };
}

function card(show) {
  const bar = tallyBar();
  bar.show(tallyOf(show));
  const state = { activo: "good", cancelado: "bad", finalizado: "" }[show.estado] ?? "";
  const full = show.entradas_disponibles === 0 && show.estado === "activo";
  return h("article.card.org-card",
    h("div.org-card-head",
      h("h3", h("a", { href: `#/organizar/${show.evento_id}` }, show.nombre)),
      tag(t(full ? "org.shows.sold_out" : `show.state.${show.estado}`), full ? "info" : state)),
    h("p.muted", dateTime(show.fecha, { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "numeric", minute: "2-digit" }), h("br"), show.lugar, " · ", money(show.precio, show.moneda)),
    bar,
    h("p.org-card-links",
      h("a", { href: `#/organizar/${show.evento_id}`, "aria-label": t("org.shows.sales_of", { name: show.nombre }) }, t("org.shows.sales")),
      h("a", { href: `#/evento/${show.evento_id}`, "aria-label": t("org.shows.page_of", { name: show.nombre }) }, t("org.shows.page"))));
}

function exporting(signal) {
  const format = select(Object.keys(ENDINGS).map((key) => [key, t(`org.export.${key}`)]), { "aria-label": t("org.export.format") });
  const result = h("div");
  const button = h("button", { type: "button", on: { click: () => busy(button, run) } }, t("org.export.download"));
  async function run() {
    fill(result);
    const name = `${t("org.export.file")}.${ENDINGS[format.value]}`;
    try {
      await saveFrom(`/api/eventos/exportar?formato=${format.value}`, name, signal);
      announce(t("org.file.saved", { file: name }));
      fill(result, h("p.muted", t("org.file.saved", { file: name })));
    } catch (error) {
      if (!signal.aborted) fill(result, problem(error));
    }
  }
  return h("section.card.org-export", h("h2", t("org.export.title")), h("p.muted", t("org.export.about")),
    h("div.org-export-row", format, button), result);
}
