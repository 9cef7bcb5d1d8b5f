// The two languages of the portal, and how numbers, money and dates are written in them.
//
// Texts stand in `i18n/<area>.js`, both languages side by side. A text is a string with `{name}` places, or
// `{one, other}` when it depends on the number `n`.

import { decimals } from "./currency.js";
import common from "./i18n/common.js";
import errors from "./i18n/errors.js";

export const LANGUAGES = { es: "Español", en: "English" };
const KEPT_AS = "eventflow.language";

const texts = { es: {}, en: {} };
let language = initial();
const listeners = new Set();

register(common);

/** Adds an area's texts: `{es: {key: text}, en: {key: text}}`. Areas call this when they are imported. */
export function register(area) {
  for (const code of Object.keys(texts)) Object.assign(texts[code], area[code]);
}

function initial() {
  try {
    const kept = localStorage.getItem(KEPT_AS);
    if (kept in LANGUAGES) return kept;
  } catch {
    // Storage may be forbidden; then the browser's language is as good a guess each time.
  }
  const wanted = navigator.languages?.map((tag) => tag.slice(0, 2)) ?? [];
  return wanted.find((code) => code in LANGUAGES) ?? "es";
}

/** `es` or `en`. */
export function currentLanguage() {
  return language;
}

/** Changes the language and tells everybody who asked for it. */
export function setLanguage(code) {
  if (!(code in LANGUAGES) || code === language) return;
  language = code;
  try {
    localStorage.setItem(KEPT_AS, code);
  } catch {
    // It then lasts as long as the page.
  }
  document.documentElement.lang = code;
  for (const listener of listeners) listener(code);
}

/** Calls back when the language changes. */
export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The text of a key with its places filled in. A key without a text is shown as it is: a test finds those. */
export function t(key, values = {}) {
  let text = texts[language][key];
  if (text === undefined) return key;
  if (typeof text === "object") text = text[plural().select(values.n ?? 0)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (place, name) => {
    const value = values[name];
    if (value === undefined) return place;
    return typeof value === "number" ? number(value) : String(value);
  });
}

/** Whether there is a text for the key. */
export function has(key) {
  return texts[language][key] !== undefined;
}

/** What an error of the API means in this language: by its `codigo`, else the server's own words. */
export function errorText(code, fallback = "") {
  return errors[code]?.[language] ?? (fallback || t("error.unknown"));
}

const made = new Map();
function cached(kind, options, make) {
  const key = `${language}|${kind}|${JSON.stringify(options)}`;
  let formatter = made.get(key);
  if (!formatter) made.set(key, (formatter = make(locale(), options)));
  return formatter;
}
/** The reader's own way of writing this language, such as `es-AR`, if the browser knows one. */
const locale = () => navigator.languages?.find((tag) => tag.startsWith(language)) ?? { es: "es", en: "en-GB" }[language];
const plural = () => cached("plural", {}, (l) => new Intl.PluralRules(l));

/** A number. */
export function number(value, options = {}) {
  return cached("number", options, (l, o) => new Intl.NumberFormat(l, o)).format(value);
}

/** Money in major units, with its currency. */
export function money(amount, currency) {
  const digits = decimals(currency);
  const options = {
    style: "currency", currency, currencyDisplay: "code", minimumFractionDigits: digits, maximumFractionDigits: digits,
  };
  try {
    return cached("number", options, (l, o) => new Intl.NumberFormat(l, o)).format(amount);
  } catch {
    return `${currency} ${number(amount)}`;
  }
}

/** A date and time (RFC 3339 or `Date`) as people read it, in their own time zone. */
export function dateTime(value, options = { dateStyle: "full", timeStyle: "short" }) {
  const date = value instanceof Date ? value : new Date(value);
  if (Number.isNaN(date.getTime())) return "";
  return cached("date", options, (l, o) => new Intl.DateTimeFormat(l, o)).format(date);
}

/** Short date and time. */
export const shortDateTime = (value) => dateTime(value, { dateStyle: "medium", timeStyle: "short" });
/** Time with seconds and milliseconds, for those who audit. */
export const exactTime = (value) => dateTime(value, EXACT);
const EXACT = {
  year: "numeric", month: "2-digit", day: "2-digit",
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23",
};

document.documentElement.lang = language;
