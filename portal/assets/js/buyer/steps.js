// The six steps of a purchase, as they happen.

import { fill, h, s } from "../dom.js";
import { dateTime, t } from "../i18n.js";
import { isFinal } from "./outcome.js";

const MARKS = {
  hecho: "M5 10.5l3.2 3.2L15 7",
  fallido: "M6 6l8 8M14 6l-8 8",
  compensado: "M7 6L4 9l3 3M4 9h7.5a3.5 3.5 0 0 1 0 7H9",
};

/** A step's state as it is shown: `activo` is the one that is being done, `omitido` will not be done any more. */
function shown(step, index, purchase, state) {
  if (step.estado !== "pendiente") return step.estado;
  if (isFinal(state) && state !== "atascada") return "omitido";
  const next = purchase.pasos.findIndex(({ estado }) => estado === "pendiente");
  return state === "pendiente" && index === next ? "activo" : "pendiente";
}

/** The list; `.update(purchase, state)` gives what changed, in words. */
export function stepList() {
  const list = h("ol.steps");
  let before = new Map();
  list.update = (purchase, state) => {
    const changes = [];
    const now = new Map();
    fill(list, purchase.pasos.map((step, index) => {
      const is = shown(step, index, purchase, state);
      const words = t(`buying.step.${is}`);
      now.set(step.paso, is);
      if (before.size > 0 && before.get(step.paso) !== is && is !== "pendiente") changes.push(`${t(`step.${step.paso}`)}: ${words}`);
      const isNew = before.size > 0 && before.get(step.paso) !== is;
      return h("li", { class: `step ${is}${isNew ? " new" : ""}`, "aria-current": is === "activo" ? "step" : null },
        h("span.step-mark", { "aria-hidden": "true" }, mark(is)),
        h("span.step-name", t(`step.${step.paso}`)),
        h("span.step-state", words),
        step.en && is !== "omitido" ? h("time.step-time", { datetime: step.en }, dateTime(step.en, { timeStyle: "medium" })) : null);
    }));
    before = now;
    return changes;
  };
  return list;
}

function mark(state) {
  if (!MARKS[state]) return null;
  return s("svg", { viewBox: "0 0 20 20", width: 20, height: 20 },
    s("path", { d: MARKS[state], fill: "none", stroke: "currentColor", "stroke-width": 2.2, "stroke-linecap": "round", "stroke-linejoin": "round" }));
}
