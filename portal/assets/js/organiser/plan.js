// A room while it is being drawn. Everything here is immutable: a change makes new objects and leaves the old ones to the
// undo history. What was typed is kept as text, so that nothing is lost while it is not yet right.

import { parsePrice, priceValues } from "./price.js";
import { blockedText, numberOfKey, parseAisles, parseBlocked, rowOfKey } from "./places.js";

/** Limits of the API. */
export const MAX_PLACES = 100_000;
export const MAX_SECTIONS = 1_000;
export const MAX_NAME = 40;
export const MAX_AISLES = 100;

const NOTHING = new Set();
let counter = 0;

/**
 * A section: `{id, name, rows, seats, price}` as typed (text), `aisles` (ascending numbers) and `blocked` (keys of
 * places). `aislesText` and `blockedText` are what was typed there while it cannot be read, else null.
 */
export function makeSection(parts = {}) {
  counter += 1;
  return settle({
    name: "", rows: "10", seats: "20", price: "", aisles: [], blocked: NOTHING, aislesText: null, blockedText: null,
    ...parts,
    id: `s${counter}`,
  });
}

/** The section with something changed. */
export function changed(section, patch) {
  return settle({ ...section, ...patch });
}

/** What could not be read before may be readable now that the section has another size. */
function settle(section) {
  const { rows, seats } = sizeOf(section);
  if (section.aislesText !== null) {
    const read = parseAisles(section.aislesText, seats, MAX_AISLES);
    if (!read.faults) Object.assign(section, { aisles: read.aisles, aislesText: null });
  }
  if (section.blockedText !== null) {
    const read = parseBlocked(section.blockedText, rows, seats);
    if (!read.faults) Object.assign(section, { blocked: read.blocked, blockedText: null });
  }
  return Object.freeze(section);
}

/** A whole number as typed; null when it is none or out of range. */
export function wholeNumber(text, min, max) {
  const bare = String(text).trim();
  const value = /^\d{1,9}$/.test(bare) ? Number(bare) : NaN;
  return value >= min && value <= max ? value : null;
}

function sizeOf(section) {
  return { rows: wholeNumber(section.rows, 1, MAX_PLACES) ?? 0, seats: wholeNumber(section.seats, 1, MAX_PLACES) ?? 0 };
}

const measured = new WeakMap();

/**
 * What follows from a section: `{rows, seats, places, blocked, capacity, aisles}`, zeros where a size cannot be read.
 * Aisles and blocked places outside the present size do not count; they are back when the section grows again.
 */
export function measure(section) {
  let found = measured.get(section);
  if (!found) measured.set(section, (found = Object.freeze(measureAnew(section))));
  return found;
}

function measureAnew(section) {
  const { rows, seats } = sizeOf(section);
  const places = rows * seats;
  let blocked = 0;
  for (const key of section.blocked) if (rowOfKey(key) < rows && numberOfKey(key) <= seats) blocked += 1;
  return { rows, seats, places, blocked, capacity: places - blocked, aisles: section.aisles.filter((at) => at < seats) };
}

/** The blocked places that count, ascending: row by row. */
export function blockedKeys(section) {
  const { rows, seats } = measure(section);
  return [...section.blocked].filter((key) => rowOfKey(key) < rows && numberOfKey(key) <= seats).sort((a, b) => a - b);
}

const written = new WeakMap();

/** The blocked places as one types them: what was typed while it cannot be read, else as short as can be. */
export function blockedAsText(section) {
  if (section.blockedText !== null) return section.blockedText;
  let text = written.get(section);
  if (text === undefined) {
    // While the size is not right nothing is outside it.
    const keys = measure(section).places > 0 ? blockedKeys(section) : [...section.blocked].sort((a, b) => a - b);
    written.set(section, (text = blockedText(keys)));
  }
  return text;
}

/** The same of the aisles. */
export function aislesAsText(section) {
  const { seats, aisles } = measure(section);
  return section.aislesText ?? (seats > 0 ? aisles : section.aisles).join(", ");
}

