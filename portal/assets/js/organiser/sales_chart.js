// How many tickets are sold, as a line since the page was opened; the same as a table for whoever cannot see it.

import { fill, h, s } from "../dom.js";
import { dateTime, number, t } from "../i18n.js";
import { table } from "../ui.js";

const [WIDTH, HEIGHT] = [600, 160];
const MOST_ROWS = 30;
const clock = (time) => dateTime(new Date(time), { timeStyle: "medium" });

/** An element with `show(record)`. */
export function salesChart() {
  const area = s("path.org-chart-area");
  const line = s("path.org-chart-line", { "vector-effect": "non-scaling-stroke" });
  const picture = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" }, area, line);
  const labels = { high: h("span"), low: h("span"), from: h("span"), to: h("span") };
  const caption = h("figcaption");
  const rows = h("div");
  const details = h("details", h("summary", t("org.chart.as_table")), rows);
  const element = h("figure.org-chart",
    caption,
    h("div.org-chart-plot",
      h("div.org-chart-y", { "aria-hidden": "true" }, labels.high, labels.low), picture,
      h("div.org-chart-x", { "aria-hidden": "true" }, labels.from, labels.to)),
    details);
  let last = null;
  let written = -1;
  details.addEventListener("toggle", () => last && draw(last));

  function draw(record) {
    const now = Date.now();
    const values = record.points.map((point) => point.sold);
    const low = Math.min(...values);
    const high = Math.max(...values, low + 1);
    const x = (at) => ((at - record.openedAt) / Math.max(now - record.openedAt, 1)) * WIDTH;
    const y = (value) => HEIGHT - 3 - ((value - low) / (high - low)) * (HEIGHT - 6);
    // Sales are steps: between two of them nothing is sold.
    let path = `M0 ${y(values[0]).toFixed(1)}`;
    for (const { at, sold } of record.points.slice(1)) path += `H${x(at).toFixed(1)}V${y(sold).toFixed(1)}`;
    path += `H${WIDTH}`;
    line.setAttribute("d", path);
    area.setAttribute("d", `${path}V${HEIGHT}H0Z`);
    const change = values.at(-1) - record.first;
    const words = t("org.chart.words", { from: clock(record.openedAt), n: Math.abs(change), change: number(change, { signDisplay: "exceptZero" }) });
    picture.setAttribute("aria-label", words);
    fill(caption, words);
    fill(labels.high, number(high));
    fill(labels.low, number(low));
    fill(labels.from, clock(record.openedAt));
    fill(labels.to, clock(now));
    if (details.open && written !== record.version) {
      written = record.version;
      fill(rows, table(t("org.chart.title"), [
        [t("org.chart.until"), (row) => clock(row.at)],
        [t("org.chart.change"), (row) => number(row.change, { signDisplay: "exceptZero" }), { numeric: true }],
        [t("org.chart.total"), (row) => number(row.sold), { numeric: true }],
      ], record.rows(MOST_ROWS, now), { empty: t("org.chart.nothing") }));
    }
  }

  element.show = (record) => {
    last = record;
    draw(record);
  };
  return element;
}
