// Sales by section, live: a row is written only when its numbers change, because there may be a thousand.

import { h } from "../dom.js";
import { money, number, t } from "../i18n.js";
import { toMajor } from "../currency.js";
import { share } from "./tally.js";

const COLUMNS = ["sold", "held", "free", "full", "revenue"];

/** An element with `show(sections, currency)`, `sections` as `Sales.sections` tells them. */
export function sectionTable() {
  const body = h("tbody");
  const total = row("th", t("org.sales.all"));
  const element = h("div.table-scroll.org-section-table", { tabindex: "0", role: "region", "aria-label": t("org.sales.by_section") },
    h("table",
      h("caption", t("org.sales.by_section")),
      h("thead", h("tr", h("th", { scope: "col" }, t("org.sales.section")), h("th.numeric", { scope: "col" }, t("org.show.price")),
        COLUMNS.map((key) => h("th.numeric", { scope: "col" }, t(`org.sales.${key}`))))),
      body, h("tfoot", total.element)));
  let rows = [];

  element.show = (sections, currency) => {
    if (rows.length !== sections.length || rows.some((one, index) => one.name !== sections[index].name)) {
      rows = sections.map(({ name }) => row("th", name));
      body.replaceChildren(...rows.map((one) => one.element));
    }
    const sum = { sold: 0, held: 0, free: 0, total: 0, revenueMinor: 0 };
    sections.forEach((section, index) => {
      rows[index].write(section, currency);
      for (const key of Object.keys(sum)) sum[key] += section[key];
    });
    total.write(sum, currency);
  };
  return element;
}

function row(tag, name) {
  const price = h("td.numeric");
  const cells = COLUMNS.map(() => h("td.numeric"));
  let written = "";
  return {
    name,
    element: h("tr", h(tag, { scope: "row" }, name), price, cells),
    write(section, currency) {
      const { sold, held, free, total, revenueMinor, priceMinor } = section;
      const now = [sold, held, free, total, revenueMinor, priceMinor, currency].join();
      if (now === written) return;
      written = now;
      price.textContent = priceMinor === undefined ? "" : money(toMajor(priceMinor, currency), currency);
      const texts = [number(sold), number(held), number(free), number(share(sold, total), { style: "percent" }), money(toMajor(revenueMinor, currency), currency)];
      texts.forEach((text, index) => {
        cells[index].textContent = text;
      });
    },
  };
}
