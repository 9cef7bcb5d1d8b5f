// The grid of a section with its tools: what a press means (block, or an aisle), and marking by two corners.

import { append, fill, h, uid } from "../dom.js";
import { t } from "../i18n.js";
import { announce } from "../ui.js";
import { rowLetters } from "../seatmap/model.js";
import { listen } from "./grid_input.js";
import { GridView } from "./grid_view.js";
import { placeKey } from "./places.js";
import { MAX_AISLES, changed, measure } from "./plan.js";

/** What the reader chose last; another section, or another language, changes nothing about it. */
const chosen = { mode: "block", twoCorners: false };

/**
 * @param {function(section: Object, words: string): void} onChange a section as it is to be, and what was done
 * @param {AbortSignal} signal
 * @returns {{element: HTMLElement, show: function(Object): void}}
 */
export function seatGrid(onChange, signal) {
  const helpId = uid("help");
  const view = new GridView(t("org.grid.label"));
  view.grid.setAttribute("aria-describedby", helpId);
  signal.addEventListener("abort", () => view.destroy(), { once: true });
  const say = h("p.org-grid-said.muted", { "aria-hidden": "true" });
  const tell = (text) => {
    fill(say, text);
    announce(text);
  };

  const apply = (span, place) => {
    const section = view.section;
    if (chosen.mode === "aisle") return toggleAisle(section, place.number);
    return toggleBlocked(section, span);
  };

  function toggleAisle(section, number) {
    const { seats, aisles } = measure(section);
    if (number < 1) return tell(t("org.grid.aisle_column"));
    if (number >= seats) return tell(t("org.grid.aisle_last"));
    const there = aisles.includes(number);
    if (!there && aisles.length >= MAX_AISLES) return tell(t("org.map.error.aisles_many", { max: MAX_AISLES }));
    const next = there ? aisles.filter((at) => at !== number) : [...aisles, number].sort((a, b) => a - b);
    const words = t(there ? "org.grid.aisle_removed" : "org.grid.aisle_added", { number });
    onChange(changed(section, { aisles: next, aislesText: null }), words);
    return tell(words);
  }

  function toggleBlocked(section, { top, bottom, from, to }) {
    const keys = [];
    for (let row = top; row <= bottom; row += 1) for (let n = from; n <= to; n += 1) keys.push(placeKey(row, n));
    const free = keys.every((key) => section.blocked.has(key));
    const blocked = new Set(section.blocked);
    for (const key of keys) {
      if (free) blocked.delete(key);
      else blocked.add(key);
    }
    const [first, last] = [`${rowLetters(top)}-${from}`, `${rowLetters(bottom)}-${to}`];
    const words = keys.length === 1
      ? t(free ? "org.grid.unblocked_one" : "org.grid.blocked_one", { place: first })
      : t(free ? "org.grid.unblocked_many" : "org.grid.blocked_many", { first, last, n: keys.length });
    const next = changed(section, { blocked, blockedText: null });
    onChange(next, words);
    return tell(`${words} ${t("org.map.for_sale", { n: measure(next).capacity })}`);
  }

  const input = listen(view, {
    apply,
    ranges: () => chosen.mode === "block",
    twoCorners: () => chosen.twoCorners,
    cornerSet: () => tell(t("org.grid.corner_set")),
  });

  const corners = h("button.org-corners", {
    type: "button",
    "aria-pressed": String(chosen.twoCorners),
    on: {
      click: () => {
        chosen.twoCorners = !chosen.twoCorners;
        corners.setAttribute("aria-pressed", String(chosen.twoCorners));
        input.reset();
        fill(say, chosen.twoCorners ? t("org.grid.corner_first") : "");
      },
    },
  }, t("org.grid.two_corners"));
  const mode = (value, text) => h("label.org-choice",
    h("input", {
      type: "radio", name: "org-mode", value, checked: chosen.mode === value,
      on: {
        change: () => {
          chosen.mode = value;
          corners.hidden = value !== "block";
          input.reset();
          fill(say);
        },
      },
    }), text);
  corners.hidden = chosen.mode !== "block";

  const element = append(h("div.org-seat-grid"), [
    h("div.org-grid-tools",
      h("fieldset.org-choices", h("legend.unseen", t("org.grid.mode")),
        mode("block", t("org.grid.mode_block")), mode("aisle", t("org.grid.mode_aisle"))),
      corners),
    h("p.org-stage", { "aria-hidden": "true" }, t("org.grid.stage")),
    view.element,
    h("div.org-legend", { "aria-hidden": "true" },
      h("span", h("i.org-key"), t("org.grid.seat")), h("span", h("i.org-key.blocked"), t("org.grid.blocked")),
      h("span", h("i.org-key.aisle"), t("org.grid.aisle"))),
    say,
    h("details.org-help", h("summary", t("org.grid.help")),
      h("p", { id: helpId }, t("org.grid.help_keys")), h("p", t("org.grid.help_mouse"))),
  ]);
  return { element, show: (section) => view.show(section) };
}
