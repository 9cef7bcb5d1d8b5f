// What a show is: name, date, place, prices, and how many tickets are left, live.

import { h } from "../dom.js";
import { dateTime, money, number, t } from "../i18n.js";
import { announce, facts, tag } from "../ui.js";

/** A description that is longer than this is folded. */
const LONG = 480;

export function head(visit) {
  const { show } = visit;
  const state = h("span");
  const left = h("p.show-left");
  const bar = h("meter", { min: 0, max: Math.max(show.aforo_total, 1), "aria-label": t("show.availability") });
  const line = h("p.show-live", { role: "status" });
  const element = h(
    "header.show-head",
    h("p.show-back", h("a", { href: "#/" }, h("span", { "aria-hidden": "true" }, "← "), t("nav.back_to_shows"))),
    h("p.show-tags", show.categoria ? tag(show.categoria) : null, state),
    h("h1", show.nombre),
    h("div.show-facts", facts([
      [t("show.when"), h("time", { datetime: show.fecha }, dateTime(show.fecha))],
      [t("show.where"), show.lugar],
      [t("show.price"), priceText(visit)],
    ])),
    description(show.descripcion),
    h("div.show-availability", left, bar, line),
  );

  let before = null;
  function tally() {
    const { estado, entradas_disponibles: free, entradas_retenidas: held, aforo_total: all } = show;
    state.replaceChildren(tag(t(`show.state.${estado}`), { activo: "good", cancelado: "bad" }[estado] ?? ""));
    bar.value = free;
    left.textContent = free > 0 ? t("show.left", { n: free, all: number(all) })
        : held > 0 ? t("show.sold_out_held", { n: held }) : t("show.sold_out");
    // Else the desk says it.
    left.hidden = bar.hidden = estado !== "activo";
    if (before !== null && before > 0 && free === 0 && estado === "activo") announce(left.textContent);
    before = free;
  }
  function live() {
    line.classList.toggle("off", !visit.live);
    line.textContent = visit.live ? t("show.live") : t("connection.lost");
    line.hidden = show.estado !== "activo";
  }
  tally();
  live();
  visit.on("tally", () => {
    tally();
    live();
  });
  visit.on("live", live);
  return element;
}

function priceText({ show, map }) {
  const prices = map ? map.sections.map((section) => section.price) : [show.precio];
  const [low, high] = [prices.reduce((a, b) => Math.min(a, b)), prices.reduce((a, b) => Math.max(a, b))];
  if (high === 0) return t("show.free_of_charge");
  return low === high ? money(low, show.moneda) : t("show.price_range", { low: money(low, show.moneda), high: money(high, show.moneda) });
}

function description(text) {
  if (!text) return null;
  const words = h("p.show-description", text);
  return text.length <= LONG ? words : h("details.show-about", h("summary", t("show.about")), words);
}
