// A show's stream, folded: where every ticket was behind each of its events. Each event is kept with the seats that it
// moved and where they were before, so that going one back costs as much as going one on, and nothing is folded anew:
// better than checkpoints, which have to be copied, and from which it is a way to go.

import { FREE, HELD, SOLD, SeatMap } from "../seatmap/model.js";
import { major } from "./values.js";
import { capacityOf, nameOf } from "./words.js";

const AFTER = { tickets_held: HELD, hold_released: FREE, tickets_sold: SOLD, tickets_returned: FREE };

export class ShowHistory {
  /** Events as the API gives them, in order. */
  records = [];
  /** Of the first event: `{name, venue, starts_at_ms, price, layout, …}`; null when it cannot be read. */
  scheduled = null;
  /** The seats as they stood behind the event `at`; null without numbered seats. */
  map = null;
  at = -1;
  /** The first event whose tally is not what the seats say, or does not add up to the capacity; -1 when all do. */
  wrong = -1;

  #states = [];
  #moves = [];
  #end = null;
  #counts = [0, 0, 0];

  get length() {
    return this.records.length;
  }

  /** Appends events that follow the last. */
  add(records) {
    for (const record of records) {
      const index = this.records.push(record) - 1;
      this.#take(record, index);
    }
    if (this.at < 0 && this.length > 0) this.moveTo(0);
  }

  #take(record, index) {
    const before = this.#states[index - 1];
    const name = nameOf(record.tipo);
    const data = record.datos ?? {};
    if (name === "show_scheduled" && this.scheduled === null) this.#begin(data);
    const tally = data.tally ?? before?.tally ?? { free: this.capacity, held: 0, sold: 0 };
    // Readers do not see an adopted hold: it leaves their revision as it is.
    const seen = data.tally || name === "show_scheduled";
    this.#states.push({
      tally,
      cancelled: before?.cancelled || name === "show_cancelled",
      revision: seen ? record.revision : before?.revision ?? 0,
    });
    this.#moves.push(this.#move(name, data));
    if (this.wrong < 0 && !this.#adds(tally)) this.wrong = index;
  }

  #begin(data) {
    this.scheduled = data;
    if (data.layout?.kind === "general") return;
    const plan = planOf(data);
    if (!plan) return;
    this.map = SeatMap.fromPlan(plan);
    this.#end = this.map.states.slice();
    this.#counts[FREE] = this.map.counts().free;
  }

  #move(name, data) {
    const after = AFTER[name];
    if (after === undefined || !this.map || !data.seats?.length) return null;
    const seats = Int32Array.from(data.seats, (seat) => this.map.indexOf(seat)).filter((seat) => seat >= 0);
    const before = Uint8Array.from(seats, (seat) => this.#end[seat]);
    seats.forEach((seat) => {
      this.#counts[this.#end[seat]] -= 1;
      this.#counts[after] += 1;
      this.#end[seat] = after;
    });
    return { seats, before, after };
  }

  #adds({ free, held, sold }) {
    if (!this.scheduled) return true;
    if (free + held + sold !== this.capacity) return false;
    return !this.map || (free === this.#counts[FREE] && held === this.#counts[HELD] && sold === this.#counts[SOLD]);
  }

  /** How many tickets there are. */
  get capacity() {
    return this.scheduled ? capacityOf(this.scheduled.layout) : 0;
  }

  /** `{tally, cancelled, revision}` behind an event; `revision` is that of the last event that readers see. */
  stateAt(index) {
    return this.#states[index];
  }

  /** Goes to an event. Returns the seats that are another way now. */
  moveTo(index) {
    const changed = new Set();
    if (this.map) {
      for (; this.at < index; this.at += 1) this.#apply(this.#moves[this.at + 1], changed, true);
      for (; this.at > index; this.at -= 1) this.#apply(this.#moves[this.at], changed, false);
    }
    this.at = index;
    return changed;
  }

  #apply(move, changed, forward) {
    if (!move) return;
    // Backwards from the last: should an event ever name a seat twice, the first is what it was.
    for (let i = 0; i < move.seats.length; i += 1) {
      const at = forward ? i : move.seats.length - 1 - i;
      if (this.map.set(move.seats[at], forward ? move.after : move.before[at])) changed.add(move.seats[at]);
    }
  }

  /** The last event at or before a position of the log; -1 when all come after it. */
  indexAtPosition(position) {
    return this.#lastWhere((record) => record.posicion <= position);
  }

  /** The last event decided at or before a time, as the server counts: up to the first that is later. */
  indexAtTime(ms) {
    const later = this.records.findIndex(({ en }) => Date.parse(en) > ms);
    return (later < 0 ? this.length : later) - 1;
  }

  #lastWhere(holds) {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.records[middle])) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function planOf({ layout, price }) {
  if (!Array.isArray(layout?.sections)) return null;
  return {
    precio: major(price),
    secciones: layout.sections.map((section) => ({
      nombre: section.name,
      filas: section.rows,
      asientos_por_fila: section.seats_per_row,
      precio: section.price ? major(section.price) : undefined,
      pasillos: section.aisles,
      bloqueados: section.blocked,
    })),
  };
}
