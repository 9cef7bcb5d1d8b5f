// How a purchase stands, in plain words.

import { errorText, has, money, t } from "../i18n.js";

const STEP_OF_MONEY = "procesar_pago";
const stepState = (purchase, name) => purchase.pasos.find(({ paso }) => paso === name)?.estado;

/** The state that is told: the API's, and `cancelando` while a confirmed purchase is being undone. */
export function phase(purchase, isCancelling) {
  const isUndone = purchase.pasos.some(({ estado }) => estado === "compensado");
  if (purchase.estado === "confirmada" && (isCancelling || isUndone)) return "cancelando";
  if (purchase.estado === "pendiente" && isCancelling) return "cancelando";
  return purchase.estado;
}

/** Whether nothing more is expected to happen by itself. */
export const isFinal = (state) => !["pendiente", "cancelando"].includes(state);

const KINDS = {
  pendiente: "info", cancelando: "info", confirmada: "good", rechazada: "bad", vencida: "warning", cancelada: "info", atascada: "warning",
};
export const kindOf = (state) => KINDS[state] ?? "info";

/** Title and sentences about a state: `{title, texts}`; `show` when it is known. */
export function outcome(purchase, state, show = null) {
  const title = t(`buying.outcome.${state}`);
  if (state === "rechazada") return { title, texts: [reason(purchase), undone(purchase)] };
  if (state === "vencida") return { title, texts: [t("buying.outcome.vencida.text"), undone(purchase)] };
  if (state === "cancelada") return { title, texts: [cancelledBecause(purchase, show), undone(purchase)] };
  return { title, texts: [t(`buying.outcome.${state}.text`)] };
}

function reason(purchase) {
  if (!purchase.motivo) return t("error.unknown");
  const own = `buying.reason.${purchase.motivo}`;
  return has(own) ? t(own) : errorText(purchase.motivo);
}

/** A purchase does not say whether its buyer or its show was the reason. */
function cancelledBecause({ motivo }, show) {
  return t(motivo === "EVENTO_NO_DISPONIBLE" || show?.estado === "cancelado" ? "buying.outcome.cancelada.show" : "buying.outcome.cancelada.text");
}

/** What became of the money and the tickets. */
function undone(purchase) {
  const amount = purchase.monto_total;
  const told = [];
  const paid = stepState(purchase, STEP_OF_MONEY);
  if (amount > 0 && paid === "compensado") {
    told.push(t("buying.undone.money", { amount: money(amount, purchase.moneda) }));
  } else if (amount > 0 && purchase.motivo !== "PAGO_RECHAZADO") {
    // Asked for, and no answer in time: the payment is voided, or given back.
    told.push(t(paid === "fallido" ? "buying.undone.if_charged" : "buying.undone.no_money"));
  }
  if (stepState(purchase, "reservar_inventario") === "compensado") told.push(t("buying.undone.tickets"));
  return told.join(" ");
}
