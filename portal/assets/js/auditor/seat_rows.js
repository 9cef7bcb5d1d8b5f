// The seats of a moment as text: a table for each section, a line for each row, runs of seats in the same state.

import { fill, h } from "../dom.js";
import { number, t } from "../i18n.js";
import { FREE, HELD, SOLD, rowLetters } from "../seatmap/model.js";
import { table } from "../ui.js";

/** `1–5, 7` of the seats of a row that are in a state. */
function runs(map, section, row, state) {
  const found = [];
  const first = section.first + row * section.seatsPerRow;
  for (let seat = 0; seat < section.seatsPerRow; seat += 1) {
    if (map.states[first + seat] !== state) continue;
    const last = found.at(-1);
    if (last && last[1] === seat) last[1] = seat + 1;
    else found.push([seat + 1, seat + 1]);
  }
  return found.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(", ") || "—";
}

/** @returns {{element: HTMLElement, refresh: () => void}} */
export function seatRows(map) {
  const parts = map.sections.map((section, index) => {
    const counts = h("span.muted");
    const rows = h("div");
    const element = h("details.audit-section", h("summary", h("span.audit-section-name", section.name), " ", counts), rows);
    const draw = () => fill(rows, table(t("audit.seats.caption", { section: section.name }), [
      [t("audit.seats.row"), (row) => rowLetters(row)],
      [t("audit.tally.free"), (row) => runs(map, section, row, FREE)],
      [t("audit.tally.held"), (row) => runs(map, section, row, HELD)],
      [t("audit.tally.sold"), (row) => runs(map, section, row, SOLD)],
    ], Array.from({ length: section.rows }, (_, row) => row)));
    // A section that is closed costs nothing while the time moves.
    element.addEventListener("toggle", () => (element.open ? draw() : fill(rows)));
    return {
      element,
      refresh() {
        const { free, held, sold } = map.counts(index);
        counts.textContent = t("audit.value.tally", { free: number(free), held: number(held), sold: number(sold) });
        if (element.open) draw();
      },
    };
  });
  const refresh = () => parts.forEach((part) => part.refresh());
  refresh();
  return { element: h("div.audit-sections", parts.map((part) => part.element)), refresh };
}
