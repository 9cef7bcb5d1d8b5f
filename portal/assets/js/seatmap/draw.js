// Draws what is in the window, and only that: pictures of seats from afar (`tiles.js`), stamps close by (`sprites.js`).

import { money, t } from "../i18n.js";
import { HEAD, SIDE, cornerOf } from "./layout.js";
import { NONE, rowLetters } from "./model.js";
import { Sprites, drawSeat } from "./sprites.js";
import { kindOf } from "./words.js";

/** From this size on (CSS pixels) one sees single seats and can pick them. */
export const NEAR = 11;
/** From this size on they are drawn one by one; before, pictures are as good, and cheaper for thousands of them. */
const STAMPED = 16;
const PILL_TEXT = 13;

export class Renderer {
  #sprites = new Sprites();
  #cut = new Map();

  /** @param {CanvasRenderingContext2D} context */
  constructor(context) {
    this.context = context;
  }

  /** Words that were cut to fit are forgotten: the language or the font is another. */
  forget() {
    this.#cut.clear();
  }

  /**
   * @param {Object} scene `{map, layout, tiles, camera, palette, density, font, selected, own, cursor, hover, editing,
   *   currency}`; `cursor` and `hover` are indices or -1
   */
  draw(scene) {
    const { context } = this;
    const { camera, density, palette } = scene;
    context.setTransform(density, 0, 0, density, 0, 0);
    context.fillStyle = palette.ground;
    context.fillRect(0, 0, camera.window.width, camera.window.height);
    const corner = camera.toUnits(0, 0);
    const sight = { ...corner, width: camera.window.width / camera.k, height: camera.window.height / camera.k };
    this.#stage(scene);
    const seen = [];
    scene.layout.sections.forEach((box, index) => {
      const inSight = box.x - SIDE < sight.x + sight.width && box.x + box.width + SIDE > sight.x
        && box.y - HEAD < sight.y + sight.height && box.y + box.height > sight.y;
      if (inSight) seen.push(index);
    });
    const near = camera.k >= NEAR;
    for (const index of seen) this.#ground(scene, index);
    if (camera.k >= STAMPED) this.#stamps(scene, seen, sight);
    else this.#pictures(scene, seen, sight);
    for (const index of seen) {
      if (near) this.#names(scene, index, sight);
      else this.#pill(scene, index);
    }
    this.#marks(scene, near);
  }

