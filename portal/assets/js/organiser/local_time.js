// The reader's own time: typed without a zone, sent in UTC.

import { dateTime, t } from "../i18n.js";

/** The last moment that the API takes. */
const LAST_YEAR = 9_999;

/** `2030-11-21T20:00` as `{date}`, or `{fault}`: a key under `org.show.error.`. */
export function parseLocal(text, now = new Date()) {
  const found = /^(\d{4,6})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(text);
  if (!found) return { fault: "date_missing" };
  const [year, month, day, hour, minute] = found.slice(1).map(Number);
  const date = new Date(year, month - 1, day, hour, minute);
  if (year > LAST_YEAR || Number.isNaN(date.getTime())) return { fault: "date_far" };
  // The hour that is left out when clocks go forward.
  if (date.getHours() !== hour || date.getMinutes() !== minute || date.getDate() !== day) return { fault: "date_skipped" };
  return date <= now ? { fault: "date_past" } : { date };
}

/** The reader's time zone: `America/Montevideo`. */
export const zoneName = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";

/** What a time means, in words: there, and in UTC. */
export function meaning(date) {
  const here = dateTime(date, {
    weekday: "long", year: "numeric", month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "shortOffset",
  });
  const utc = dateTime(date, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
  return t("org.show.date_meaning", { here, utc });
}

/** A `Date` as `datetime-local` wants it. */
export function localText(date) {
  const two = (value) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}
