// Where the places of a section are drawn, in pixels. Column 0 and row -1 are the headers.

export const HEAD = 48;
const AISLE = 20;

/** Fingers need larger places than a mouse. */
const placeSize = () => (matchMedia("(pointer: coarse)").matches ? 40 : 32);

export class Geometry {
  constructor({ rows, seats, aisles }) {
    this.rows = rows;
    this.seats = seats;
    this.aisles = aisles;
    this.size = placeSize();
    this.width = this.left(seats) + this.size + 12;
    this.height = HEAD + rows * this.size + 8;
  }

  /** Whether it looks the same. */
  same({ rows, seats, aisles }) {
    return this.rows === rows && this.seats === seats && String(this.aisles) === String(aisles);
  }

  /** The left edge of a seat number. */
  left(number) {
    let before = 0;
    while (before < this.aisles.length && this.aisles[before] < number) before += 1;
    return HEAD + (number - 1) * this.size + before * AISLE;
  }

  top(row) {
    return HEAD + row * this.size;
  }

  /** The seat number at x; the nearest when there is none. */
  numberAt(x) {
    let low = 1;
    let high = this.seats;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.left(middle) <= x) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The row at y; the nearest when there is none. */
  rowAt(y) {
    return Math.min(Math.max(Math.floor((y - HEAD) / this.size), 0), this.rows - 1);
  }

  /** What two corners span: `{top, bottom, from, to}`. A header stands for its whole row or column. */
  span(a, b) {
    const all = { rows: a.row < 0, seats: a.number < 1 };
    return {
      top: all.rows ? 0 : Math.max(Math.min(a.row, b.row), 0),
      bottom: all.rows ? this.rows - 1 : Math.max(a.row, b.row, 0),
      from: all.seats ? 1 : Math.max(Math.min(a.number, b.number), 1),
      to: all.seats ? this.seats : Math.max(a.number, b.number, 1),
    };
  }
}
