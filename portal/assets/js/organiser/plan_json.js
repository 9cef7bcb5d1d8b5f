// A room as a file: exactly the API's `mapa_asientos`, with the show's `precio` beside it if there is one. Reading either
// takes everything or names every fault with its place and takes nothing.

import { decimals, toMajor, toMinor } from "../currency.js";
import { jsonFault } from "./json_fault.js";
import { parseBlocked, placeName } from "./places.js";
import { MAX_AISLES, MAX_NAME, MAX_PLACES, MAX_SECTIONS, blockedKeys, makeSection, measure } from "./plan.js";
import { MAX_PRICE_MINOR, parsePrice, priceText, priceValues } from "./price.js";

/** How many faults are told; a file of thousands of wrong entries is not worth more. */
const MOST_FAULTS = 50;
/** Characters: ten times what the largest room needs. */
const LARGEST_FILE = 20_000_000;

/** The API's `mapa_asientos`. The sections have no faults. */
export function toApi(sections, currency) {
  return {
    secciones: sections.map((section) => {
      const { rows, seats, aisles } = measure(section);
      const one = { nombre: section.name.trim(), filas: rows, asientos_por_fila: seats };
      if (section.price.trim() !== "") one.precio = toMajor(parsePrice(section.price, currency).minor, currency);
      if (aisles.length > 0) one.pasillos = [...aisles];
      const blocked = blockedKeys(section);
      if (blocked.length > 0) one.bloqueados = blocked.map(placeName);
      return one;
    }),
  };
}

/** As a file for people and programs: one line a section. */
export function toFile(sections, currency, baseMinor) {
  const { secciones } = toApi(sections, currency);
  const price = baseMinor === null ? "" : `  "precio": ${JSON.stringify(toMajor(baseMinor, currency))},\n`;
  const lines = secciones.map((one) => `    ${JSON.stringify(one)}`).join(",\n");
  return `{\n${price}  "secciones": [\n${lines}\n  ]\n}\n`;
}

/** `{sections, priceMinor}` (null: the file does not say), or `{faults: [place, key, values][], more}`. */
export function fromFile(text, currency) {
  const faults = new Faults();
  if (text.length > LARGEST_FILE) return faults.tell("", "file_large", {}).end();
  const bare = text.replace(/^\uFEFF/, "");
  let value;
  try {
    value = JSON.parse(bare);
  } catch {
    return faults.tell("", bare.trim() === "" ? "nothing" : "not_json", jsonFault(bare)).end();
  }
  if (!isObject(value)) return faults.tell("", "not_object", {}).end();
  if (isObject(value.mapa_asientos)) return faults.tell("mapa_asientos", "whole_show", {}).end();
  knownFields(value, ["secciones", "precio"], "", faults);
  const priceMinor = has(value, "precio") ? readPrice(value.precio, currency, "precio", faults) : null;
  const sections = readSections(value.secciones, currency, faults);
  return faults.end({ sections, priceMinor });
}

class Faults {
  list = [];
  more = 0;

  tell(place, key, values) {
    if (this.list.length < MOST_FAULTS) this.list.push([place, key, values]);
    else this.more += 1;
    return this;
  }

  end(result) {
    return this.list.length > 0 ? { faults: this.list, more: this.more } : result;
  }
}

/** A value as it stands in the file, and not too much of it. */
const asWritten = (value) => JSON.stringify(value).slice(0, 40);
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
/** `null` is the same as absent, as for the API. */
const has = (object, name) => Object.hasOwn(object, name) && object[name] !== null;

/** A field that the API would pass over would be lost without a word: rather a fault. */
function knownFields(object, names, place, faults) {
  for (const name of Object.keys(object)) {
    if (!names.includes(name)) faults.tell(join(place, name), "unknown_field", { names: names.join(", ") });
  }
}

const join = (place, name) => (place ? `${place}.${name}` : name);

function readSections(value, currency, faults) {
  if (!Array.isArray(value)) {
    faults.tell("secciones", value === undefined || value === null ? "missing" : "not_list", {});
    return [];
  }
  if (value.length === 0) faults.tell("secciones", "no_sections", {});
  if (value.length > MAX_SECTIONS) {
    faults.tell("secciones", "too_many_sections", { max: MAX_SECTIONS, found: value.length });
    return [];
  }
  const names = new Map();
  const sections = [];
  let places = 0;
  value.forEach((one, index) => {
    const place = `secciones[${index}]`;
    if (!isObject(one)) {
      faults.tell(place, "not_object", {});
      return;
    }
    const section = readSection(one, place, currency, faults);
    if (section.name !== "" && names.has(section.name)) {
      faults.tell(`${place}.nombre`, "name_twice_at", { name: section.name, other: names.get(section.name) });
    } else {
      names.set(section.name, place);
    }
    places += section.rows * section.seats;
    if (places > MAX_PLACES) return;
    sections.push(makeSection({ ...section, rows: String(section.rows), seats: String(section.seats) }));
  });
  if (places > MAX_PLACES) faults.tell("secciones", "too_many_places", { max: MAX_PLACES, found: places });
  return sections;
}