/**
 * What is wrong with the plan: `Map` section id → `{field: [key, values]}` for the sections with faults, and
 * `whole: [key, values][]` for the plan. Keys are texts under `org.map.error.`.
 */
export function faultsOf(sections, currency) {
  const bySection = new Map();
  const names = new Map();
  for (const { id, name } of sections) {
    const plain = name.trim();
    if (!names.has(plain)) names.set(plain, id);
  }
  let places = 0;
  for (const section of sections) {
    const faults = { ...ownFaults(section, currency) };
    const plain = section.name.trim();
    if (!faults.name && names.get(plain) !== section.id) faults.name = ["name_twice", { name: plain }];
    if (Object.keys(faults).length > 0) bySection.set(section.id, faults);
    places += measure(section).places;
  }
  const whole = [];
  if (sections.length === 0) whole.push(["no_sections", {}]);
  if (sections.length > MAX_SECTIONS) whole.push(["too_many_sections", { max: MAX_SECTIONS, found: sections.length }]);
  if (places > MAX_PLACES) whole.push(["too_many_places", { max: MAX_PLACES, found: places }]);
  return { bySection, whole };
}

const known = new WeakMap();

/** Faults that a section has by itself; most sections are the same as a moment ago, so they are kept. */
function ownFaults(section, currency) {
  const kept = known.get(section);
  if (kept?.currency === currency) return kept.faults;
  const faults = findOwn(section, currency);
  known.set(section, { currency, faults });
  return faults;
}

function findOwn(section, currency) {
  const faults = {};
  const { rows, seats, places, capacity } = measure(section);
  const name = section.name.trim();
  if (name === "") faults.name = ["name_missing", {}];
  else if ([...name].length > MAX_NAME) faults.name = ["name_long", { max: MAX_NAME }];
  else if (/\p{Cc}/u.test(name)) faults.name = ["name_control", {}];
  if (rows === 0) faults.rows = ["size", { max: MAX_PLACES }];
  if (seats === 0) faults.seats = ["size", { max: MAX_PLACES }];
  if (places > MAX_PLACES) faults.seats = ["section_places", { max: MAX_PLACES, found: places }];
  if (section.price.trim() !== "") {
    const { fault } = parsePrice(section.price, currency);
    if (fault) faults.price = [`price.${fault}`, priceValues(currency)];
  }
  if (section.aislesText !== null) faults.aisles = parseAisles(section.aislesText, seats, MAX_AISLES).faults[0];
  else if (measure(section).aisles.length > MAX_AISLES) faults.aisles = ["aisles_many", { max: MAX_AISLES }];
  if (section.blockedText !== null) faults.blocked = parseBlocked(section.blockedText, rows, seats).faults[0];
  else if (places > 0 && capacity === 0) faults.blocked = ["all_blocked", {}];
  return faults;
}

/**
 * `{sections, places, blocked, capacity, valueMinor}` of the whole room; `valueMinor` is what a full house pays, null
 * while a price is missing or wrong. `baseMinor` is the show's price, or null.
 */
export function totals(sections, currency, baseMinor) {
  let [places, blocked, capacity, valueMinor] = [0, 0, 0, 0];
  for (const section of sections) {
    const size = measure(section);
    places += size.places;
    blocked += size.blocked;
    capacity += size.capacity;
    const own = section.price.trim() === "" ? baseMinor : (parsePrice(section.price, currency).minor ?? null);
    valueMinor = valueMinor === null || own === null ? null : valueMinor + own * size.capacity;
  }
  return { sections: sections.length, places, blocked, capacity, valueMinor };
}

/** A name that no section has: the same with the next number, `Palco 7` → `Palco 8`. */
export function freeName(wanted, sections) {
  const taken = new Set(sections.map((section) => section.name.trim()));
  const [, stem, digits] = /^(.*?)(?:\s+(\d{1,6}))?$/s.exec(wanted.trim());
  for (let n = digits ? Number(digits) + 1 : 2; ; n += 1) {
    const ending = ` ${n}`;
    const name = [...stem].slice(0, MAX_NAME - ending.length).join("").trimEnd() + ending;
    if (!taken.has(name)) return name;
  }
}
