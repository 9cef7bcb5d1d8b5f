// A purchase's story: a lane for each stream on a wide screen, one column on a narrow one. Causes stand on each card in
// words and lead to the other card; on a wide screen lines show them, too.

import { fill, h } from "../dom.js";
import { t } from "../i18n.js";
import { announce } from "../ui.js";
import { eventCard, when } from "./card.js";
import { partsOf, streamHref } from "./ids.js";
import { wires } from "./wires.js";
import { kindWords } from "./words.js";

const LANES = ["reservation", "show", "payment", "user"];
/** Streams that are not shown; outlives a change of the language. */
const hidden = new Set();

/**
 * @param {Object[]} story events in order
 * @param {{commands: Array, causes: Array, open: Set<number>, signal: AbortSignal}} context `open`: positions of the
 *   cards whose details are open; kept up to date
 */
export function timeline(story, { commands, causes, open, signal }) {
  const lanes = lanesOf(story);
  const shownLanes = () => lanes.filter(({ kind }) => !hidden.has(kind));
  if (shownLanes().length === 0) hidden.clear();
  const cards = story.map((record, index) => cardOf(story, index, { commands, causes, jump }));
  const list = h("ol.audit-lanes", { "aria-label": t("audit.timeline.label") });
  const heads = h("div.audit-lane-heads", { "aria-hidden": "true" });
  const around = h("div.audit-story");
  const lines = wires(around, () => causes.flatMap((cause, effect) =>
    (cause !== null && visible(cause) && visible(effect) ? [{ from: cards[cause], to: cards[effect], key: String(effect) }] : [])), signal);
  around.append(lines.element, heads, list);

  const laneOf = (index) => partsOf(story[index].stream).kind;
  const visible = (index) => !hidden.has(laneOf(index));

  function jump(index) {
    if (hidden.delete(laneOf(index))) lay();
    const title = cards[index].querySelector(".audit-title");
    title.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    title.focus({ preventScroll: true });
  }

  function lay() {
    const shown = shownLanes();
    around.className = `audit-story lanes-${shown.length}`;
    fill(heads, shown.map(({ kind }, at) => h("span", { class: `lane-${at + 1}` }, t(`audit.lane.${kind}`))));
    let previous = null;
    fill(list, story.map((record, index) => {
      if (!visible(index)) return null;
      const lane = shown.findIndex(({ kind }) => kind === laneOf(index)) + 1;
      const item = h("li", when(record, previous), h("div.audit-cell", { class: `lane-${lane} is-${laneOf(index)}` }, cards[index]));
      previous = record;
      return item;
    }));
    for (const toggle of filter.querySelectorAll("button")) toggle.setAttribute("aria-pressed", String(!hidden.has(toggle.dataset.lane)));
    lines.draw();
  }

  const filter = h("div.audit-filter", { role: "group", "aria-label": t("audit.timeline.filter") },
    lanes.map(({ kind, count }) => h("button", { type: "button", dataset: { lane: kind }, on: { click: () => toggle(kind) } },
      h("span.audit-swatch", { class: `is-${kind}`, "aria-hidden": "true" }), `${t(`audit.lane.${kind}`)} (${count})`)));

  function toggle(kind) {
    if (!hidden.delete(kind)) {
      if (shownLanes().length === 1) {
        announce(t("audit.timeline.last"));
        return;
      }
      hidden.add(kind);
    }
    lay();
    announce(t("audit.timeline.shown", { n: story.filter((_, index) => visible(index)).length }));
  }

  cards.forEach((card, index) => {
    const details = card.querySelector("details");
    details.open = open.has(story[index].posicion);
    details.addEventListener("toggle", () => {
      if (details.open) open.add(story[index].posicion);
      else open.delete(story[index].posicion);
      lines.draw();
    });
    for (const type of ["pointerenter", "focusin"]) card.addEventListener(type, () => lines.light(String(index)));
    for (const type of ["pointerleave", "focusout"]) card.addEventListener(type, () => lines.light(null));
  });
  lay();
  return [filter, h("p.audit-streams", t("audit.timeline.whole"), " ",
    lanes.map(({ kind, stream }, at) => [at ? " · " : "", h("a", { href: streamHref(stream) }, t(`audit.lane.${kind}`))])), around];
}

function lanesOf(story) {
  const found = new Map();
  for (const { stream } of story) {
    const { kind } = partsOf(stream);
    const lane = found.get(kind) ?? { kind, stream, count: 0 };
    lane.count += 1;
    found.set(kind, lane);
  }
  return [...found.values()].sort((a, b) => LANES.indexOf(a.kind) - LANES.indexOf(b.kind));
}

function cardOf(story, index, { commands, causes, jump }) {
  const record = story[index];
  const link = (to) => h("button.audit-jump", { type: "button", on: { click: () => jump(to) } },
    `${kindWords(story[to].tipo)} #${story[to].posicion}`);
  const effects = causes.flatMap((cause, effect) => (cause === index ? [link(effect)] : []));
  return eventCard(record, {
    lane: t(`audit.lane.${partsOf(record.stream).kind}`),
    command: commands[index],
    links: { cause: causes[index] === null ? null : link(causes[index]), effects },
    sinceStart: record.en && story[0].en ? Date.parse(record.en) - Date.parse(story[0].en) : null,
  });
}
