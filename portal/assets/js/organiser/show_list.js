// The organiser's shows: those to come page by page, those past in stretches of time, the latest first (the API tells the
// soonest first, so what is past is asked for backwards).

import * as api from "../api.js";

const PATH = "/api/eventos";
const PAGE = 20;
const WHOLE_PAGE = 100;
const FIRST_STRETCH_MS = 180 * 24 * 3_600_000;
/** Shows of one stretch that are fetched at the most. */
const MOST_OF_A_STRETCH = 2_000;
/** A stretch with more than that is cut shorter, down to this. */
const SHORTEST_STRETCH_MS = 60_000;

/** Shows to come: `next()` gives the next page, `more` says whether there is another. */
export class Upcoming {
  constructor(q, now, signal) {
    this.query = { mios: true, q, desde: now.toISOString(), limite: PAGE };
    this.signal = signal;
    this.more = true;
  }

  async next() {
    const { data } = await api.get(PATH, { query: this.query, signal: this.signal });
    this.query = { ...this.query, cursor: data.cursor };
    this.more = data.cursor !== null && data.cursor !== undefined;
    return data.eventos;
  }
}

/** Shows that are past, the latest first. */
export class Past {
  constructor(q, now, signal) {
    this.until = now;
    this.stretch = FIRST_STRETCH_MS;
    this.base = { mios: true, q };
    this.signal = signal;
    this.more = true;
  }

  async next() {
    while (this.more) {
      const from = new Date(Math.max(this.until.getTime() - this.stretch, 0));
      const { found, isWhole } = await this.#all(from, this.until);
      // The oldest come first: of too many the latest would be missing.
      if (!isWhole && this.stretch > SHORTEST_STRETCH_MS) {
        this.stretch /= 4;
        continue;
      }
      this.until = from;
      this.stretch *= 2;
      const { data } = await this.#ask({ hasta: from.toISOString(), limite: 1 });
      this.more = from.getTime() > 0 && data.eventos.length > 0;
      if (found.length > 0) return found.reverse();
    }
    return [];
  }

  async #all(from, until) {
    const found = [];
    let cursor;
    do {
      const { data } = await this.#ask({ desde: from.toISOString(), hasta: until.toISOString(), limite: WHOLE_PAGE, cursor });
      found.push(...data.eventos);
      cursor = data.cursor;
    } while (cursor && found.length < MOST_OF_A_STRETCH);
    return { found, isWhole: !cursor };
  }

  #ask(query) {
    return api.get(PATH, { query: { ...this.base, ...query }, signal: this.signal });
  }
}
