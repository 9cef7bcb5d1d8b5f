// Where the keyboard is on the map: moving from seat to seat, row to row, section to section.

import { FREE, NONE } from "./model.js";

export class Cursor {
  /** @param {() => boolean} everyPlace whether places without a seat are stops, too */
  constructor(map, layout, everyPlace) {
    this.map = map;
    this.layout = layout;
    this.everyPlace = everyPlace;
    this.index = -1;
  }

  /** Somewhere to begin: a free seat if there is one. */
  begin() {
    if (this.index >= 0) return;
    const free = this.map.states.indexOf(FREE);
    this.index = free >= 0 ? free : this.map.states.findIndex((state) => this.#stops(state));
  }

  /** One seat to the left or right, over what is not a seat. False when the row ends. */
  along(step) {
    const { section, row, number } = this.map.placeOf(this.index);
    const first = section.first + row * section.seatsPerRow;
    for (let seat = number - 1 + step; seat >= 0 && seat < section.seatsPerRow; seat += step) {
      if (this.#stops(this.map.states[first + seat])) return this.#go(first + seat);
    }
    return false;
  }

  /** To the row's first or last seat. */
  edge(last) {
    const { section, row } = this.map.placeOf(this.index);
    const first = section.first + row * section.seatsPerRow;
    const seat = this.#nearest(first, section.seatsPerRow, last ? section.seatsPerRow - 1 : 0);
    return seat >= 0 && this.#go(seat);
  }

  /** One row back or forth, to the seat that is nearest there; past the section's edge to the next section that way. */
  across(step) {
    const { sectionIndex, section, row, number } = this.map.placeOf(this.index);
    for (let next = row + step; next >= 0 && next < section.rows; next += step) {
      const seat = this.#nearest(section.first + next * section.seatsPerRow, section.seatsPerRow, number - 1);
      if (seat >= 0) return this.#go(seat);
    }
    return this.#neighbour(sectionIndex, step, number);
  }

  /** To the next or previous section that has a seat. */
  section(step) {
    const { sections } = this.map;
    for (let next = this.map.sectionOf(this.index) + step; next >= 0 && next < sections.length; next += step) {
      if (this.intoSection(next)) return true;
    }
    return false;
  }

  /** To a section's first free seat, or its first seat. */
  intoSection(index) {
    const section = this.map.sections[index];
    const states = this.map.states.subarray(section.first, section.first + section.rows * section.seatsPerRow);
    const free = states.indexOf(FREE);
    const seat = free >= 0 ? free : states.findIndex((state) => this.#stops(state));
    return seat >= 0 && this.#go(section.first + seat);
  }

  /** Into the section above or below which is nearest to where we are. */
  #neighbour(from, step, number) {
    const here = this.layout.sections[from];
    const x = here.x + here.columnOf[number - 1];
    let best = null;
    this.layout.sections.forEach((box, index) => {
      const down = box.y - here.y;
      if (index === from || Math.sign(down) !== step) return;
      const aside = Math.max(box.x - x, x - (box.x + box.width), 0);
      const far = Math.abs(down) + aside * 3;
      if (!best || far < best.far) best = { far, index, box };
    });
    if (!best) return false;
    const section = this.map.sections[best.index];
    const wanted = Math.max(0, Math.min(section.seatsPerRow - 1, Math.round(x - best.box.x)));
    for (let i = 0; i < section.rows; i += 1) {
      const row = step > 0 ? i : section.rows - 1 - i;
      const seat = this.#nearest(section.first + row * section.seatsPerRow, section.seatsPerRow, wanted);
      if (seat >= 0) return this.#go(seat);
    }
    return false;
  }

  #nearest(first, count, wanted) {
    for (let off = 0; off < count; off += 1) {
      for (const seat of [wanted - off, wanted + off]) {
        if (seat >= 0 && seat < count && this.#stops(this.map.states[first + seat])) return first + seat;
      }
    }
    return -1;
  }

  #stops(state) {
    return state !== NONE || this.everyPlace();
  }

  #go(index) {
    this.index = index;
    return true;
  }
}
