// One event of the log, as all the auditor's pages show it.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { partsOf, short, streamHref } from "./ids.js";
import { dataList, span, stepWords, timeElement } from "./values.js";
import { kindWords, nameOf, sentence } from "./words.js";

/**
 * @param {Object} record of the API
 * @param {Object} [options]
 * @param {string} [options.level] the heading's, `h3` by default
 * @param {string} [options.lane] what the stream is called, when the card does not stand under its name
 * @param {Object|null} [options.command] what decided it, of `commandsOf`
 * @param {Object} [options.links] buttons to other cards: `{cause, effects}`
 * @param {number|null} [options.sinceStart] ms since the story began
 * @param {boolean} [options.withStream] names the stream in the details
 */
export function eventCard(record, { level = "h3", lane, command, links, sinceStart, withStream = true } = {}) {
  const said = sentence(record);
  const title = h(`${level}.audit-title`, { tabindex: "-1" }, kindWords(record.tipo));
  return h("article.audit-event", { dataset: { position: record.posicion } },
    h("header", title, lane ? h("span.audit-lane-name", lane) : null),
    h("p.audit-technical",
      h("code", record.tipo), " ", h("span", place(record))),
    said ? h("p.audit-said", said) : null,
    links?.cause ? h("p.audit-link", t("audit.cause.because"), " ", links.cause) : null,
    links?.effects?.length ? h("p.audit-link.unseen", t("audit.cause.led_to"), " ", links.effects) : null,
    details(record, { command, sinceStart, withStream }));
}

/** Where in the log an event is. Digits as they are: they are names, not amounts. */
export const place = ({ posicion, revision }) => t("audit.event.place", { position: String(posicion), revision: String(revision) });

function details(record, { command, sinceStart, withStream }) {
  const { causa } = record;
  return h("details",
    h("summary", t("audit.event.details"), h("span.unseen", ` (${kindWords(record.tipo)}, #${record.posicion})`)),
    record.datos && typeof record.datos === "object" ? dataList(nameOf(record.tipo), record.datos) : h("p", t("audit.say.unreadable")),
    h("dl.audit-data.audit-cause",
      pair(t("audit.event.actor"), causa ? actor(causa.actor) : t("audit.event.unreadable")),
      pair(t("audit.event.command"), commandWords(command, causa)),
      causa ? pair(t("audit.event.causation"), h("code", causa.causacion)) : null,
      causa ? pair(t("audit.event.correlation"), h("code", causa.correlacion)) : null,
      sinceStart === undefined || sinceStart === null ? null : pair(t("audit.event.since_start"), `+${span(sinceStart)}`),
      withStream ? pair(t("audit.event.stream"), h("a", { href: streamHref(record.stream, record.revision) }, h("code", record.stream))) : null));
}

const pair = (name, value) => (value ? h("div.long", h("dt", name), h("dd", value)) : null);

const ACTORS = new Set(["saga", "timer", "admin", "anonymous", "retention"]);

/** Who did it. Persons are ids: the log has no names in the clear. */
export function actor(name) {
  if (ACTORS.has(name)) return t(`audit.actor.${name}`);
  const { kind, id } = partsOf(`user-${name}`);
  if (kind === "") return h("code", name);
  return [t("audit.actor.person"), " ", h("a", { href: streamHref(`user-${id}`) }, h("code", { title: id }, short(id)))];
}

function commandWords(command, causa) {
  if (command) return t(`audit.command.${command.what}`, { step: command.step ? stepWords(command.step) : "" });
  if (causa?.actor === "timer") return t("audit.command.timer");
  if (causa?.actor === "saga") return t("audit.command.saga");
  return causa ? t("audit.command.person") : null;
}

/** Exact time of an event and how long after the one before it; the date only where the day is another. */
export function when(record, previous, { withDate = false } = {}) {
  const known = record.en && previous?.en;
  const after = known ? Date.parse(record.en) - Date.parse(previous.en) : null;
  const sameDay = known && !withDate && new Date(record.en).toDateString() === new Date(previous.en).toDateString();
  return h("p.audit-when",
    record.en ? timeElement(record.en, sameDay) : t("audit.event.no_time"),
    after === null ? null : [" ", h("span.audit-after", after < 0 ? `−${span(-after)}` : `+${span(after)}`)]);
}
