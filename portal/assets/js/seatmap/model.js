// What is known of a show's seats: one byte a place, and counts by row and section, so that neither drawing nor telling
// "how many are free" has to look at every seat. Shared by the show's page, the organiser's preview and the auditor.

/** The letters of the compact form (`GET …/asientos?formato=compacto`), by the number that is kept for each. */
export const LETTERS = "lrvx";
export const FREE = 0;
export const HELD = 1;
export const SOLD = 2;
/** Not a seat: nothing is sold there. */
export const NONE = 3;

const LARGEST_MAP = 2_000_000;

/** Rows count A … Z, AA … : `rowLetters(0)` is `A`. */
export function rowLetters(row) {
  let letters = "";
  for (let rest = row + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters;
  }
  return letters;
}

/** The opposite of `rowLetters`; -1 when it is not one. */
export function rowOf(letters) {
  if (!/^[A-Z]{1,5}$/.test(letters)) return -1;
  let row = 0;
  for (const letter of letters) row = row * 26 + letter.charCodeAt(0) - 64;
  return row - 1;
}

/**
 * The states in a run-length text such as `120l3r2v4x`: an optional count, then a letter. Never more than `length`; what
 * the text leaves open is not a seat.
 */
export function decodeRuns(text, length) {
  const states = new Uint8Array(length).fill(NONE);
  eachRun(text, (at, count, state) => {
    if (at < length) states.fill(state, at, Math.min(at + count, length));
  });
  return states;
}

function eachRun(text, take) {
  let at = 0;
  let count = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code >= 48 && code <= 57) {
      count = count * 10 + code - 48;
    } else {
      const state = LETTERS.indexOf(text[i]);
      take(at, count || 1, state < 0 ? NONE : state);
      at += count || 1;
      count = 0;
    }
  }
}

/**
 * A seat map. Places are numbered over the whole show: sections in their order, rows front to back, seats left to right.
 * `states` (read only for others) has one of `FREE`, `HELD`, `SOLD`, `NONE` for each.
 */
export class SeatMap {
  /**
   * @param {{name: string, price: number, rows: number, seatsPerRow: number, aisles: number[]}[]} plans
   * @param {(index: number, length: number) => Uint8Array} statesOf a section's states
   * @param {number|null} version that of the show
   */
  constructor(plans, statesOf, version = null) {
    let first = 0;
    let firstRow = 0;
    this.version = version;
    /** `{name, price, rows, seatsPerRow, aisles, first, firstRow}`; `first` is its first place, rows count over the show. */
    this.sections = plans.map((plan) => {
      const section = { ...plan, first, firstRow };
      first += plan.rows * plan.seatsPerRow;
      firstRow += plan.rows;
      return section;
    });
    if (first > LARGEST_MAP) throw new RangeError("seat map too large");
    this.length = first;
    this.states = new Uint8Array(first);
    this.sections.forEach((section, index) => {
      this.states.set(statesOf(index, section.rows * section.seatsPerRow), section.first);
    });
    this.byName = new Map(this.sections.map((section, index) => [section.name, index]));
    /** Per row of the show: free, held, sold, none. */
    this.rowCounts = new Uint32Array(firstRow * 4);
    this.sectionCounts = new Uint32Array(this.sections.length * 4);
    this.sections.forEach((section, index) => this.#count(section, index));
  }

  /** From `GET …/asientos?formato=compacto`, or a `mapa` event of `…/cambios?formato=compacto`. */
  static fromCompact({ secciones, version = null }) {
    const plans = secciones.map((one) => ({
      name: one.nombre, price: one.precio, rows: one.filas, seatsPerRow: one.asientos_por_fila, aisles: one.pasillos ?? [],
    }));
    return new SeatMap(plans, (index, length) => decodeRuns(secciones[index].estados, length), version);
  }

  /** From what an organiser draws: `{precio, secciones: [{nombre, filas, asientos_por_fila, precio?, pasillos?, bloqueados?}]}`. */
  static fromPlan({ precio, secciones }) {
    const plans = secciones.map((one) => ({
      name: one.nombre, price: one.precio ?? precio, rows: one.filas, seatsPerRow: one.asientos_por_fila,
      aisles: one.pasillos ?? [],
    }));
    return new SeatMap(plans, (index, length) => {
      const states = new Uint8Array(length);
      for (const place of secciones[index].bloqueados ?? []) {
        const at = placeOf(place, plans[index]);
        if (at >= 0) states[at] = NONE;
      }
      return states;
    });
  }

  /** A copy that can be changed without changing this one. */
  clone() {
    return new SeatMap(
      this.sections.map(({ name, price, rows, seatsPerRow, aisles }) => ({ name, price, rows, seatsPerRow, aisles })),
      (index, length) => this.states.subarray(this.sections[index].first, this.sections[index].first + length),
      this.version,
    );
  }

  #count(section, index) {
    for (let row = 0; row < section.rows; row += 1) {
      const start = section.first + row * section.seatsPerRow;
      const at = (section.firstRow + row) * 4;
      for (let i = start; i < start + section.seatsPerRow; i += 1) this.rowCounts[at + this.states[i]] += 1;
      for (let state = 0; state < 4; state += 1) this.sectionCounts[index * 4 + state] += this.rowCounts[at + state];
    }
  }

