// Lines from causes to their effects, behind the cards of a timeline. They only repeat what each card says in words, so
// they are hidden from assistive technology, and drawn only where lanes stand side by side.

import { s } from "../dom.js";

const ROUND = 10;

/**
 * @param {HTMLElement} around positioned; the lines lie in it
 * @param {() => {from: Element, to: Element, key: string}[]} pairs visible cards that belong together
 * @param {AbortSignal} signal
 * @returns {{element: SVGElement, draw: () => void, light: (key: string|null) => void}}
 */
export function wires(around, pairs, signal) {
  const wide = matchMedia("(min-width: 62rem)");
  const lines = s("g", {});
  const arrow = s("marker", { id: "audit-arrow", viewBox: "0 0 8 8", refX: "7", refY: "4", markerWidth: "8", markerHeight: "8", orient: "auto" },
    s("path", { d: "M0 0L8 4L0 8Z" }));
  const element = s("svg.audit-wires", { "aria-hidden": "true", focusable: "false" }, s("defs", {}, arrow), lines);
  let lit = null;
  let due = false;

  function draw() {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      if (!signal.aborted) now();
    });
  }

  function now() {
    lines.replaceChildren();
    if (!wide.matches) return;
    const box = around.getBoundingClientRect();
    element.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
    element.setAttribute("width", box.width);
    element.setAttribute("height", box.height);
    for (const { from, to, key } of pairs()) {
      const a = from.getBoundingClientRect();
      const b = to.getBoundingClientRect();
      const path = pathBetween(shift(a, box), shift(b, box));
      lines.append(s("path.audit-wire", { d: path, class: key === lit ? "lit" : "", "marker-end": "url(#audit-arrow)", dataset: { key } }));
    }
  }

  const watch = new ResizeObserver(draw);
  watch.observe(around);
  wide.addEventListener("change", draw, { signal });
  signal.addEventListener("abort", () => watch.disconnect(), { once: true });
  return {
    element,
    draw,
    light(key) {
      lit = key;
      for (const line of lines.children) line.classList.toggle("lit", line.dataset.key === key);
    },
  };
}

const shift = (rect, box) => ({
  left: rect.left - box.left, right: rect.right - box.left, top: rect.top - box.top, bottom: rect.bottom - box.top,
  middle: (rect.left + rect.right) / 2 - box.left,
});

/** Sideways out of the cause and down into the effect; straight down within a lane. */
function pathBetween(a, b) {
  const end = b.top - 1;
  if (Math.abs(a.middle - b.middle) < 4) return `M${a.middle} ${a.bottom}V${end}`;
  const right = b.middle > a.middle;
  const y = Math.min(a.top + 22, a.bottom);
  const turn = right ? b.middle - ROUND : b.middle + ROUND;
  return `M${right ? a.right : a.left} ${y}H${turn}Q${b.middle} ${y} ${b.middle} ${y + ROUND}V${end}`;
}
