// What the catalogue is narrowed down to. It stands in the address, so that a link, a reload and the back button keep it.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { field, input, select } from "../ui.js";

const MINUTE = 60_000;

/** The filters of an address: only what makes sense of it. */
export function readFilters(query) {
  const day = (name) => (dayOf(query.get(name)) ? query.get(name) : "");
  return {
    q: (query.get("q") ?? "").slice(0, 100),
    categoria: (query.get("categoria") ?? "").slice(0, 100),
    desde: day("desde"),
    hasta: day("hasta"),
    pasados: query.get("pasados") === "1" ? "1" : "",
  };
}

export const isFiltered = (filters) => Object.values(filters).some((value) => value !== "");

/** What the API is asked for. Without a day to begin with it is now, to the minute. */
export function toQuery(filters) {
  const from = dayOf(filters.desde);
  const until = dayOf(filters.hasta);
  const now = new Date(Math.floor(Date.now() / MINUTE) * MINUTE);
  if (until) until.setDate(until.getDate() + 1);
  const begin = filters.pasados ? from : from && from > now ? from : now;
  return {
    q: filters.q.trim(),
    categoria: filters.categoria,
    desde: begin ? begin.toISOString() : null,
    hasta: until ? until.toISOString() : null,
  };
}

/** Midnight of a day (`2026-11-21`) where the reader is; null for what is none. */
function dayOf(text) {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text ?? "");
  if (!parts) return null;
  const date = new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]));
  return date.getDate() === Number(parts[3]) ? date : null;
}

/**
 * The form. `onChange(filters, {soon})` is called with valid filters whenever they change: `soon` while somebody types.
 * It has `.setCategories(names)`.
 */
export function filterForm(filters, onChange) {
  const search = input("search", {
    name: "q", value: filters.q, maxlength: 100, autocomplete: "off", enterkeyhint: "search", placeholder: t("buying.filter.q_example"),
  });
  const category = select([["", t("buying.filter.any_category")]], { name: "categoria" });
  const from = input("date", { name: "desde", value: filters.desde, max: "9999-12-31" });
  const until = input("date", { name: "hasta", value: filters.hasta, max: "9999-12-31" });
  const past = input("checkbox", { name: "pasados", id: "filter-past", checked: filters.pasados === "1" });
  const untilField = field(t("buying.filter.until"), until);
  const count = Object.entries(filters).filter(([name, value]) => name !== "q" && value !== "").length;
  const more = h("div.filters-more#filters-more", { class: count > 0 ? "open" : "" },
    field(t("buying.filter.category"), category),
    field(t("buying.filter.from"), from),
    untilField,
    h("div.field.check", past, h("label", { for: "filter-past" }, t("buying.filter.past"))));
  const toggle = h("button.filters-toggle", {
    type: "button", "aria-controls": "filters-more", "aria-expanded": String(count > 0),
    on: {
      click: () => {
        const isOpen = more.classList.toggle("open");
        toggle.setAttribute("aria-expanded", String(isOpen));
      },
    },
  }, t("buying.filter.more"));
  const form = h("form.filters", { role: "search", "aria-label": t("buying.filter.title"), novalidate: true },
    field(t("buying.filter.q"), search), toggle, more);

  const changed = (soon) => {
    const now = {
      q: search.value, categoria: category.value, desde: from.value, hasta: until.value, pasados: past.checked ? "1" : "",
    };
    const isBackwards = now.desde && now.hasta && now.hasta < now.desde;
    untilField.setError(isBackwards ? t("buying.filter.backwards") : null);
    if (!isBackwards) onChange(now, { soon });
  };
  search.addEventListener("input", () => changed(true));
  // A date is typed digit by digit, each a change.
  for (const control of [from, until]) control.addEventListener("change", () => changed(true));
  for (const control of [category, past]) control.addEventListener("change", () => changed(false));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    changed(false);
  });

  form.setCategories = (names) => {
    const wanted = category.value || filters.categoria;
    const all = [...new Set([...names, ...(wanted ? [wanted] : [])])].sort((one, other) => one.localeCompare(other));
    category.replaceChildren(...["", ...all].map((name) => h("option", { value: name }, name || t("buying.filter.any_category"))));
    category.value = wanted;
  };
  form.setCategories([]);
  return form;
}
