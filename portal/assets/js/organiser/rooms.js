// Ready-made rooms to start from. Prices stay open: every section sells at the show's price until it is given its own.

import { t } from "../i18n.js";
import { parseBlocked } from "./places.js";
import { makeSection } from "./plan.js";

/** `[name, rows, seats, aisles, blocked]` */
function section([name, rows, seats, aisles = [], blocked = ""]) {
  return makeSection({
    name, rows: String(rows), seats: String(seats), aisles,
    ...(blocked ? { blocked: parseBlocked(blocked, rows, seats).blocked } : {}),
  });
}

/** So many sections alike, numbered from `first`. */
const several = (count, first, text, ...rest) =>
  Array.from({ length: count }, (_, index) => [t(text, { number: String(first + index) }), ...rest]);

const ROOMS = {
  theatre: () => [
    [t("org.room.stalls"), 14, 22, [6, 16], "A-1..A-3, A-20..A-22, B-1, B-22, N-10..N-13"],
    [t("org.room.circle"), 6, 26, [7, 19], "A-1, A-26"],
    ...several(8, 1, "org.room.box", 2, 3),
    [t("org.room.gallery"), 5, 28, [9, 19]],
  ],
  arena: () => [
    [t("org.room.floor"), 24, 40, [10, 20, 30], "A-18..B-23"],
    ...several(12, 101, "org.room.lower", 16, 22, [11]),
    ...several(16, 201, "org.room.upper", 18, 26, [13]),
  ],
  club: () => [
    ...several(8, 1, "org.room.table", 1, 4),
    [t("org.room.bar"), 1, 10],
    [t("org.room.sofas"), 2, 8, [4], "B-4, B-5"],
  ],
  stadium: () => several(60, 1, "org.room.sector", 25, 40, [20]),
  blank: () => [[`${t("org.map.new_name")} 1`, 10, 20]],
};

/** Those with something in them: keys of texts `org.room.name.*`. */
export const ROOM_KEYS = Object.keys(ROOMS).filter((key) => key !== "blank");

/** A room's sections, named in the reader's language. */
export function room(key) {
  return ROOMS[key]().map(section);
}