function readSection(one, place, currency, faults) {
  knownFields(one, ["nombre", "filas", "asientos_por_fila", "precio", "pasillos", "bloqueados"], place, faults);
  const name = readName(one, `${place}.nombre`, faults);
  const rows = readSize(one, "filas", place, faults);
  const seats = readSize(one, "asientos_por_fila", place, faults);
  const minor = has(one, "precio") ? readPrice(one.precio, currency, `${place}.precio`, faults) : null;
  const aisles = readAisles(one.pasillos ?? [], seats, `${place}.pasillos`, faults);
  const blocked = readBlocked(one.bloqueados ?? [], rows, seats, `${place}.bloqueados`, faults);
  return { name, rows, seats, price: minor === null ? "" : priceText(minor, currency), aisles, blocked };
}

function readName(one, place, faults) {
  if (!has(one, "nombre")) faults.tell(place, "missing", {});
  else if (typeof one.nombre !== "string") faults.tell(place, "not_text", {});
  else {
    const name = one.nombre.trim();
    if (name === "") faults.tell(place, "name_missing", {});
    else if ([...name].length > MAX_NAME) faults.tell(place, "name_long", { max: MAX_NAME });
    else if (/\p{Cc}/u.test(name)) faults.tell(place, "name_control", {});
    else return name;
  }
  return "";
}

function readSize(one, name, place, faults) {
  const value = one[name];
  if (!has(one, name)) faults.tell(`${place}.${name}`, "missing", {});
  else if (!Number.isInteger(value) || value < 1 || value > MAX_PLACES) faults.tell(`${place}.${name}`, "size", { max: MAX_PLACES });
  else return value;
  return 0;
}

function readPrice(value, currency, place, faults) {
  if (typeof value !== "number") faults.tell(place, "not_number", {});
  else if (value < 0) faults.tell(place, "price.negative", {});
  else {
    const minor = toMinor(value, currency);
    if (minor > MAX_PRICE_MINOR) faults.tell(place, "price.too_much", priceValues(currency));
    else if (toMajor(minor, currency) !== value) {
      faults.tell(place, decimals(currency) === 0 ? "price.no_decimals" : "price.decimals", priceValues(currency));
    } else return minor;
  }
  return null;
}

/** A size that is wrong (0) is told already and says nothing about what is inside. */
function readAisles(value, seats, place, faults) {
  if (!Array.isArray(value)) {
    faults.tell(place, "not_list", {});
    return [];
  }
  if (value.length > MAX_AISLES) faults.tell(place, "aisles_many", { max: MAX_AISLES });
  let last = 0;
  value.slice(0, MAX_AISLES).forEach((at, index) => {
    const here = `${place}[${index}]`;
    if (!Number.isInteger(at)) faults.tell(here, "aisle_unreadable", { part: asWritten(at) });
    else if (at < 1 || (seats > 0 && at >= seats)) faults.tell(here, "aisle_outside", { part: at, max: Math.max(seats - 1, 0) });
    else if (at <= last) faults.tell(here, "aisle_order", { part: at });
    else last = at;
  });
  return value;
}

function readBlocked(value, rows, seats, place, faults) {
  const blocked = new Set();
  if (!Array.isArray(value)) {
    faults.tell(place, "not_list", {});
    return blocked;
  }
  value.forEach((text, index) => {
    const here = `${place}[${index}]`;
    if (typeof text !== "string" || !/^[A-Z]{1,5}-[1-9]\d{0,5}$/.test(text.trim())) {
      faults.tell(here, "place_not_one", { part: asWritten(text) });
      return;
    }
    if (rows === 0 || seats === 0) return;
    const read = parseBlocked(text, rows, seats);
    if (read.faults) {
      faults.tell(here, ...read.faults[0]);
      return;
    }
    const [key] = read.blocked;
    if (blocked.has(key)) faults.tell(here, "place_twice", { part: text });
    blocked.add(key);
  });
  if (rows * seats > 0 && blocked.size >= rows * seats) faults.tell(place, "all_blocked", {});
  return blocked;
}
