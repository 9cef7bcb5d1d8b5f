// Somebody looks at a show: what is known of it, what they have chosen, what is held for them. No elements here; the parts
// of the page listen to what happens.

import { FREE, HELD } from "../seatmap/model.js";
import * as session from "../session.js";
import { sum, times } from "./show_money.js";
import { choiceOf } from "./show_store.js";

/** How many seats a hold can name, and how many tickets it can have otherwise. */
const MOST_NAMED = 100;
const MOST_COUNTED = 1_000;

/**
 * Events, with what they bring: `tally`, `live` (bool), `seats` (changed indices, or null for all), `selection`,
 * `lost` (names), `mode`.
 */
export class Visit {
  #listeners = new Map();
  /** While a hold is asked for, its seats become held: that is no loss. */
  #asking = false;
  selected = new Set();
  own = new Set();
  hold = null;
  /** When the hold ends, by this machine's clock. */
  deadline = 0;
  live = true;

  constructor(show, map) {
    this.show = show;
    this.map = map;
    this.kept = choiceOf(show.evento_id);
    const { quantity, section } = this.kept.get();
    this.quantity = Math.min(Math.max(1, quantity), this.limit);
    this.section = map?.byName.has(section) ? section : "";
  }

  on(name, listener) {
    const all = this.#listeners.get(name) ?? [];
    this.#listeners.set(name, [...all, listener]);
  }

  tell(name, value) {
    for (const listener of this.#listeners.get(name) ?? []) listener(value);
  }

  /** `choosing`, `held`, or `closed`: cancelled or begun. What was held before it began can still be paid. */
  get mode() {
    if (this.hold && this.show.estado !== "cancelado") return "held";
    return this.show.estado === "activo" ? "choosing" : "closed";
  }

  get numbered() {
    return this.map !== null;
  }

  /** How many tickets can be taken at once. */
  get limit() {
    return Math.min(this.show.max_por_usuario, MOST_COUNTED);
  }

  get seatLimit() {
    return Math.min(this.show.max_por_usuario, MOST_NAMED);
  }

  /** Chosen seats in their order. */
  get seats() {
    return [...this.selected].sort((a, b) => a - b);
  }

  /** What the chosen seats cost together. */
  get total() {
    return this.numbered ? sum(this.seats.map((index) => this.map.priceOf(index))) : times(this.show.precio, this.quantity);
  }

  /** Takes up what was chosen before, as far as it is still free; the names of what is not. */
  resume() {
    if (!this.numbered) return [];
    const { seats, paid } = this.kept.get();
    const lost = [];
    for (const name of seats) {
      const index = this.map.indexOf(name);
      if (index < 0) continue;
      if (this.map.states[index] === FREE) this.selected.add(index);
      else if (!this.own.has(index)) lost.push(name);
    }
    this.#keepSeats();
    this.kept.update({ paid: false });
    return paid ? [] : lost;
  }

  /** Chooses a seat or takes it back. False when that would be one too many. */
  toggle(index) {
    if (this.selected.delete(index)) {
      this.#chosen([index]);
      return true;
    }
    if (this.selected.size >= this.seatLimit) return false;
    this.selected.add(index);
    this.#chosen([index]);
    return true;
  }

  /** Chooses exactly these seats. */
  choose(indices) {
    const touched = [...this.selected, ...indices];
    this.selected.clear();
    for (const index of indices) this.selected.add(index);
    this.#chosen(touched);
  }

  count(quantity, section = this.section) {
    this.quantity = quantity;
    this.section = section;
    this.kept.update({ quantity, section });
    this.tell("selection");
  }

  #chosen(touched) {
    this.#keepSeats();
    this.tell("seats", touched);
    this.tell("selection");
  }