  #stage({ layout, camera, palette, font }) {
    const { context } = this;
    const at = camera.toScreen(layout.stage.x, layout.stage.y);
    const [width, height] = [layout.stage.width * camera.k, layout.stage.height * camera.k];
    if (at.y + height < 0) return;
    context.fillStyle = palette.stage;
    context.beginPath();
    context.roundRect(at.x, at.y, width, height, [height * 0.2, height * 0.2, height * 0.5, height * 0.5]);
    context.fill();
    const size = Math.min(16, Math.max(9, height * 0.5));
    if (height < 10) return;
    context.font = `600 ${size}px ${font}`;
    context.fillStyle = palette["on-stage"];
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(t("seatmap.stage"), at.x + width / 2, at.y + height / 2);
  }

  /** The ground on which a section's seats are. */
  #ground({ layout, camera, palette }, index) {
    const { context } = this;
    const box = layout.sections[index];
    const room = Math.min(0.6, 6 / camera.k);
    const at = camera.toScreen(box.x - room, box.y - room);
    context.fillStyle = palette.section;
    context.beginPath();
    context.roundRect(at.x, at.y, (box.width + 2 * room) * camera.k, (box.height + 2 * room) * camera.k, Math.min(8, camera.k));
    context.fill();
  }

  #pictures({ camera, density, tiles }, seen, sight) {
    for (const index of seen) tiles.draw(this.context, index, camera, density, sight);
  }

  /** A section's name and how much is free, in its middle, when there is room for it. */
  #pill({ map, layout, camera, palette, font }, index) {
    const { context } = this;
    const box = layout.sections[index];
    const [width, height] = [box.width * camera.k, box.height * camera.k];
    const left = Math.max(0, camera.x + box.x * camera.k);
    const right = Math.min(camera.window.width, camera.x + (box.x + box.width) * camera.k);
    if (width < 34 || right - left < 34 || height < 12) return;
    // A little more than its seats: nothing is beside them but the letters of the rows, which are not shown from afar.
    const room = Math.min(right - left + 3 * camera.k, 220);
    const large = `650 ${PILL_TEXT}px ${font}`;
    const small = `${PILL_TEXT - 2}px ${font}`;
    const name = this.#fit(map.sections[index].name, room, large);
    const free = this.#fit(t("seatmap.free", { n: map.counts(index).free }), room, small);
    const lines = height >= 40 && room >= free.width ? 2 : 1;
    const wide = Math.max(name.width, lines === 2 ? free.width : 0) + 16;
    const high = lines * (PILL_TEXT + 4) + 6;
    const x = (left + right) / 2;
    // Above a section that it would hide.
    const above = height < high * 1.7;
    const y = camera.y + box.y * camera.k + (above ? -Math.max(high / 2, camera.k) : height / 2);
    this.#plate(palette, x - wide / 2, y - high / 2, wide, high);
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = palette.ink;
    context.font = large;
    context.fillText(name.text, x, lines === 2 ? y - PILL_TEXT * 0.62 : y);
    if (lines === 1) return;
    context.fillStyle = palette.faint;
    context.font = small;
    context.fillText(free.text, x, y + PILL_TEXT * 0.72);
  }

  #stamps(scene, seen, sight) {
    const { camera, density, palette, font } = scene;
    const { context } = this;
    this.#sprites.prepare(camera.k * density, density, palette, font);
    eachSeat(scene, seen, sight, (kind, number) => this.#sprites.ready(kind, number));
    context.setTransform(1, 0, 0, 1, 0, 0);
    eachSeat(scene, seen, sight, (kind, number, x, y) => this.#sprites.stamp(context, kind, number, x, y));
    context.setTransform(density, 0, 0, density, 0, 0);
  }

  /** A section's name above its seats, and the letters of its rows beside them. */
  #names({ map, layout, camera, palette, font, currency }, index, sight) {
    const { context } = this;
    const [box, section] = [layout.sections[index], map.sections[index]];
    const left = Math.max(4, camera.x + (box.x - SIDE) * camera.k);
    const right = Math.min(camera.window.width - 4, camera.x + (box.x + box.width + SIDE) * camera.k);
    context.textBaseline = "middle";
    context.textAlign = "center";
    this.#letters({ camera, palette, font }, box, sight);
    if (right - left < 40) return;
    // They keep to the window's edges when one has come so close that they would be outside.
    const bottom = camera.y + (box.y + box.height) * camera.k;
    const y = Math.max(camera.y + (box.y - HEAD / 2) * camera.k, Math.min(16, bottom - 16));
    const style = `650 ${Math.min(16, Math.max(12, camera.k * 0.7))}px ${font}`;
    const words = this.#fit(`${section.name} · ${money(section.price, currency)}`, right - left - 12, style);
    if (y > camera.y + (box.y - 0.8) * camera.k) this.#plate(palette, (left + right - words.width) / 2 - 8, y - 13, words.width + 16, 26);
    context.font = style;
    context.fillStyle = palette.ink;
    context.fillText(words.text, (left + right) / 2, y);
  }

  #letters({ camera, palette, font }, box, sight) {
    const { context } = this;
    context.font = `600 ${Math.min(14, Math.max(9, camera.k * 0.55))}px ${font}`;
    const [rowFrom, rowTo] = span(sight.y - box.y, sight.height, box.height);
    const before = camera.x + (box.x - SIDE / 2) * camera.k;
    const left = Math.max(before, 11);
    const right = camera.x + (box.x + box.width + SIDE / 2) * camera.k;
    if (left > before && right > 60) this.#plate(palette, 1, camera.y + (box.y + rowFrom) * camera.k, 20, (rowTo - rowFrom) * camera.k);
    context.fillStyle = palette.faint;
    for (let row = rowFrom; row < rowTo; row += 1) {
      const y = camera.y + (box.y + row + 0.5) * camera.k;
      const letters = rowLetters(row);
      if (right > 60) context.fillText(letters, left, y);
      context.fillText(letters, right, y);
    }
  }

  /** What words stand on where there are seats. */
  #plate(palette, x, y, width, height) {
    const { context } = this;
    if (width <= 0 || height <= 0) return;
    context.globalAlpha = 0.92;
    context.fillStyle = palette.pill;
    context.beginPath();
    context.roundRect(x, y, width, height, Math.min(8, width / 2, height / 2));
    context.fill();
    context.globalAlpha = 1;
  }

  /** What must be seen at any scale: what is chosen, what is one's own, and where the keyboard is. */
  #marks({ map, layout, camera, palette, font, selected, own, cursor, hover }, near) {
    const { context } = this;
    if (near && camera.k < STAMPED) {
      for (const [set, kind] of [[selected, "selected"], [own, "own"]]) {
        for (const index of set ?? []) {
          const { x, y } = camera.toScreen(...middle(map, layout, index));
          const half = camera.k / 2;
          context.fillStyle = palette.section;
          context.fillRect(x - half, y - half, camera.k, camera.k);
          drawSeat(context, kind, "", x - half, y - half, camera.k, { palette, font });
        }
      }
    } else if (!near) {
      const radius = Math.max(4.5, camera.k * 0.6);
      for (const [set, colour, ring] of [[selected, "selected", "on-selected"], [own, "own", "on-own"]]) {
        for (const index of set ?? []) {
          const { x, y } = camera.toScreen(...middle(map, layout, index));
          context.beginPath();
          context.arc(x, y, radius, 0, 2 * Math.PI);
          context.fillStyle = palette[colour];
          context.fill();
          context.lineWidth = 1.5;
          context.strokeStyle = palette[ring];
          context.stroke();
        }
      }
    }
    for (const [index, width] of [[near ? hover : -1, 2], [cursor, 3]]) {
      if (index < 0) continue;
      const { x, y } = camera.toScreen(...middle(map, layout, index));
      const half = Math.max(8, camera.k / 2 + 1);
      context.lineWidth = width + 2;
      context.strokeStyle = palette.ground;
      context.beginPath();
      context.roundRect(x - half, y - half, 2 * half, 2 * half, 5);
      context.stroke();
      context.lineWidth = width;
      context.strokeStyle = palette.focus;
      context.stroke();
    }
  }

  /** A text that is cut to fit: `{text, width}`. */
  #fit(text, room, font) {
    const rounded = Math.floor(room / 8) * 8;
    const key = `${font}|${rounded}|${text}`;
    let cut = this.#cut.get(key);
    if (!cut) {
      this.context.font = font;
      let short = text;
      while (short.length > 1 && this.context.measureText(short).width > rounded) {
        short = `${short.slice(0, -2).trimEnd()}…`;
      }
      cut = { text: short, width: this.context.measureText(short).width };
      if (this.#cut.size > 4_000) this.#cut.clear();
      this.#cut.set(key, cut);
    }
    return cut;
  }
}

/** Calls `take(kind, number, x, y)` for every seat in sight, with its corner in pixels of the screen. */
function eachSeat({ map, layout, camera, density, selected, own, editing }, seen, sight, take) {
  for (const index of seen) {
    const [box, section] = [layout.sections[index], map.sections[index]];
    const [rowFrom, rowTo] = span(sight.y - box.y, sight.height, box.height);
    const [from, to] = span(sight.x - box.x, sight.width, box.width);
    for (let row = rowFrom; row < rowTo; row += 1) {
      const y = (camera.y + (box.y + row) * camera.k) * density;
      const first = section.first + row * section.seatsPerRow;
      for (let column = from; column < to; column += 1) {
        const seat = box.seatAt[column];
        if (seat < 0 || (map.states[first + seat] === NONE && !editing)) continue;
        take(kindOf(map, first + seat, selected, own), seat + 1, (camera.x + (box.x + column) * camera.k) * density, y);
      }
    }
  }
}

/** Which whole units of `size` are in sight. */
function span(from, length, size) {
  return [Math.max(0, Math.floor(from)), Math.min(size, Math.ceil(from + length))];
}

function middle(map, layout, index) {
  const { x, y } = cornerOf(map, layout, index);
  return [x + 0.5, y + 0.5];
}
