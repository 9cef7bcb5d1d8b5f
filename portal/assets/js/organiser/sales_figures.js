// The numbers of a show's sales, and where its seats go.

import { fill, h } from "../dom.js";
import { dateTime, money, number, t } from "../i18n.js";
import { toMajor } from "../currency.js";
import { seatMapView } from "../seatmap/view.js";
import { share, tallyBar } from "./tally.js";

/** An element with `show(sales)`, `sayLast(record)` (to be called every second) and `line`, which says whether it is live. */
export function salesFigures(show) {
  const [sold, full, revenue] = [h("strong"), h("strong"), h("strong")];
  const bar = tallyBar();
  const last = h("p.muted.org-last-sale");
  const line = h("p.org-line", { role: "status" });
  const element = h("section.card.org-live",
    h("div.org-live-head", h("h2", t("org.sales.live")), line),
    h("div.org-figures",
      h("div", sold, h("span", t("org.sales.sold_of", { n: show.aforo_total }))),
      h("div", full, h("span", t("org.sales.full"))),
      h("div", revenue, h("span", t("org.sales.revenue")))),
    bar, last);
  element.line = line;
  element.show = (sales) => {
    const { tally } = sales;
    const some = tally.sold > 0 && tally.sold < tally.total;
    sold.textContent = number(tally.sold);
    full.textContent = number(share(tally.sold, tally.total), { style: "percent", maximumFractionDigits: some ? 1 : 0 });
    revenue.textContent = money(toMajor(sales.revenueMinor, show.moneda), show.moneda);
    bar.show(tally);
  };
  element.sayLast = ({ lastSaleAt, openedAt }) => {
    fill(last, lastSaleAt === null ? t("org.sales.no_sale_yet", { time: dateTime(new Date(openedAt), { timeStyle: "short" }) })
      : t("org.sales.last_sale", { ago: ago(Date.now() - lastSaleAt) }));
  };
  return element;
}

function ago(ms) {
  const seconds = Math.max(Math.floor(ms / 1_000), 0);
  if (seconds < 60) return t("org.ago.seconds", { n: seconds });
  if (seconds < 3_600) return t("org.ago.minutes", { n: Math.floor(seconds / 60) });
  return t("org.ago.hours", { n: Math.floor(seconds / 3_600) });
}

/** The seat map, to be looked at: an element with `refresh(indices)`, null for everything. */
export function occupancy(sales, signal) {
  const element = h("div.org-map");
  let view = null;
  element.refresh = (indices) => {
    if (view && indices !== null) {
      if (indices.length > 0) view.refresh(indices);
      return;
    }
    view?.destroy();
    view = seatMapView({
      map: sales.map, currency: sales.show.moneda, selected: new Set(), onToggle() {}, readOnly: true,
      label: t("org.sales.map_label", { name: sales.show.nombre }),
    });
    fill(element, view.element);
  };
  signal.addEventListener("abort", () => view?.destroy(), { once: true });
  element.refresh(null);
  return element;
}
