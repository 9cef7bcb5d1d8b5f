// What is chosen, what it costs, and the button that holds it. On a phone the button keeps to the lower edge of the window.

import { fill, h } from "../dom.js";
import { money, t } from "../i18n.js";
import { announce, busy } from "../ui.js";
import { seatWords } from "../seatmap/words.js";

/** `{panel, bar}`. `askHold` holds what is chosen. */
export function selectionPanel(visit, chooser, askHold) {
  const { show } = visit;
  const list = h("ul.show-seats");
  const none = h("p.muted", t("show.nothing_chosen"));
  const clear = h("button.quiet", { type: "button", on: { click: () => {
    visit.choose([]);
    announce(t("show.chosen_none"));
    title.focus();
  } } }, t("show.clear"));
  const title = h("h2", { tabindex: "-1" }, t(visit.numbered ? "show.selection" : "show.tickets"));
  const total = h("span.show-total");
  const label = h("span");
  const button = h("button.primary", { type: "button" }, label);
  button.addEventListener("click", () => busy(button, askHold));
  const panel = h("section.show-panel", title,
    visit.numbered ? [none, list, clear, h("p.hint", t("show.limit_text", { n: show.max_por_usuario }))] : chooser);
  const bar = h("div.show-bar", h("p.show-sum", h("span.show-sum-label", t("show.total")), total), button);

  function draw() {
    const count = visit.numbered ? visit.selected.size : visit.quantity;
    if (visit.numbered) seats();
    total.textContent = money(visit.total, show.moneda);
    label.textContent = count === 0 ? t("show.hold") : t("show.hold_n", { n: count });
    const impossible = count === 0 || show.entradas_disponibles === 0;
    button.disabled = impossible;
    bar.classList.toggle("idle", count === 0);
  }

  /** Rows are kept where they are: whoever is on a button of one must not lose it. */
  function seats() {
    const wanted = visit.seats;
    const present = new Map([...list.children].map((row) => [Number(row.dataset.seat), row]));
    for (const [index, row] of present) if (!visit.selected.has(index)) leave(row);
    wanted.forEach((index, at) => {
      const row = present.get(index) ?? seat(index);
      if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
    });
    none.hidden = wanted.length > 0;
    clear.hidden = wanted.length < 2;
  }

  function leave(row) {
    const focused = row.contains(document.activeElement);
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    if (focused) (neighbour?.querySelector("button") ?? title).focus();
  }

  function seat(index) {
    const name = seatWords(visit.map, index);
    const price = money(visit.map.priceOf(index), show.moneda);
    return h("li", { dataset: { seat: index } },
      h("span.show-seat", name), h("span.show-seat-price", price),
      h("button.quiet", { type: "button", "aria-label": t("show.remove", { seat: name }), title: t("show.remove", { seat: name }), on: {
        click() {
          visit.toggle(index);
          announce(t("show.removed", { seat: name }));
        },
      } }, h("span", { "aria-hidden": "true" }, "×")));
  }

  visit.on("selection", draw);
  visit.on("tally", draw);
  draw();
  return { panel, bar };
}

/** Nothing can be bought any more. */
export function closedPanel(visit) {
  const { estado } = visit.show;
  const panel = h("section.show-panel", h("h2", t(`show.closed_title.${estado}`)), h("p", t(`show.closed_more.${estado}`)),
    h("p", h("a.button", { href: "#/" }, t("show.other_shows"))));
  return { panel, bar: null };
}

/** The list of what is held. */
export function heldList(visit) {
  const { hold, show } = visit;
  const list = h("ul.show-seats");
  if (visit.numbered && hold.asientos) {
    fill(list, hold.asientos.map((name) => {
      const index = visit.map.indexOf(name);
      return h("li", h("span.show-seat", index < 0 ? name : seatWords(visit.map, index)),
        index < 0 ? null : h("span.show-seat-price", money(visit.map.priceOf(index), show.moneda)));
    }));
  } else {
    fill(list, h("li", h("span.show-seat", t("show.n_tickets", { n: hold.cantidad })), h("span.show-seat-price", money(hold.monto_total, hold.moneda))));
  }
  return list;
}
