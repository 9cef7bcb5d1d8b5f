// Tickets are held for somebody: how long still, what they cost, paying them or giving them back.

import { fill, h, uid } from "../dom.js";
import { money, t } from "../i18n.js";
import { announce, busy, busyButton, problem } from "../ui.js";
import { heldList } from "./show_panel.js";

/** The simulated gateway's tokens; each has its words in `show.card.…`. */
const CARDS = ["tok_ok", "tok_rechazada", "tok_sin_fondos", "tok_lenta", "tok_sin_respuesta", "tok_cobra_y_calla", "tok_falla_captura"];
/** Seconds left at which a screen reader is told. */
const MARKS = [300, 120, 60];

/**
 * `{panel, bar, stop()}`.
 * @param {{onPay(token), onGiveBack(), onOver()}} acts
 */
export function heldPanel(visit, { onPay, onGiveBack, onOver }) {
  const { hold } = visit;
  const title = h("h2", { tabindex: "-1" }, t("show.held"));
  const clock = countdown(visit, onOver);
  const failure = h("div");
  const free = hold.monto_total === 0;
  const button = h("button.primary", { type: "submit" }, free ? t("show.pay_nothing") : t("show.pay", { total: money(hold.monto_total, hold.moneda) }));
  const form = h("form.show-pay", { id: uid("pay"), novalidate: true }, cards(visit), failure);
  button.setAttribute("form", form.id);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(button, async () => {
      fill(failure);
      await onPay(visit.kept.get().card).catch((error) => fill(failure, problem(error)));
    });
  });
  const back = busyButton(t("show.give_back"), async () => {
    fill(failure);
    await onGiveBack().catch((error) => fill(failure, problem(error)));
  }, { kind: "quiet" });
  const panel = h("section.show-panel.held", title, clock.element, heldList(visit), form);
  const bar = h("div.show-bar",
    h("p.show-sum", h("span.show-sum-label", t("show.total")), h("span.show-total", money(hold.monto_total, hold.moneda))), button, back);
  return { panel, bar, title, stop: clock.stop };
}

function cards(visit) {
  const chosen = visit.kept.get().card;
  const group = uid("card");
  return h("fieldset", h("legend", t("show.card")), h("p.hint", t("show.card_hint")),
    CARDS.map((token) => {
      const control = h("input", { type: "radio", name: group, value: token, checked: token === chosen });
      control.addEventListener("change", () => visit.kept.update({ card: token }));
      return h("label.show-card", control, h("span", t(`show.card.${token}`)));
    }));
}

/** Counts down without chatter: seconds are only seen, marks are said. */
function countdown(visit, onOver) {
  const digits = h("span.show-digits");
  const bar = h("span.show-timebar", { "aria-hidden": "true" });
  const element = h("div.show-clock", h("span", t("show.time_left")),
    h("span.show-time", { role: "timer", "aria-live": "off", "aria-label": t("show.time_left") }, digits), bar);
  const whole = Math.max(visit.deadline - Date.now(), 1);
  let before = Infinity;

  function tick() {
    const left = Math.max(0, Math.ceil((visit.deadline - Date.now()) / 1_000));
    digits.textContent = `${String(Math.floor(left / 60)).padStart(2, "0")}:${String(left % 60).padStart(2, "0")}`;
    bar.style.setProperty("--part", Math.min(1, Math.max(0, (visit.deadline - Date.now()) / whole)));
    element.classList.toggle("short", left <= 60);
    const mark = MARKS.findLast((seconds) => left <= seconds && before > seconds);
    if (mark && before !== Infinity) announce(t("show.minutes_left", { n: mark / 60 }), mark === 60);
    before = left;
    if (left > 0) return;
    clearInterval(timer);
    onOver();
  }
  const timer = setInterval(tick, 500);
  tick();
  return { element, stop: () => clearInterval(timer) };
}
