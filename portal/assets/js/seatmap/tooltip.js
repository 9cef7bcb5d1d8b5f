// What the map says beside a place or a section. It only repeats what a screen reader is told anyway.

import { fill, h } from "../dom.js";
import { money, t } from "../i18n.js";
import { cornerOf } from "./layout.js";
import { seatWords, stateWord } from "./words.js";

export class Tooltip {
  element = h("div.seatmap-tooltip", { "aria-hidden": "true", hidden: true });

  get shown() {
    return !this.element.hidden;
  }

  hide() {
    this.element.hidden = true;
  }

  /** Beside a seat. */
  seat({ map, layout, camera, currency }, index, kind) {
    const corner = cornerOf(map, layout, index);
    const at = camera.toScreen(corner.x + 0.5, corner.y);
    this.#show(camera, at, camera.k, seatWords(map, index), `${stateWord(kind)} · ${money(map.priceOf(index), currency)}`);
  }

  /** In the middle of a section, beside its name. */
  section({ map, layout, camera, currency }, index) {
    const box = layout.sections[index];
    const at = camera.toScreen(box.x + box.width / 2, box.y + box.height / 2);
    const { name, price } = map.sections[index];
    const free = t("seatmap.free", { n: map.counts(index).free });
    this.#show(camera, { x: at.x, y: at.y - 26 }, 52, name, `${money(price, currency)} · ${free}`);
  }

  /** Above the position, or `below` it when there is no room. */
  #show({ window }, at, below, title, words) {
    const { element } = this;
    fill(element, h("strong", title), h("span", words));
    element.hidden = false;
    const [width, height] = [element.offsetWidth, element.offsetHeight];
    const x = Math.max(4, Math.min(window.width - width - 4, at.x - width / 2));
    const above = at.y - height - 8;
    const y = above > 2 ? above : at.y + below + 8;
    element.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }
}
