// How a show's tickets stand: a bar in three parts with the numbers in words beside it.

import { fill, h } from "../dom.js";
import { number, t } from "../i18n.js";

/** An element with `show({sold, held, free, total})`. */
export function tallyBar() {
  const parts = { sold: h("span.org-bar-sold"), held: h("span.org-bar-held") };
  const words = h("p.org-bar-words");
  const element = h("div.org-tally", h("div.org-bar", { "aria-hidden": "true" }, parts.sold, parts.held), words);
  element.show = ({ sold, held, free, total }) => {
    for (const [name, value] of [["sold", sold], ["held", held]]) {
      parts[name].style.width = `${total > 0 ? (value / total) * 100 : 0}%`;
    }
    const one = (name, value, of) => h("span", h(`i.org-dot.${name}`, { "aria-hidden": "true" }), h("strong", number(value)), " ",
      t(`org.tally.${name}`, { n: value }), of === undefined ? null : h("span.muted", ` ${t("org.tally.of", { n: of })}`));
    fill(words, one("sold", sold), one("held", held), one("free", free, total));
  };
  return element;
}

/** The tally of a show as the API tells it. */
export const tallyOf = (show) => ({
  sold: show.entradas_vendidas, held: show.entradas_retenidas, free: show.entradas_disponibles, total: show.aforo_total,
});

/** How full, as a share of the whole. */
export const share = (sold, total) => (total > 0 ? sold / total : 0);
