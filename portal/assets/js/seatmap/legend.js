// What the seats' shapes and colours mean, drawn by the same hand as the seats.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { drawSeat } from "./sprites.js";

const SIZE = 20;

/** `draw({palette, density, font})` is called whenever colours change. */
export function legend({ own, selectable, editing }) {
  const kinds = ["free", "held", "sold"];
  if (selectable) kinds.push("selected");
  if (own) kinds.push("own");
  if (editing) kinds.push("none");
  const samples = kinds.map((kind) => [kind, h("canvas.seatmap-sample", { width: SIZE, height: SIZE, "aria-hidden": "true" })]);
  return {
    element: h("ul.seatmap-legend", { "aria-label": t("seatmap.legend") },
      samples.map(([kind, canvas]) => h("li", canvas, t(`seatmap.kind.${kind}`)))),
    draw({ palette, density, font }) {
      for (const [kind, canvas] of samples) {
        const size = Math.round(SIZE * density);
        canvas.width = size;
        canvas.height = size;
        drawSeat(canvas.getContext("2d"), kind, "", 0, 0, size, { palette, font });
      }
    },
  };
}