  #keepSeats() {
    this.kept.update({ seats: this.seats.map((index) => this.map.nameOf(index)) });
  }

  /** The numbers of the show as they are now. */
  tally(tally) {
    const before = this.mode;
    for (const name of ["estado", "entradas_disponibles", "entradas_retenidas", "entradas_vendidas"]) {
      if (tally[name] !== undefined) this.show[name] = tally[name];
    }
    this.tell("tally");
    // Cancelling released it.
    if (this.hold && this.show.estado === "cancelado") this.over();
    else if (this.mode !== before) this.tell("mode");
  }

  /** Seats that changed. */
  change(changes) {
    const changed = this.map.apply(changes);
    if (changed.length > 0) this.#changed(changed);
  }

  /** All seats anew. True when it is another plan altogether. */
  replace(map) {
    const changed = this.map.become(map);
    if (changed === null) return true;
    if (changed.length > 0) this.#changed(changed);
    return false;
  }

  #changed(indices) {
    this.tell("seats", indices);
    this.#dropTaken();
  }

  /** Chosen seats that somebody else has now leave the choice. */
  #dropTaken() {
    if (this.#asking) return;
    const taken = this.seats.filter((index) => this.map.states[index] !== FREE);
    if (taken.length === 0) return;
    this.drop(taken);
    this.tell("lost", taken.map((index) => this.map.nameOf(index)));
  }

  /** Takes seats out of the choice. */
  drop(indices) {
    for (const index of indices) this.selected.delete(index);
    this.#chosen(indices);
  }

  /** The server says that these seats are somebody else's. */
  taken(names) {
    const seats = names.map((name) => this.map.indexOf(name)).filter((index) => index >= 0 && this.map.states[index] === FREE);
    for (const index of seats) this.map.set(index, HELD);
    this.tell("seats", seats);
  }

  isLive(live) {
    if (live === this.live) return;
    this.live = live;
    this.tell("live", live);
  }

  /** Runs `ask`, which asks for a hold, and looks afterwards what became of the chosen seats. */
  async whileAsking(ask) {
    this.#asking = true;
    try {
      return await ask();
    } finally {
      this.#asking = false;
      if (this.numbered) this.#dropTaken();
    }
  }

  /** Tickets are held: `serverTime` is the server's clock when it said so. */
  held(hold, serverTime) {
    // The same that is shown already: only the clock is set, and nobody loses their place.
    const isShown = this.hold?.bloqueo_id === hold.bloqueo_id && this.deadline > Date.now();
    this.deadline = Date.now() + new Date(hold.expira_en).getTime() - (serverTime ?? Date.now());
    if (isShown) {
      this.kept.update({ hold });
      return;
    }
    this.hold = hold;
    this.#own(hold.asientos ?? []);
    if (this.numbered) this.choose([]);
    this.kept.update({ hold, holding: null });
    this.tell("mode");
  }

  /** The hold is over: paid, given back, or its time is up. */
  over({ paid = false } = {}) {
    const was = this.hold;
    const own = [...this.own];
    this.hold = null;
    this.own.clear();
    this.kept.update({ hold: null, holding: null, paying: null, paid, ...(paid ? { seats: was?.asientos ?? [] } : {}) });
    if (own.length > 0) this.tell("seats", own);
    this.tell("mode");
    return was;
  }

  #own(names) {
    if (!this.numbered) return;
    const seats = names.map((name) => this.map.indexOf(name)).filter((index) => index >= 0);
    this.own.clear();
    for (const index of seats) this.own.add(index);
    this.tell("seats", seats);
  }

  /** What was given back can be chosen at once, before the news of it comes. */
  freed(names) {
    if (!this.numbered) return;
    const seats = (names ?? []).map((name) => this.map.indexOf(name)).filter((index) => index >= 0);
    for (const index of seats) this.map.set(index, FREE);
    this.choose(seats);
  }

  /** A hold is kept, but nobody is logged in who could pay for it. */
  heldByStranger() {
    const { hold } = this.kept.get();
    return hold !== null && !session.loggedIn() && new Date(hold.expira_en).getTime() > Date.now();
  }

  /** The hold that is kept, if it belongs to who is here. */
  keptHold() {
    const { hold } = this.kept.get();
    return hold && hold.usuario_id === session.current().userId ? hold : null;
  }
}
