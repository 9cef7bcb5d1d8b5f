// Map or list, as one prefers; the choice is remembered. Options and result as those of `seatMapView`.

import { fill, h } from "../dom.js";
import { t } from "../i18n.js";
import { lasting } from "../storage.js";
import { seatList } from "./list.js";
import { seatMapView } from "./view.js";

const KEPT_AS = "eventflow.seats_as";

export function seatPicker(options) {
  const settings = { ...options };
  let shown = null;
  const place = h("div.seatpicker-place");
  const choices = ["map", "list"].map((as) =>
    h("button", { type: "button", "aria-pressed": "false", dataset: { as }, on: { click: () => show(as) } }, t(`seatmap.as_${as}`)));
  const element = h("div.seatpicker",
    h("div.seatpicker-as", { role: "group", "aria-label": t("seatmap.as") }, choices), place);

  function show(as) {
    lasting.set(KEPT_AS, as);
    for (const choice of choices) choice.setAttribute("aria-pressed", String(choice.dataset.as === as));
    shown?.destroy();
    shown = as === "list" ? seatList(settings) : seatMapView(settings);
    fill(place, shown.element);
  }
  show(lasting.get(KEPT_AS) === "list" ? "list" : "map");

  return {
    element,
    refresh: (changed) => shown.refresh(changed),
    focusSection: (index) => shown.focusSection(index),
    setReadOnly(value) {
      settings.readOnly = value;
      shown.setReadOnly(value);
    },
    setMap(map) {
      settings.map = map;
      shown.setMap(map);
    },
    destroy: () => shown.destroy(),
  };
}
