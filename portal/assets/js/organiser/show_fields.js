// The fields of a show, apart from its seat map. What is typed goes into `values` at once.

import { append, fill, h, uid } from "../dom.js";
import { currentLanguage, dateTime, money, t } from "../i18n.js";
import { CURRENCIES, toMajor } from "../currency.js";
import { field, input, select } from "../ui.js";
import { localText, meaning, parseLocal, zoneName } from "./local_time.js";
import { parsePrice } from "./price.js";

/**
 * @param {Object} values as `draft.emptyFields`
 * @param {function(name: string): void} onInput
 * @param {Promise<string[]>} categories those that other shows have
 * @returns `{fields, about, tickets, set(name, text)}`: the fields by their names in the API, and two groups of them
 */
export function showFields(values, onInput, categories) {
  const fields = {};
  const listId = uid("categories");
  const list = h("datalist", { id: listId });
  categories.then((names) => fill(list, names.map((name) => h("option", { value: name }))));

  function bind(name, label, control, options) {
    control.value = values[name];
    const one = field(label, control, { ...options, name });
    const take = () => {
      values[name] = control.value;
      if (control.hasAttribute("aria-invalid")) one.setError(null);
      echo();
      onInput(name);
    };
    control.addEventListener("input", take);
    control.addEventListener("change", take);
    fields[name] = one;
    return one;
  }

  const tomorrow = new Date(Date.now() + 60_000);
  const dateEcho = h("p.org-echo", { "aria-live": "polite" });
  const priceEcho = h("p.org-echo");
  const about = h("fieldset.org-group", h("legend", h("h2", t("org.show.about"))),
    bind("nombre", t("org.show.name"), input("text", { maxlength: 400, autocomplete: "off" })),
    bind("descripcion", t("org.show.description"), h("textarea", { rows: 4 }), { optional: true, hint: t("org.show.description_hint") }),
    h("div.fields",
      append(bind("fecha", t("org.show.date"), input("datetime-local", { min: localText(tomorrow), max: "9999-12-31T23:59" }),
        { hint: t("org.show.date_hint", { zone: zoneName() }) }), [dateEcho]),
      bind("lugar", t("org.show.venue"), input("text", { maxlength: 400, autocomplete: "off" }), { hint: t("org.show.venue_hint") }),
      bind("categoria", t("org.show.category"), input("text", { maxlength: 100, list: listId, autocomplete: "off" }),
        { optional: true, hint: t("org.show.category_hint") })),
    list);

  const tickets = h("fieldset.org-group", h("legend", h("h2", t("org.show.tickets"))),
    h("div.fields",
      append(bind("precio", t("org.show.price"), input("text", { inputmode: "decimal", maxlength: 24, autocomplete: "off" }),
        { hint: t("org.show.price_hint") }), [priceEcho]),
      bind("moneda", t("org.show.currency"), select(currencies()), { hint: t("org.show.currency_hint") }),
      bind("max_por_usuario", t("org.show.limit"), input("text", { inputmode: "numeric", maxlength: 6, autocomplete: "off" }),
        { hint: t("org.show.limit_hint") })));

  bind("aforo_total", t("org.show.capacity"), input("text", { inputmode: "numeric", maxlength: 6, autocomplete: "off" }),
    { hint: t("org.show.capacity_hint") });

  function echo() {
    const { date } = parseLocal(values.fecha);
    fill(dateEcho, date ? meaning(date) : null);
    const { minor } = parsePrice(values.precio, values.moneda);
    const free = minor === 0 ? ` · ${t("org.show.free")}` : "";
    fill(priceEcho, minor === undefined ? null : money(toMajor(minor, values.moneda), values.moneda) + free);
  }
  echo();

  return {
    fields,
    about,
    tickets,
    /** Puts a text into a field. */
    set(name, text) {
      fields[name].control.value = text;
      fields[name].control.dispatchEvent(new Event("input"));
    },
  };
}

/** Codes with their names, as the reader calls them. */
function currencies() {
  let names = null;
  try {
    names = new Intl.DisplayNames([currentLanguage()], { type: "currency" });
  } catch {
    // The codes alone then.
  }
  return CURRENCIES.map((code) => {
    const name = names?.of(code);
    return [code, name && name !== code ? `${code} · ${name}` : code];
  });
}

/** When something was kept, in few words. */
export const savedAt = (time) => dateTime(new Date(time), { timeStyle: "short", dateStyle: "medium" });
