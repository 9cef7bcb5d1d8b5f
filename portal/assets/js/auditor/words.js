// An event of the log in plain words: what its kind is called, and one sentence of what it says.

import { has, shortDateTime, t } from "../i18n.js";
import { choiceWords, moneyWords, refusalWords, stepWords, timeOfDay, valueWords } from "./values.js";
import "./texts.js";

/** `tickets_held` of `tickets_held.v1`. */
export const nameOf = (kind) => kind.replace(/\.v\d+$/, "");

/** What the kind of an event is called. */
export function kindWords(kind) {
  const key = `audit.kind.${nameOf(kind)}`;
  return has(key) ? t(key) : t("audit.kind.unknown");
}

/** Seats named before it says only how many more there are. */
const NAMED = 6;

function seatsWords(seats) {
  if (!seats?.length) return "";
  const more = seats.length - NAMED;
  return `: ${seats.slice(0, NAMED).join(", ")}${more > 0 ? ` ${t("audit.say.seats_more", { n: more })}` : ""}`;
}

const tickets = (key) => (d) => t(key, { n: d.quantity, amount: d.amount && moneyWords(d.amount), seats: seatsWords(d.seats) });
const failure = (key) => (d) => t(key, { step: stepWords(d.failed_step), why: refusalWords(d.refusal) });

const SENTENCES = {
  show_scheduled: (d) => t("audit.say.show_scheduled", { n: capacityOf(d.layout), name: d.name, when: shortDateTime(new Date(d.starts_at_ms)) }),
  tickets_held: (d) => t("audit.say.tickets_held", {
    n: d.quantity, amount: moneyWords(d.amount), until: timeOfDay(new Date(d.deadline_ms)), seats: seatsWords(d.seats),
  }),
  hold_adopted: () => t("audit.say.hold_adopted"),
  hold_released: (d) => (d.quantity === 0 ? t("audit.say.hold_never")
    : t("audit.say.hold_released", { n: d.quantity, why: valueWords("reason", d.reason), seats: seatsWords(d.seats) })),
  tickets_sold: tickets("audit.say.tickets_sold"),
  tickets_returned: tickets("audit.say.tickets_returned"),
  show_cancelled: () => t("audit.say.show_cancelled"),
  reservation_requested: (d) => t("audit.say.reservation_requested", {
    choice: choiceWords(d.choice), amount: d.quantity > 0 ? moneyWords(d.amount) : t("audit.say.unquoted"),
  }),
  reservation_progressed: (d) => d.steps.map((one) => stepState(one)).join(" · "),
  compensation_started: failure("audit.say.compensation_started"),
  reservation_confirmed: (d) => t("audit.say.reservation_confirmed", {
    n: d.grant.quantity, amount: moneyWords(d.grant.amount), seats: seatsWords(d.grant.seats),
  }),
  reservation_rejected: failure("audit.say.reservation_rejected"),
  cancellation_requested: (d) => capital(valueWords("reason", d.reason)),
  saga_stuck: (d) => t("audit.say.saga_stuck", { step: stepWords(d.step), why: d.detail }),
  payment_captured: (d) => moneyWords(d.amount),
  payment_declined: (d) => capital(valueWords("reason", d.reason)),
  payment_refunded: (d) => moneyWords(d.amount),
  purchase_recorded: (d) => t("audit.say.purchase_recorded", { n: d.quantity, name: d.show_name, amount: moneyWords(d.amount) }),
  user_forgotten: (d) => capital(valueWords("reason", d.reason)),
  session_closed: (d) => capital(valueWords("why", d.why)),
  data_disclosed: (d) => capital(valueWords("what", d.what)),
  roles_changed: (d) => d.roles.map((role) => valueWords("roles", role)).join(", ") || t("audit.value.none"),
};

function stepState({ step, state }) {
  const words = { done: "hecho", failed: "fallido", compensated: "compensado" }[state];
  return `${stepWords(step)}: ${words ? t(`step.state.${words}`) : state}`;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** How many tickets a layout has. */
export function capacityOf(layout) {
  if (layout.kind === "general") return layout.capacity;
  return layout.sections.reduce((sum, one) => sum + one.rows * one.seats_per_row - (one.blocked?.length ?? 0), 0);
}

/** What an event says, in a sentence; "" when its kind says it all. */
export function sentence(record) {
  if (record.datos === null || typeof record.datos !== "object") return t("audit.say.unreadable");
  const say = SENTENCES[nameOf(record.tipo)];
  try {
    return say ? say(record.datos) : "";
  } catch {
    // Altered, or written by a later version: an auditor must see it all the same.
    return t("audit.say.unreadable");
  }
}
