// How a seat is said: the same words in the tooltip, to a screen reader, in the list and in the selection.

import { money, register, t } from "../i18n.js";
import texts from "../i18n/seatmap.js";
import { FREE, HELD, NONE, SOLD, rowLetters } from "./model.js";

register(texts);

/** What a seat is to the person who looks: `free`, `held`, `sold`, `none`, `selected`, `own`. */
export function kindOf(map, index, selected, own) {
  if (own?.has(index)) return "own";
  if (selected?.has(index)) return "selected";
  return KINDS[map.states[index]];
}
const KINDS = [];
KINDS[FREE] = "free";
KINDS[HELD] = "held";
KINDS[SOLD] = "sold";
KINDS[NONE] = "none";

const STATES = {
  free: "seat.libre", held: "seat.retenido", sold: "seat.vendido",
  none: "seatmap.state.none", selected: "seatmap.state.selected", own: "seatmap.state.own",
};

/** "libre", "elegido" … */
export const stateWord = (kind) => t(STATES[kind]);

/** "Platea, fila A, asiento 12". */
export function seatWords(map, index) {
  const { section, row, number } = map.placeOf(index);
  return t("seatmap.seat", { section: section.name, row: rowLetters(row), number: String(number) });
}

/** "Platea, fila A, asiento 12, libre, 49,90 USD". */
export function seatSentence(map, index, currency, kind) {
  const { section, row, number } = map.placeOf(index);
  return t("seatmap.seat_full", {
    section: section.name, row: rowLetters(row), number: String(number), state: stateWord(kind), price: money(section.price, currency),
  });
}

/** "Sección Platea, 49,90 USD, 120 libres". */
export function sectionSentence(map, sectionIndex, currency) {
  const section = map.sections[sectionIndex];
  return t("seatmap.section_full", {
    section: section.name, price: money(section.price, currency), n: map.counts(sectionIndex).free,
  });
}