  /** Takes over `[[section index, first place in section, "run text"], …]`; the indices of the seats that changed. */
  apply(changes) {
    const changed = [];
    for (const [sectionIndex, first, text] of changes) {
      const section = this.sections[sectionIndex];
      if (!section) continue;
      const end = section.first + section.rows * section.seatsPerRow;
      eachRun(text, (at, count, state) => {
        const from = section.first + first + at;
        for (let i = from; i < Math.min(from + count, end); i += 1) if (this.set(i, state)) changed.push(i);
      });
    }
    return changed;
  }

  /** Sets one seat (`FREE` …); true when it was something else. */
  set(index, state) {
    const before = this.states[index];
    if (before === state) return false;
    const { sectionIndex, section, row } = this.placeOf(index);
    this.states[index] = state;
    const at = (section.firstRow + row) * 4;
    this.rowCounts[at + before] -= 1;
    this.rowCounts[at + state] += 1;
    this.sectionCounts[sectionIndex * 4 + before] -= 1;
    this.sectionCounts[sectionIndex * 4 + state] += 1;
    return true;
  }

  /** Takes over all states of another map of the same plan; the indices that changed, or null when the plans differ. */
  become(other) {
    const same = this.sections.length === other.sections.length && this.sections.every((section, index) => {
      const theirs = other.sections[index];
      return section.name === theirs.name && section.price === theirs.price && section.rows === theirs.rows
        && section.seatsPerRow === theirs.seatsPerRow && String(section.aisles) === String(theirs.aisles);
    });
    if (!same) return null;
    const changed = [];
    for (let i = 0; i < this.length; i += 1) if (this.set(i, other.states[i])) changed.push(i);
    this.version = other.version;
    return changed;
  }

  /** `l` free, `r` held, `v` sold, `x` no seat. */
  stateAt(index) {
    return LETTERS[this.states[index]] ?? "x";
  }

  /** The section in which a seat is, as an index into `sections`. */
  sectionOf(index) {
    let low = 0;
    let high = this.sections.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.sections[middle].first <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Where a seat is: `{sectionIndex, section, row (from 0), number (from 1)}`. */
  placeOf(index) {
    const sectionIndex = this.sectionOf(index);
    const section = this.sections[sectionIndex];
    const place = index - section.first;
    const row = Math.floor(place / section.seatsPerRow);
    return { sectionIndex, section, row, number: place - row * section.seatsPerRow + 1 };
  }

  /** `Platea-A-12`. */
  nameOf(index) {
    const { section, row, number } = this.placeOf(index);
    return `${section.name}-${rowLetters(row)}-${number}`;
  }

  /** The seat of this name; -1 when there is none. */
  indexOf(name) {
    const found = /^(.*)-([A-Z]+-\d+)$/s.exec(name);
    const section = found && this.sections[this.byName.get(found[1])];
    if (!section) return -1;
    const at = placeOf(found[2], section);
    return at < 0 || this.states[section.first + at] === NONE ? -1 : section.first + at;
  }

  /** What a seat costs, in major units. */
  priceOf(index) {
    return this.sections[this.sectionOf(index)].price;
  }

  /** `{free, held, sold, total}` of a section, or of the whole show. */
  counts(sectionIndex) {
    const sum = (state) => (sectionIndex === undefined
      ? this.sections.reduce((all, _, index) => all + this.sectionCounts[index * 4 + state], 0)
      : this.sectionCounts[sectionIndex * 4 + state]);
    const [free, held, sold] = [sum(FREE), sum(HELD), sum(SOLD)];
    return { free, held, sold, total: free + held + sold };
  }

  /** The same of one row of a section. */
  rowCountsOf(sectionIndex, row) {
    const at = (this.sections[sectionIndex].firstRow + row) * 4;
    const [free, held, sold] = this.rowCounts.subarray(at, at + 3);
    return { free, held, sold, total: free + held + sold };
  }
}

/** `A-12` as a place in its section; -1 when there is none. */
function placeOf(text, { rows, seatsPerRow }) {
  const found = /^([A-Z]+)-([1-9]\d*)$/.exec(text);
  if (!found) return -1;
  const row = rowOf(found[1]);
  const number = Number(found[2]);
  return row < 0 || row >= rows || number > seatsPerRow ? -1 : row * seatsPerRow + number - 1;
}
