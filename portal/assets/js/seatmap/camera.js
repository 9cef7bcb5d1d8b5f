// What part of the map is in the window: `k` is the size of a seat in CSS pixels, `x` and `y` where the map's corner is.

const LARGEST_SEAT = 56;
/** Whole maps of a few seats are not blown up further than this. */
const LARGEST_FIT = 34;
const MOTION_MS = 260;

export class Camera {
  #frame = 0;

  /** @param {() => void} changed called after every change */
  constructor(changed) {
    this.changed = changed;
    this.k = 1;
    this.x = 0;
    this.y = 0;
    this.window = { width: 1, height: 1 };
    this.content = { width: 1, height: 1 };
  }

  /** The scale at which everything is in sight. */
  get fitted() {
    const { width, height } = this.window;
    return Math.min(width / this.content.width, height / this.content.height, LARGEST_FIT);
  }

  /** How high a window of this width has to be for everything to be in sight, up to `most`. */
  heightFor(width, most, content) {
    return Math.min(most, content.height * Math.min(width / content.width, most / content.height, LARGEST_FIT));
  }

  get atFit() {
    return this.k <= this.fitted * 1.001;
  }

  get atLargest() {
    return this.k >= this.#largest * 0.999;
  }

  get #largest() {
    return Math.max(LARGEST_SEAT, this.fitted);
  }

  /** The window or the content has another size: what was all in sight stays so, else the middle stays the middle. */
  resize(window, content) {
    const first = this.window.width <= 1;
    const whole = first || this.atFit || content !== this.content;
    const middle = this.toUnits(this.window.width / 2, this.window.height / 2);
    this.window = window;
    this.content = content;
    if (whole) this.k = this.fitted;
    this.#centre(middle.x, middle.y);
    this.#settle();
  }

  toUnits(screenX, screenY) {
    return { x: (screenX - this.x) / this.k, y: (screenY - this.y) / this.k };
  }

  toScreen(x, y) {
    return { x: x * this.k + this.x, y: y * this.k + this.y };
  }

  pan(dx, dy) {
    this.stop();
    this.x += dx;
    this.y += dy;
    this.#settle();
  }

  /** Zooms so that the point under `screenX, screenY` stays there. */
  zoom(factor, screenX = this.window.width / 2, screenY = this.window.height / 2) {
    this.stop();
    const point = this.toUnits(screenX, screenY);
    this.k = this.#within(this.k * factor);
    this.x = screenX - point.x * this.k;
    this.y = screenY - point.y * this.k;
    this.#settle();
  }

  /** Moves so that the point (in units) is in the middle, at scale `k`. */
  show(x, y, k = this.k) {
    this.stop();
    const from = { k: this.k, x: this.x, y: this.y };
    this.k = this.#within(k);
    this.#centre(x, y);
    this.#clamp();
    const to = { k: this.k, x: this.x, y: this.y };
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.changed();
      return;
    }
    Object.assign(this, from);
    const began = performance.now();
    const step = (now) => {
      const part = Math.min(1, Math.max(0, (now - began) / MOTION_MS));
      const eased = 1 - (1 - part) ** 3;
      // The scale changes by ratio; the corner follows so that the way looks straight.
      this.k = from.k * (to.k / from.k) ** eased;
      const way = to.k === from.k ? eased : (this.k - from.k) / (to.k - from.k);
      this.x = from.x + (to.x - from.x) * way;
      this.y = from.y + (to.y - from.y) * way;
      if (part < 1) this.#frame = requestAnimationFrame(step);
      this.changed();
    };
    this.#frame = requestAnimationFrame(step);
  }

  /** All of it. */
  fit() {
    this.show(this.content.width / 2, this.content.height / 2, this.fitted);
  }

  /** Moves as little as brings the box (in units) into sight, with some room around it. */
  reveal(x, y, width, height, room = 48) {
    const start = this.toScreen(x, y);
    const end = this.toScreen(x + width, y + height);
    const shift = (from, to, size) => (from < room ? room - from : to > size - room ? size - room - to : 0);
    const dx = shift(start.x, end.x, this.window.width);
    const dy = shift(start.y, end.y, this.window.height);
    if (dx || dy) this.pan(dx, dy);
  }

  stop() {
    cancelAnimationFrame(this.#frame);
  }

  #within(k) {
    return Math.min(Math.max(k, this.fitted), this.#largest);
  }

  #centre(x, y) {
    this.x = this.window.width / 2 - x * this.k;
    this.y = this.window.height / 2 - y * this.k;
  }

  #settle() {
    this.#clamp();
    this.changed();
  }

  /** What is smaller than the window is in its middle; what is larger cannot leave it. */
  #clamp() {
    const keep = (at, size, room) => (size <= room ? (room - size) / 2 : Math.min(room * 0.25, Math.max(at, room * 0.75 - size)));
    this.x = keep(this.x, this.content.width * this.k, this.window.width);
    this.y = keep(this.y, this.content.height * this.k, this.window.height);
  }
}
