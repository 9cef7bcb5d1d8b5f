// Seats close by: every kind of seat, with its number, is drawn once for a size and then stamped. Shape and colour tell
// the kind: free is filled, held is hatched in a ring, sold is a small cross, chosen has a check mark, one's own is round.

/** The picture of all stamps: so large that a window's seats find room in it. */
const SIDE = 2048;
const MOST_PER_ROW = 32;
/** Seats smaller than this (CSS pixels) have no number. */
const SMALLEST_NUMBERED = 19;
const NUMBERED = new Set(["free", "held", "own"]);
const CODES = { free: 0, held: 1, sold: 2, none: 3, selected: 4, own: 5 };

export class Sprites {
  #at = new Map();
  #canvas = document.createElement("canvas");
  #context = this.#canvas.getContext("2d");
  #size = 0;
  #perRow = 1;

  /** Prepares for seats of `size` pixels of the screen, of which a CSS pixel has `density`. */
  prepare(size, density, palette, font) {
    const whole = Math.max(4, Math.round(size));
    this.numbered = size / density >= SMALLEST_NUMBERED;
    if (whole === this.#size && palette === this.palette && density === this.density && this.font === font) return;
    Object.assign(this, { palette, density, font });
    this.#size = whole;
    this.#perRow = Math.min(MOST_PER_ROW, Math.max(8, Math.floor(SIDE / whole)));
    this.#canvas.width = this.#perRow * whole;
    this.#canvas.height = this.#perRow * whole;
    this.#at.clear();
  }

  /**
   * Where the stamp is, made if need be. All that a picture needs are to be asked for before the first is stamped: a canvas
   * that is drawn to after it was drawn from is copied as a whole.
   */
  ready(kind, number) {
    const shown = this.numbered && NUMBERED.has(kind) ? number : 0;
    const key = shown * 8 + CODES[kind];
    let place = this.#at.get(key);
    if (place !== undefined) return place;
    if (this.#at.size >= this.#perRow * this.#perRow) {
      this.#at.clear();
      this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    }
    place = this.#at.size;
    this.#at.set(key, place);
    drawSeat(this.#context, kind, shown ? String(shown) : "", this.#left(place), this.#top(place), this.#size, this);
    return place;
  }

  /** Stamps a seat with its upper left corner at x, y (pixels of the screen). */
  stamp(context, kind, number, x, y) {
    const place = this.ready(kind, number);
    const size = this.#size;
    context.drawImage(this.#canvas, this.#left(place), this.#top(place), size, size, Math.round(x), Math.round(y), size, size);
  }

  #left(place) {
    return (place % this.#perRow) * this.#size;
  }

  #top(place) {
    return Math.floor(place / this.#perRow) * this.#size;
  }
}

/** Draws one seat; also for the legend. */
export function drawSeat(context, kind, number, x, y, size, { palette, font }) {
  const pad = Math.max(1, size * 0.08);
  const side = size - 2 * pad;
  const line = Math.max(1, size * 0.07);
  context.save();
  context.beginPath();
  context.rect(x, y, size, size);
  context.clip();
  context.translate(x + pad, y + pad);
  const box = (inset, corner = 0.26) => {
    context.beginPath();
    context.roundRect(inset, inset, side - 2 * inset, side - 2 * inset, side * corner);
  };
  context.lineWidth = line;
  context.lineCap = "round";
  let ink = palette.faint;
  if (kind === "free") {
    context.fillStyle = palette.free;
    box(0);
    context.fill();
    ink = palette["on-free"];
  } else if (kind === "held") {
    context.strokeStyle = palette.held;
    box(line / 2);
    context.stroke();
    context.clip();
    context.globalAlpha = number ? 0.45 : 0.8;
    context.lineWidth = line * 0.7;
    context.beginPath();
    for (let at = side * 0.3; at < side * 2; at += side * 0.34) {
      context.moveTo(at, 0);
      context.lineTo(at - side, side);
    }
    context.stroke();
    context.globalAlpha = 1;
    ink = palette.ink;
  } else if (kind === "sold") {
    context.strokeStyle = palette.sold;
    const [near, far] = [side * 0.34, side * 0.66];
    context.beginPath();
    context.moveTo(near, near);
    context.lineTo(far, far);
    context.moveTo(far, near);
    context.lineTo(near, far);
    context.stroke();
  } else if (kind === "selected") {
    context.fillStyle = palette.selected;
    box(0);
    context.fill();
    context.strokeStyle = palette["on-selected"];
    context.lineWidth = Math.max(1.5, side * 0.13);
    context.lineJoin = "round";
    context.beginPath();
    context.moveTo(side * 0.26, side * 0.53);
    context.lineTo(side * 0.43, side * 0.7);
    context.lineTo(side * 0.75, side * 0.32);
    context.stroke();
  } else if (kind === "own") {
    context.fillStyle = palette.own;
    box(0, 0.5);
    context.fill();
    context.strokeStyle = palette["on-own"];
    box(side * 0.12, 0.5);
    context.stroke();
    ink = palette["on-own"];
  } else {
    context.strokeStyle = palette.line;
    context.setLineDash([line * 2, line * 2]);
    box(line / 2);
    context.stroke();
  }
  if (number) {
    const text = side * (number.length > 3 ? 0.3 : number.length > 2 ? 0.38 : 0.46);
    context.font = `600 ${text}px ${font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = ink;
    context.fillText(number, side / 2, side / 2 + text * 0.06);
  }
  context.restore();
}
