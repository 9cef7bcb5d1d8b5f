// Aisles and blocked places as text, for those who would rather type: `10, 20` and `A-1, C-5..C-9`. Two corners with two
// dots between them are everything in the rectangle: `A-1..T-1` is the first seat of rows A to T.

import { rowLetters, rowOf } from "../seatmap/model.js";

/** A place in a section as one number, whatever the section's size: changing the size moves nothing. */
const WIDTH = 131_072;
export const placeKey = (row, number) => row * WIDTH + number - 1;
export const rowOfKey = (key) => Math.floor(key / WIDTH);
export const numberOfKey = (key) => (key % WIDTH) + 1;
export const placeName = (key) => `${rowLetters(rowOfKey(key))}-${numberOfKey(key)}`;

/** What is wrong is told a few times, not a thousand times. */
const MOST_FAULTS = 20;
const PLACE = /^([A-Z]{1,5})-?(\d{1,6})$/;

const parts = (text) => text.replace(/\s*(\.\.|…)\s*/g, "..").split(/[\s,;]+/).filter((part) => part !== "");

/** `{aisles}` ascending, or `{faults: [key, values][]}`. */
export function parseAisles(text, seats, most) {
  const aisles = new Set();
  const faults = [];
  for (const part of parts(text)) {
    const number = /^\d{1,6}$/.test(part) ? Number(part) : NaN;
    if (Number.isNaN(number)) faults.push(["aisle_unreadable", { part }]);
    else if (number < 1 || number >= seats) faults.push(["aisle_outside", { part, max: Math.max(seats - 1, 0) }]);
    else aisles.add(number);
    if (faults.length >= MOST_FAULTS) break;
  }
  if (aisles.size > most) faults.push(["aisles_many", { max: most }]);
  return faults.length > 0 ? { faults } : { aisles: [...aisles].sort((a, b) => a - b) };
}

/** `{blocked}`, keys of places, or `{faults: [key, values][]}`. */
export function parseBlocked(text, rows, seats) {
  const blocked = new Set();
  const faults = [];
  for (const part of parts(text)) {
    if (faults.length >= MOST_FAULTS) break;
    const [from, to = from, more] = part.split("..");
    const first = readPlace(from);
    // `C-5..9` stays in row C.
    const last = readPlace(/^\d+$/.test(to) && first ? `${rowLetters(first.row)}-${to}` : to);
    if (!first || !last || more !== undefined) {
      faults.push(["place_unreadable", { part }]);
      continue;
    }
    const outside = [first, last].find((place) => place.row >= rows || place.number > seats);
    if (outside) {
      const name = `${rowLetters(outside.row)}-${outside.number}`;
      faults.push(["place_outside", { part: name, last: rows && seats ? `${rowLetters(rows - 1)}-${seats}` : "–" }]);
    } else if (last.row < first.row || last.number < first.number) {
      faults.push(["range_backwards", { part }]);
    } else {
      for (let row = first.row; row <= last.row; row += 1) {
        for (let number = first.number; number <= last.number; number += 1) blocked.add(placeKey(row, number));
      }
    }
  }
  return faults.length > 0 ? { faults } : { blocked };
}

function readPlace(text) {
  const found = PLACE.exec(text.toUpperCase());
  const number = found ? Number(found[2]) : 0;
  return number > 0 ? { row: rowOf(found[1]), number } : null;
}

/** Blocked places (ascending keys) as short as they can be written. */
export function blockedText(keys) {
  const done = [];
  // Runs that the row above has, too, become one rectangle with it.
  let open = new Map();
  for (const [row, runs] of runsByRow(keys)) {
    const here = new Map();
    for (const [from, to] of runs) {
      const above = open.get(`${from}:${to}`);
      const rectangle = above?.last === row - 1 ? above : { first: row, last: row, from, to };
      rectangle.last = row;
      if (rectangle.first === row) done.push(rectangle);
      here.set(`${from}:${to}`, rectangle);
    }
    open = here;
  }
  return done.flatMap(({ first, last, from, to }) => {
    const start = `${rowLetters(first)}-${from}`;
    const end = `${rowLetters(last)}-${to}`;
    if (start === end) return [start];
    const two = (last - first + 1) * (to - from + 1) === 2;
    return two ? [start, end] : [`${start}..${end}`];
  }).join(", ");
}

function runsByRow(keys) {
  const rows = new Map();
  for (const key of keys) {
    const [row, number] = [rowOfKey(key), numberOfKey(key)];
    const runs = rows.get(row) ?? rows.set(row, []).get(row);
    const last = runs.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  return rows;
}
