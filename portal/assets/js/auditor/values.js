// What stands in an event, for people: money with its currency, times as times, ids as links, sealed fields as sealed.

import { h } from "../dom.js";
import { dateTime, exactTime, has, number, t } from "../i18n.js";
import { tag } from "../ui.js";
import { purchaseHref, short, showHref, streamHref } from "./ids.js";
import "./texts.js";

/** Decimals of the currencies that have not two, as the log counts them (crates/contract/src/money.rs). */
const DECIMALS = {
  BHD: 3, BIF: 0, CLF: 4, CLP: 0, DJF: 0, GNF: 0, IQD: 3, ISK: 0, JOD: 3, JPY: 0, KMF: 0, KRW: 0, KWD: 3, LYD: 3, OMR: 3,
  PYG: 0, RWF: 0, TND: 3, UGX: 0, UYI: 0, UYW: 4, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
};

/** An amount in major units, to the last decimal of its currency. */
export function exactMoney(amount, currency) {
  const decimals = DECIMALS[currency] ?? 2;
  try {
    return number(amount, {
      style: "currency", currency, currencyDisplay: "code", minimumFractionDigits: decimals, maximumFractionDigits: decimals,
    });
  } catch {
    return `${currency} ${number(amount)}`;
  }
}

/** Major units of what the log keeps: `{minor, currency}`. */
export const major = ({ minor, currency }) => minor / 10 ** (DECIMALS[currency] ?? 2);

/** `{minor, currency}` in words. */
export const moneyWords = (money) => exactMoney(major(money), money.currency);

const SEALED = { user_registered: new Set(["document", "given_name", "family_name", "email", "password"]) };
const DIGESTS = new Set(["fingerprint", "refresh", "email_pseudonym"]);
/** The saga's steps by the log's names, in their order, and how they end: the API's words for them. */
export const STEPS = {
  validate_user: "validar_usuario", validate_show: "validar_evento", hold_inventory: "reservar_inventario",
  take_payment: "procesar_pago", record_history: "actualizar_historial", confirm: "confirmar_reserva",
};
export const STATES = { done: "hecho", failed: "fallido", compensated: "compensado" };

/** A step of the saga in words, by the log's name for it. */
export const stepWords = (step) => (STEPS[step] ? t(`step.${STEPS[step]}`) : step);

/** A word of the log for a reason and the like, in the reader's language if there is one. */
export function valueWords(key, value) {
  return has(`audit.value.${key}.${value}`) ? t(`audit.value.${key}.${value}`) : String(value);
}

/** Why the business said no, in words. */
export function refusalWords(refusal) {
  const key = `audit.refusal.${refusal.refusal}`;
  if (!has(key)) return String(refusal.refusal);
  return t(key, {
    ...refusal,
    why: refusal.why && valueWords("why", refusal.why),
    reason: refusal.reason && valueWords("reason", refusal.reason),
    seats: refusal.seats?.join(", "),
    now: refusal.now && moneyWords(refusal.now),
  });
}

/** What a buyer asked for, in words. */
export function choiceWords(choice) {
  if (choice.kind === "hold") return t("audit.choice.hold");
  if (choice.kind === "seats") return t("audit.choice.seats", { n: choice.seats.length, seats: choice.seats.join(", ") });
  const key = choice.section === undefined ? "audit.choice.quantity" : "audit.choice.quantity_in";
  return t(key, { n: choice.quantity, section: choice.section });
}

