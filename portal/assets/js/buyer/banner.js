// What came of a purchase, at the top of its page.

import { fill, h, s } from "../dom.js";
import { kindOf } from "./outcome.js";

const SIGNS = {
  good: "M9 16.5l5 5L24 11",
  bad: "M11 11l10 10M21 11L11 21",
  warning: "M16 8.5v9M16 22.5v.5",
  info: "M16 9v.5M16 14v9",
  undone: "M12 9l-4 4 4 4M8 13h10.5a5 5 0 0 1 0 10H13",
};

/** Stays while it changes, so that a heading that has the focus keeps it. `.update(state, {title, texts})`. */
export function banner() {
  const mark = h("span.outcome-sign", { "aria-hidden": "true" });
  const title = h("h1");
  const words = h("div.outcome-words");
  const element = h("header.outcome", mark, h("div", title, words));
  element.update = (state, told) => {
    const kind = kindOf(state);
    const isGoing = state === "pendiente" || state === "cancelando";
    element.className = `outcome ${kind}`;
    mark.classList.toggle("going", isGoing);
    fill(mark, isGoing ? null : sign(state === "cancelada" ? "undone" : kind));
    // The same words again are no news to a screen reader.
    if (title.textContent !== told.title) title.textContent = told.title;
    fill(words, told.texts.filter(Boolean).map((text) => h("p", text)));
  };
  return element;
}

function sign(name) {
  return s("svg", { viewBox: "0 0 32 32", width: 32, height: 32 },
    s("path", { d: SIGNS[name], fill: "none", stroke: "currentColor", "stroke-width": 3, "stroke-linecap": "round", "stroke-linejoin": "round" }));
}

/** A handful of confetti; nothing for those who asked for less motion (`app.css`). */
export function celebrate(element) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const confetti = h("div.confetti", { "aria-hidden": "true" }, Array.from({ length: 18 }, () => h("i")));
  element.append(confetti);
  setTimeout(() => confetti.remove(), 2_500);
}
