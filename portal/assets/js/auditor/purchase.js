// How a purchase stands now, and what became of its money by the gateway's account and by the log's.

import { h } from "../dom.js";
import { errorText, has, number, t } from "../i18n.js";
import { facts, tag } from "../ui.js";
import { short, showHref, streamHref } from "./ids.js";
import { exactMoney, major, timeElement } from "./values.js";
import { nameOf } from "./words.js";

const KINDS = { confirmada: "good", pendiente: "info", atascada: "bad", rechazada: "warning", vencida: "warning", cancelada: "" };

/** The reservation as readers see it or as its story tells it; without it (the read models are behind) what is known. */
export function stateSummary(state, events) {
  const request = events.find(({ tipo }) => nameOf(tipo) === "reservation_requested")?.datos ?? {};
  const show = state?.evento_id ?? request.show_id;
  const user = state?.usuario_id ?? request.user_id;
  const name = request.checked?.show_name ?? events.map(({ datos }) => datos?.show_name).find(Boolean);
  return h("section.card.audit-now", { "aria-label": t("audit.purchase.now") },
    state ? h("p", stateTag(state.estado), reason(state) ? h("span", ` ${reason(state)}`) : null)
      : h("p.muted", t("audit.purchase.no_state")),
    facts([
      [t("audit.field.show_id"), show && h("a", { href: showHref(show, lastPosition(events, show)) }, name ?? short(show))],
      [t("audit.field.user_id"), user && h("a", { href: streamHref(`user-${user}`) }, h("code", { title: user }, short(user)))],
      [t("audit.field.quantity"), state && number(state.cantidad)],
      [t("audit.field.seats"), state?.asientos?.join(", ")],
      [t("audit.purchase.total"), state?.moneda && exactMoney(state.monto_total, state.moneda)],
      [t("audit.field.requested_at_ms"), state && timeElement(state.creada_en)],
      [t("audit.field.confirmed_at_ms"), state?.confirmada_en && timeElement(state.confirmada_en)],
    ]),
    state ? stepList(state.pasos) : null);
}

const reason = ({ motivo, why }) => (motivo ? errorText(motivo, motivo) : why);

/** The show is looked at as it was right behind the purchase's last event there. */
const lastPosition = (events, show) => events.findLast(({ stream }) => stream === `show-${show}`)?.posicion;

export const stateTag = (state) => tag(has(`reservation.state.${state}`) ? t(`reservation.state.${state}`) : state, KINDS[state] ?? "");

const MARKS = { hecho: "✓", fallido: "✕", compensado: "↺", pendiente: "·" };

/** The six steps of the saga, each with a sign and in words. */
export function stepList(steps) {
  return h("ol.audit-steps", steps.map(({ paso, estado, en }) =>
    h("li", { class: `is-${estado}` },
      h("span.audit-mark", { "aria-hidden": "true" }, MARKS[estado] ?? "?"),
      h("span", has(`step.${paso}`) ? t(`step.${paso}`) : paso, h("span.unseen", ":"), " ",
        h("span.audit-step-state", has(`step.state.${estado}`) ? t(`step.state.${estado}`) : estado)),
      en ? h("span.unseen", " ", timeElement(en)) : null)));
}

/** What the log says was taken and given back, in major units. */
export function storySums(events) {
  const sums = { captured: 0, refunded: 0 };
  for (const { tipo, datos } of events) {
    if (!datos?.amount) continue;
    if (nameOf(tipo) === "payment_captured") sums.captured += major(datos.amount);
    if (nameOf(tipo) === "payment_refunded") sums.refunded += major(datos.amount);
  }
  return sums;
}

/** The gateway's account of the money, and whether the log agrees with it. */
export function moneySummary(money, sums) {
  if (!money) return h("p.muted", t("audit.money.none"));
  const amount = (value) => exactMoney(value, money.moneda);
  const same = Math.abs(money.capturado - sums.captured) < 1e-6 && Math.abs(money.reembolsado - sums.refunded) < 1e-6;
  return h("section.card.audit-money", { "aria-label": t("audit.money.title") },
    h("dl",
      h("div", h("dt", t("audit.money.authorised")), h("dd", amount(money.autorizado))),
      h("div", h("dt", t("audit.money.captured")), h("dd", amount(money.capturado))),
      h("div", h("dt", t("audit.money.refunded")), h("dd", amount(money.reembolsado))),
      h("div.audit-kept", h("dt", t("audit.money.kept")), h("dd", amount(money.capturado - money.reembolsado)))),
    h("p", { class: same ? "audit-agrees" : "audit-differs" },
      h("span", { "aria-hidden": "true" }, same ? "✓ " : "✕ "),
      same ? t("audit.money.agrees")
        : t("audit.money.differs", { captured: amount(sums.captured), refunded: amount(sums.refunded) })));
}