const TIME = { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" };

/** Time of day, to the millisecond. */
export const timeOfDay = (date) => dateTime(date, TIME);

/** Exact time of a timestamp of the log, in milliseconds, or of its day alone; the element also has it in UTC. */
export function timeElement(value, ofDay = false) {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return String(value);
  return h("time", { datetime: date.toISOString(), title: date.toISOString() }, ofDay ? timeOfDay(date) : exactTime(date));
}

/** An event's data as a list of names and values. */
export function dataList(name, data) {
  return h("dl.audit-data", Object.entries(data).map(([key, value]) =>
    h("div", { class: isLong(value) ? "long" : "" },
      h("dt", has(`audit.field.${key}`) ? t(`audit.field.${key}`) : h("code", key)),
      h("dd", valueOf(name, key, value)))));
}

const isLong = (value) => typeof value === "object" && value !== null && value.currency === undefined;

function valueOf(name, key, value) {
  if (value === null || value === undefined) return "—";
  if (SEALED[name]?.has(key)) return h("span", { title: t("audit.value.sealed_hint") }, tag(t("audit.value.sealed")));
  if (DIGESTS.has(key)) return h("span", { title: String(value) }, t("audit.value.digest"), " ", h("code", short(String(value))));
  if (key.endsWith("_ms") && typeof value === "number") return timeElement(value);
  if (key.endsWith("_id") || key === "organiser") return idOf(key, String(value));
  if (key === "step" || key === "failed_step") return stepWords(value);
  if (typeof value === "number") return number(value);
  if (Array.isArray(value)) return listOf(name, key, value);
  if (typeof value === "object") return objectOf(name, key, value);
  return valueWords(key, value);
}

function idOf(key, id) {
  const code = h("code", { title: id }, short(id));
  if (key === "reservation_id") return h("a", { href: purchaseHref(id) }, code);
  if (key === "show_id") return h("a", { href: showHref(id) }, code);
  if (key === "user_id" || key === "organiser") return h("a", { href: streamHref(`user-${id}`) }, code);
  return h("code", id);
}

function listOf(name, key, list) {
  if (list.length === 0) return h("span.muted", t("audit.value.none"));
  if (key === "steps") {
    return h("ul.audit-plain", list.map((one) =>
      h("li", stepWords(one.step), ": ", STATES[one.state] ? t(`step.state.${STATES[one.state]}`) : String(one.state),
        " · ", timeElement(one.at_ms))));
  }
  if (list.every((one) => typeof one !== "object")) return list.map((one) => valueWords(key, one)).join(", ");
  return h("ul.audit-plain", list.map((one) => h("li", dataList(name, one))));
}

function objectOf(name, key, value) {
  if (typeof value.minor === "number" && value.currency) return moneyWords(value);
  if (key === "tally") return t("audit.value.tally", value);
  if (key === "refusal" && value.refusal) return refusalWords(value);
  if (key === "choice" && value.kind) return choiceWords(value);
  if (key === "layout" && value.kind) return layoutOf(value);
  return dataList(name, value);
}

function layoutOf(layout) {
  if (layout.kind === "general") return t("audit.value.general", { n: layout.capacity });
  return h("ul.audit-plain", (layout.sections ?? []).map((section) =>
    h("li", [
      t("audit.value.section", { name: section.name, rows: section.rows, seats: section.seats_per_row }),
      section.price && t("audit.value.section_price", { price: moneyWords(section.price) }),
      section.aisles && t("audit.value.aisles", { list: section.aisles.join(", ") }),
      section.blocked && t("audit.value.blocked", { n: section.blocked.length }),
    ].filter(Boolean).join(" · "))));
}

/** A span of time in the largest unit that still tells: `12 ms`, `1,2 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`. */
export function span(ms) {
  const whole = (value, unit) => `${number(value)} ${unit}`;
  const s = Math.round(ms / 1_000);
  if (ms < 1_000) return whole(ms, "ms");
  if (ms < 60_000) return `${number(ms / 1_000, { maximumFractionDigits: ms < 10_000 ? 2 : 1 })} s`;
  if (s < 3_600) return `${whole(Math.floor(s / 60), "min")}${s % 60 ? ` ${whole(s % 60, "s")}` : ""}`;
  const min = Math.round(ms / 60_000);
  if (min < 1_440) return `${whole(Math.floor(min / 60), "h")}${min % 60 ? ` ${whole(min % 60, "min")}` : ""}`;
  const hours = Math.round(ms / 3_600_000);
  return `${whole(Math.floor(hours / 24), "d")}${hours % 24 ? ` ${whole(hours % 24, "h")}` : ""}`;
}
