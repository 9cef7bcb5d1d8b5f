// How a purchase stands, by its story alone: what the read models would say (crates/views/src/reservation.rs), for
// auditors, who read stories and not other people's purchases.

import { STATES, STEPS, major, refusalWords } from "./values.js";
import { nameOf } from "./words.js";

const LATE = new Set(["hold_expired", "too_late"]);

/** The purchase in the words of the API; `null` without the beginning of its story. */
export function standingOf(events, id) {
  const own = events.filter(({ stream }) => stream === `reservation-${id}`);
  const request = own.find(({ tipo }) => nameOf(tipo) === "reservation_requested")?.datos;
  if (!request) return null;
  const standing = {
    evento_id: request.show_id, usuario_id: request.user_id, estado: "pendiente", creada_en: iso(request.requested_at_ms),
    cantidad: request.quantity || (request.choice.seats?.length ?? request.choice.quantity), asientos: request.choice.seats,
    ...(request.quantity > 0 ? money(request.amount) : {}),
  };
  const steps = new Map(Object.keys(STEPS).map((step) => [step, { estado: "pendiente" }]));
  if (request.checked) for (const step of ["validate_user", "validate_show"]) steps.set(step, done(request.requested_at_ms));
  for (const { tipo, datos } of own) {
    for (const { step, state, at_ms } of datos.steps ?? []) steps.set(step, { estado: STATES[state] ?? state, en: iso(at_ms) });
    const held = datos.grant ?? datos.hold;
    if (held) Object.assign(standing, { cantidad: held.quantity, asientos: held.seats }, money(held.amount));
    if (datos.refusal) standing.why = refusalWords(datos.refusal);
    AFTER[nameOf(tipo)]?.(standing, datos);
  }
  standing.pasos = [...steps].map(([step, how]) => ({ paso: STEPS[step] ?? step, ...how }));
  return standing;
}

const reopened = (standing) => { standing.estado = standing.confirmada_en ? "confirmada" : "pendiente"; };
const AFTER = {
  reservation_confirmed: (standing, { confirmed_at_ms }) => Object.assign(standing, { estado: "confirmada", confirmada_en: iso(confirmed_at_ms) }),
  reservation_rejected(standing, { refusal }) {
    standing.estado = LATE.has(refusal.refusal) ? "vencida" : refusal.refusal === "cancelled" ? "cancelada" : "rechazada";
  },
  cancellation_requested: reopened,
  reservation_cancelled: (standing) => { standing.estado = "cancelada"; },
  saga_stuck: (standing) => { standing.estado = "atascada"; },
  saga_resumed: reopened,
};

const done = (at) => ({ estado: "hecho", en: iso(at) });
const iso = (ms) => new Date(ms).toISOString();
const money = (amount) => (amount ? { monto_total: major(amount), moneda: amount.currency } : {});
