// The room as buyers will see it: the same drawing, from what is being edited.

import { fill, h } from "../dom.js";
import { t } from "../i18n.js";
import { toMajor } from "../currency.js";
import { FREE, NONE, SeatMap } from "../seatmap/model.js";
import { seatMapView } from "../seatmap/view.js";
import { numberOfKey, rowOfKey } from "./places.js";
import { blockedKeys, measure } from "./plan.js";
import { parsePrice } from "./price.js";

/** Nobody looks at the preview while typing. */
const PAUSE_MS = 350;

/** An element with `show(sections, valid, currency, baseMinor)`. */
export function planPreview(signal) {
  const place = h("div.org-preview-map");
  const note = h("p.muted");
  const element = h("div.org-preview", note, place);
  let view = null;
  let drawnCurrency = null;
  let timer = null;
  let drawn = null;
  let due = null;
  let inView = true;

  // A large room takes a while to draw: only where somebody can see it.
  const watch = new IntersectionObserver((entries) => {
    inView = entries.at(-1).isIntersecting;
    if (inView && due) soon(0);
  }, { rootMargin: "200px" });
  watch.observe(element);
  const soon = (pause) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!due || !inView || signal.aborted) return;
      draw(...due);
      due = null;
    }, pause);
  };

  const stop = () => {
    clearTimeout(timer);
    watch.disconnect();
    view?.destroy();
    view = null;
  };
  signal.addEventListener("abort", stop, { once: true });

  function draw(sections, currency, baseMinor) {
    const map = mapOf(sections, currency, baseMinor);
    if (view && drawnCurrency === currency) {
      view.setMap(map);
      return;
    }
    view?.destroy();
    drawnCurrency = currency;
    view = seatMapView({ map, currency, selected: new Set(), onToggle() {}, readOnly: true, label: t("org.preview.label") });
    fill(place, view.element);
  }

  element.show = (sections, valid, currency, baseMinor) => {
    const wanted = [sections, valid, currency, baseMinor];
    if (drawn && wanted.every((value, index) => value === drawn[index])) return;
    drawn = wanted;
    place.classList.toggle("stale", !valid);
    fill(note, valid ? (baseMinor === null ? t("org.preview.no_price") : null) : t("org.preview.stale"));
    note.hidden = note.childNodes.length === 0;
    due = valid ? [sections, currency, baseMinor] : null;
    soon(view ? PAUSE_MS : 0);
  };
  return element;
}

/** The same as `SeatMap.fromPlan` of what would be sent, without writing every place down and reading it again. */
function mapOf(sections, currency, baseMinor) {
  const plans = sections.map((section) => {
    const { rows, seats, aisles } = measure(section);
    const own = section.price.trim() === "" ? (baseMinor ?? 0) : parsePrice(section.price, currency).minor;
    return { name: section.name.trim(), price: toMajor(own, currency), rows, seatsPerRow: seats, aisles };
  });
  return new SeatMap(plans, (index, length) => {
    const states = new Uint8Array(length).fill(FREE);
    const { seatsPerRow } = plans[index];
    for (const key of blockedKeys(sections[index])) states[rowOfKey(key) * seatsPerRow + numberOfKey(key) - 1] = NONE;
    return states;
  });
}
