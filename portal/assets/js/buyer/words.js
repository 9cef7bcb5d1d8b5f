// How shows, prices and what is left of them are put into words.

import { dateTime, money, number, t } from "../i18n.js";

/** Below this, or below a twentieth of all, what is left are the last ones. */
const FEW = 10;
const SHARE = 0.05;

/** How much is left of a show, in words, and how good that is: `{text, kind}`. */
export function availability(show) {
  if (show.estado === "cancelado") return { text: t("buying.left.cancelled"), kind: "bad" };
  if (show.estado === "finalizado") return { text: t("buying.left.over"), kind: "" };
  const left = show.entradas_disponibles;
  if (left === 0) {
    return show.entradas_retenidas > 0
      ? { text: t("buying.left.all_held"), kind: "warning" }
      : { text: t("buying.left.none"), kind: "" };
  }
  const isFew = left <= FEW || left <= show.aforo_total * SHARE;
  return isFew ? { text: t("buying.left.last", { n: left }), kind: "warning" } : { text: t("buying.left.some", { n: left }), kind: "good" };
}

/** An amount; nothing is free. */
export function price(amount, currency) {
  return amount === 0 ? t("buying.free") : money(amount, currency);
}

/** The parts of a date as a block: `{day, month, weekday, year}`, the year only when it is not this one. */
export function dateParts(value) {
  const date = new Date(value);
  const short = (options) => dateTime(date, options).replace(/\.$/, "");
  return {
    day: number(date.getDate()),
    month: short({ month: "short" }),
    weekday: short({ weekday: "short" }),
    year: date.getFullYear() === new Date().getFullYear() ? "" : String(date.getFullYear()),
  };
}

/** Date and time of a show, short but with its weekday. */
export function showTime(value) {
  const isThisYear = new Date(value).getFullYear() === new Date().getFullYear();
  return dateTime(value, {
    weekday: "short", day: "numeric", month: "short", ...(isThisYear ? {} : { year: "numeric" }), hour: "numeric", minute: "2-digit",
  });
}
