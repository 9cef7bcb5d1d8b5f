// A section drawn as a grid of places, only as much of it as can be seen: a section may have 100,000. To assistive
// technology it is an ARIA grid; the focus stays on the grid and names the active place, so that drawing anew never loses it.

import { h, uid } from "../dom.js";
import { number as formatted, t } from "../i18n.js";
import { rowLetters } from "../seatmap/model.js";
import { Geometry, HEAD } from "./grid_geometry.js";
import { placeKey } from "./places.js";
import { measure } from "./plan.js";

/** Rows and seats beyond the edge that are drawn, too. */
const MARGIN = 4;

export class GridView {
  #cells = new Map();
  #window = "";
  #frame = 0;
  #prefix = uid("place");

  constructor(label) {
    this.grid = h("div.org-grid", { role: "grid", tabindex: "0", "aria-label": label, "aria-multiselectable": "true" });
    this.element = h("div.org-grid-scroll", this.grid);
    /** Where the keyboard is; row -1 and number 0 are headers. */
    this.active = { row: 0, number: 1 };
    /** What is marked, as `Geometry.span` tells it, or null. */
    this.marked = null;
    this.element.addEventListener("scroll", () => this.#soon(), { passive: true });
    this.observer = new ResizeObserver(() => this.#soon());
    this.observer.observe(this.element);
  }

  destroy() {
    this.observer.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  /** Shows a section, or what became of it. */
  show(section) {
    const size = measure(section);
    const other = this.section?.id !== section.id;
    this.section = section;
    if (other || !this.geometry?.same(size)) {
      this.geometry = new Geometry(size);
      this.grid.style.width = `${this.geometry.width}px`;
      this.grid.style.height = `${this.geometry.height}px`;
      this.grid.setAttribute("aria-rowcount", size.rows + 1);
      this.grid.setAttribute("aria-colcount", size.seats + 1);
      this.#window = "";
      if (other) {
        this.active = { row: 0, number: 1 };
        this.marked = null;
        this.element.scrollTo(0, 0);
      }
      this.active.row = Math.min(this.active.row, size.rows - 1);
      this.active.number = Math.min(this.active.number, size.seats);
      if (this.marked && (this.marked.bottom >= size.rows || this.marked.to > size.seats)) this.marked = null;
    }
    this.draw();
  }

  #soon() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.draw());
  }

  /** Draws what can be seen. */
  draw() {
    if (!this.geometry) return;
    const { scrollTop, scrollLeft, clientHeight, clientWidth } = this.element;
    const { geometry } = this;
    // Before it is laid out it has no size: then some are drawn, and more when it has one.
    const [width, height] = [clientWidth || 600, clientHeight || 400];
    const top = Math.max(geometry.rowAt(scrollTop) - MARGIN, 0);
    const bottom = Math.min(geometry.rowAt(scrollTop + height) + MARGIN, geometry.rows - 1);
    const from = Math.max(geometry.numberAt(scrollLeft) - MARGIN, 1);
    const to = Math.min(geometry.numberAt(scrollLeft + width) + MARGIN, geometry.seats);
    const key = [this.section.id, top, bottom, from, to].join();
    if (key !== this.#window) this.#build(top, bottom, from, to);
    this.#window = key;
    this.#paint();
  }

  #build(top, bottom, from, to) {
    this.#cells.clear();
    const { geometry } = this;
    const cell = (role, row, number, text) => {
      const element = h(`div.org-cell`, {
        role, id: `${this.#prefix}-${row}-${number}`, "aria-colindex": number + 1, dataset: { row, number },
      }, text);
      if (number > 0) element.style.left = `${geometry.left(number)}px`;
      element.style.width = number > 0 ? `${geometry.size}px` : `${HEAD}px`;
      this.#cells.set(element.id, { element, row, number, drawn: "" });
      return element;
    };
    const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index);
    const head = h("div.org-grid-head", { role: "row", "aria-rowindex": 1 },
      h("div.org-cell.corner", { role: "columnheader", "aria-colindex": 1 }, h("span.unseen", t("org.grid.row"))),
      numbers.map((number) => cell("columnheader", -1, number, String(number))));
    const rows = [];
    for (let row = top; row <= bottom; row += 1) {
      const line = h("div.org-grid-row", { role: "row", "aria-rowindex": row + 2 },
        cell("rowheader", row, 0, rowLetters(row)), numbers.map((number) => cell("gridcell", row, number)));
      line.style.top = `${geometry.top(row)}px`;
      line.style.height = `${geometry.size}px`;
      rows.push(line);
    }
    this.grid.replaceChildren(head, ...rows);
  }

  #paint() {
    const aisles = new Set(this.geometry.aisles);
    const { active, marked, section } = this;
    for (const one of this.#cells.values()) {
      const { element, row, number } = one;
      const header = row < 0 || number < 1;
      const blocked = !header && section.blocked.has(placeKey(row, number));
      const aisle = aisles.has(number);
      const picked = marked !== null && !header && row >= marked.top && row <= marked.bottom
        && number >= marked.from && number <= marked.to;
      const here = row === active.row && number === active.number;
      const drawn = `${blocked}${aisle}${picked}${here}`;
      if (drawn === one.drawn) continue;
      one.drawn = drawn;
      element.classList.toggle("blocked", blocked);
      if (element.classList.toggle("aisle", aisle) !== (element.querySelector("i") !== null)) {
        if (aisle) element.append(h("i"));
        else element.querySelector("i").remove();
      }
      element.classList.toggle("picked", picked);
      element.classList.toggle("active", here);
      if (picked) element.setAttribute("aria-selected", "true");
      else element.removeAttribute("aria-selected");
      element.setAttribute("aria-label", this.describe(row, number, blocked, aisle));
    }
    const id = `${this.#prefix}-${active.row}-${active.number}`;
    if (this.#cells.has(id)) this.grid.setAttribute("aria-activedescendant", id);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  /** A place in words. */
  describe(row, number, blocked, aisle) {
    const words = [];
    if (row < 0) words.push(t("org.grid.column_of", { number: formatted(number) }));
    else if (number < 1) words.push(t("org.grid.row_of", { row: rowLetters(row) }));
    else words.push(t("org.grid.place", { place: `${rowLetters(row)}-${number}` }), t(blocked ? "org.grid.blocked" : "org.grid.seat"));
    if (aisle) words.push(t("org.grid.aisle_after"));
    return words.join(", ");
  }

  /** Makes a place the active one and brings it into view. */
  activate(row, number) {
    this.active = { row, number };
    const { geometry, element } = this;
    if (row >= 0) {
      const top = geometry.top(row);
      if (top - HEAD < element.scrollTop) element.scrollTop = top - HEAD;
      else if (top + geometry.size > element.scrollTop + element.clientHeight) {
        element.scrollTop = top + geometry.size - element.clientHeight + 4;
      }
    }
    if (number >= 1) {
      const left = geometry.left(number);
      if (left - HEAD < element.scrollLeft) element.scrollLeft = left - HEAD;
      else if (left + geometry.size > element.scrollLeft + element.clientWidth) {
        element.scrollLeft = left + geometry.size - element.clientWidth + 4;
      }
    }
    this.draw();
  }

  /** The place at a point of the screen. */
  at(clientX, clientY) {
    const outer = this.element.getBoundingClientRect();
    const inner = this.grid.getBoundingClientRect();
    return {
      row: clientY - outer.top < HEAD ? -1 : this.geometry.rowAt(clientY - inner.top),
      number: clientX - outer.left < HEAD ? 0 : this.geometry.numberAt(clientX - inner.left),
    };
  }
}
