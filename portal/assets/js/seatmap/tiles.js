// Seats from afar: pictures of a section's seats, drawn once and then shown at any scale. A change repaints one cell.

import { FREE, HELD, NONE } from "./model.js";
import { drawSeat } from "./sprites.js";

/** Pixels and places along the side of a picture, at most. */
const SIDE_PIXELS = 1_024;
const SIDE = 128;
/** A seat has so many pixels in a picture at most. */
const LARGEST = 48;
const MOST_PIXELS = 12_000_000;
/** By the number of a state. */
const KINDS = ["free", "held", "sold", "none"];

export class Tiles {
  /** `sectionIndex|level|column|row` → `{canvas, context, pixels}`, least recently shown first. */
  #made = new Map();
  #pixels = 0;

  #samples = new Map();

  /** `everyPlace`: places without a seat are shown, too. */
  constructor(map, layout, everyPlace = false) {
    this.map = map;
    this.layout = layout;
    this.everyPlace = everyPlace;
    this.palette = null;
  }

  /** Everything is drawn anew. */
  clear(palette = this.palette) {
    this.palette = palette;
    this.#made.clear();
    this.#samples.clear();
    this.#pixels = 0;
  }

  /** Draws what is in sight of a section. */
  draw(context, sectionIndex, camera, density, sight) {
    const box = this.layout.sections[sectionIndex];
    const level = levelFor(camera.k * density);
    const side = sideOf(level);
    const [fromColumn, toColumn] = [Math.max(0, sight.x - box.x), Math.min(box.width, sight.x + sight.width - box.x)];
    const [fromRow, toRow] = [Math.max(0, sight.y - box.y), Math.min(box.height, sight.y + sight.height - box.y)];
    // On whole pixels: sharp, and without seams.
    const snap = (at) => Math.round(at * density) / density;
    for (let row = Math.floor(fromRow / side); row * side < toRow; row += 1) {
      for (let column = Math.floor(fromColumn / side); column * side < toColumn; column += 1) {
        const tile = this.#tile(sectionIndex, level, column, row);
        const x = snap(camera.x + (box.x + column * side) * camera.k);
        const y = snap(camera.y + (box.y + row * side) * camera.k);
        const right = snap(camera.x + (box.x + column * side + tile.columns) * camera.k);
        const bottom = snap(camera.y + (box.y + row * side + tile.rows) * camera.k);
        // A section that is thinner than a pixel is still there.
        context.drawImage(tile.canvas, x, y, Math.max(right - x, 1 / density), Math.max(bottom - y, 1 / density));
      }
    }
  }

  /** Repaints the cells of seats that changed. */
  change(indices) {
    if (indices.length > 4_000) {
      this.clear();
      return;
    }
    // At most a few levels and pictures are there: cheaper to ask each than to look for those of every seat.
    const levels = new Set([...this.#made.values()].map((tile) => tile.level));
    for (const index of indices) {
      const { sectionIndex, row, number } = this.map.placeOf(index);
      const column = this.layout.sections[sectionIndex].columnOf[number - 1];
      for (const level of levels) {
        const side = sideOf(level);
        const tile = this.#made.get(keyOf(sectionIndex, level, Math.floor(column / side), Math.floor(row / side)));
        if (!tile) continue;
        const [x, y] = [(column % side) * level, (row % side) * level];
        tile.context.clearRect(x, y, level, level);
        this.#cell(tile.context, level, x, y, this.map.states[index]);
      }
    }
  }

  #tile(sectionIndex, level, column, row) {
    const key = keyOf(sectionIndex, level, column, row);
    let tile = this.#made.get(key);
    if (tile) {
      this.#made.delete(key);
    } else {
      tile = this.#paint(sectionIndex, level, column, row);
      this.#pixels += tile.pixels;
      for (const [old, { pixels }] of this.#made) {
        if (this.#pixels <= MOST_PIXELS) break;
        this.#made.delete(old);
        this.#pixels -= pixels;
      }
    }
    this.#made.set(key, tile);
    return tile;
  }

  #paint(sectionIndex, level, tileColumn, tileRow) {
    const section = this.map.sections[sectionIndex];
    const box = this.layout.sections[sectionIndex];
    const side = sideOf(level);
    const [left, top] = [tileColumn * side, tileRow * side];
    const [columns, rows] = [Math.min(side, box.width - left), Math.min(side, box.height - top)];
    const canvas = document.createElement("canvas");
    canvas.width = columns * level;
    canvas.height = rows * level;
    const context = canvas.getContext("2d");
    for (let row = 0; row < rows; row += 1) {
      const start = section.first + (top + row) * section.seatsPerRow;
      for (let column = 0; column < columns; column += 1) {
        const seat = box.seatAt[left + column];
        if (seat >= 0) this.#cell(context, level, column * level, row * level, this.map.states[start + seat]);
      }
    }
    return { canvas, context, level, columns, rows, pixels: canvas.width * canvas.height };
  }

  #cell(context, level, x, y, state) {
    if (state === NONE && !this.everyPlace) return;
    const sample = this.#sample(level, state);
    context.drawImage(sample, x, y);
  }

  /** How a state looks in a picture. The shapes are those of close by; where there is no room for them, what is left of them. */
  #sample(level, state) {
    const key = level * 4 + state;
    let canvas = this.#samples.get(key);
    if (canvas) return canvas;
    canvas = document.createElement("canvas");
    canvas.width = level;
    canvas.height = level;
    const context = canvas.getContext("2d");
    if (level >= 8) drawSeat(context, KINDS[state], "", 0, 0, level, { palette: this.palette, font: "" });
    else drawSmall(context, level, state, this.palette);
    this.#samples.set(key, canvas);
    return canvas;
  }
}

function drawSmall(context, level, state, palette) {
  const tiny = level === 1;
  const side = tiny ? 1 : level - 1;
  context.fillStyle = palette[KINDS[state]] ?? palette.line;
  if (state === FREE || state === HELD) {
    context.globalAlpha = tiny ? 0.6 : 1;
    context.fillRect(0, 0, side, side);
    if (state === HELD && !tiny) context.clearRect(1, 1, side - 2, side - 2);
  } else {
    context.globalAlpha = tiny ? 0.2 : 0.7;
    const dot = tiny ? 1 : Math.round(level * 0.25);
    const inset = Math.floor((side - dot) / 2);
    context.fillRect(inset, inset, dot, dot);
  }
}

/**
 * How many pixels a seat has in the picture for a size on the screen: never more, because gaps that are made smaller become
 * a plaid, and a single one where there is no room for gaps.
 */
const levelFor = (size) => (size < 4 ? 1 : Math.min(LARGEST, Math.floor(size)));
const sideOf = (level) => Math.min(SIDE, Math.floor(SIDE_PIXELS / level));
const keyOf = (...parts) => parts.join("|");
