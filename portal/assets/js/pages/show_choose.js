// The part of the page where one chooses: the seats on a map or in a list, or how many, or "the best for me".

import { fill, h, uid } from "../dom.js";
import { money, number, t } from "../i18n.js";
import { seatPicker } from "../seatmap/picker.js";
import { announce, busyButton, field, select } from "../ui.js";

/** The seats of a numbered show. */
export function seatChooser(visit, notes, signal) {
  const picker = seatPicker({
    map: visit.map, currency: visit.show.moneda, selected: visit.selected, own: visit.own,
    readOnly: visit.mode !== "choosing", label: t("show.map_label", { name: visit.show.nombre }),
    onToggle(index) {
      if (visit.toggle(index)) {
        const n = visit.selected.size;
        announce(n === 0 ? t("show.chosen_none") : t("show.chosen", { n, total: money(visit.total, visit.show.moneda) }));
        notes.remove("limit");
      } else {
        notes.show("limit", "warning", limitText(visit));
      }
    },
  });
  visit.on("seats", (changed) => picker.refresh(changed ?? undefined));
  visit.on("mode", () => picker.setReadOnly(visit.mode !== "choosing"));
  signal.addEventListener("abort", () => picker.destroy());
  return picker.element;
}

/** Why no more can be chosen. */
export function limitText(visit) {
  const own = visit.show.max_por_usuario <= visit.seatLimit;
  return t(own ? "show.limit_reached" : "show.limit_at_once", { n: visit.seatLimit });
}

/** How many tickets, with a button for less and more. `max` may change: it is asked each time. */
export function stepper(label, { value, max, onChange, hint }) {
  const hintId = uid("hint");
  const control = h("input", { type: "number", id: uid("quantity"), min: "1", step: "1", inputmode: "numeric", value, "aria-describedby": hintId });
  const hintElement = h("p.hint", { id: hintId });
  const words = h("p.show-step-words", { role: "status" });
  const step = (by, name, sign) => h("button", { type: "button", "aria-label": t(name), title: t(name), on: { click: () => put(read() + by) } },
    h("span", { "aria-hidden": "true" }, sign));
  const [less, more] = [step(-1, "show.less", "−"), step(1, "show.more", "+")];
  const read = () => Math.trunc(Number(control.value)) || 1;

  function put(wanted) {
    const most = Math.max(1, max());
    const taken = Math.min(Math.max(1, wanted), most);
    words.textContent = wanted > most ? t("show.most", { n: most }) : "";
    control.value = taken;
    show();
    onChange(taken);
  }
  function show() {
    const now = read();
    control.max = Math.max(1, max());
    less.setAttribute("aria-disabled", String(now <= 1));
    more.setAttribute("aria-disabled", String(now >= max()));
    hintElement.textContent = hint();
  }
  control.addEventListener("change", () => put(read()));
  show();
  return {
    element: h("div.show-stepper", h("label", { for: control.id }, label), hintElement, h("div.show-step", less, control, more), words),
    show,
    put,
  };
}

/** "The best seats for me": how many, where, and the button that holds them. */
export function bestChooser(visit, askBest) {
  const options = () => [["", t("show.any_section")],
    ...visit.map.sections.map(({ name, price }, index) =>
      [name, t("seatlist.section_option", { section: name, price: money(price, visit.show.moneda), n: visit.map.counts(index).free })])];
  const section = field(t("show.section"), select([["", t("show.any_section")]]));
  const count = stepper(t("show.how_many"), {
    value: visit.quantity, max: () => visit.limit, hint: () => t("show.limit_text", { n: visit.show.max_por_usuario }),
    onChange: (quantity) => visit.count(quantity, section.value()),
  });
  section.control.addEventListener("change", () => visit.count(visit.quantity, section.value()));
  const button = busyButton(t("show.hold_best"), askBest);
  const body = h("div.show-best-body", count.element, section, button);
  const element = h("details.show-best", h("summary", t("show.best")), h("p.muted", t("show.best_hint")), body);
  // Only when it is opened: nobody reads the numbers of a thousand sections otherwise.
  element.addEventListener("toggle", () => {
    if (!element.open) return;
    fill(section.control, options().map(([value, text]) => h("option", { value }, text)));
    section.control.value = visit.section;
  });
  return element;
}

/** Tickets without numbers. */
export function countChooser(visit) {
  const { show } = visit;
  const most = () => Math.min(visit.limit, Math.max(1, show.entradas_disponibles));
  const count = stepper(t("show.how_many"), {
    value: visit.quantity, max: most, onChange: (quantity) => visit.count(quantity),
    hint: () => [t("show.limit_text", { n: show.max_por_usuario }),
      show.entradas_disponibles < visit.limit ? t("show.left_short", { n: show.entradas_disponibles }) : ""].filter(Boolean).join(" "),
  });
  // The number stays as it was chosen: news may be older than what one has just given back, and the server decides.
  visit.on("tally", count.show);
  return h("div.show-count", count.element, h("p.show-each", t("show.each", { price: money(show.precio, show.moneda) })),
    h("p.muted.show-unnumbered", t("show.unnumbered", { n: number(show.aforo_total) })));
}
