// Which event made another happen. A saga takes its steps strictly one after the other, so what made it ask for a step is
// the latest answer to the step before; a hold that is used or expires follows from its beginning.

import { nameOf } from "./words.js";

const UNDOING = ["compensation_started", "cancellation_requested", "saga_resumed"];
const UNDONE = ["purchase_unrecorded", "payment_refunded", "payment_voided", "payment_declined", "hold_released", "tickets_returned"];

/** Before each kind of event in the streams of show, payment and user, what the saga was waiting for. */
const BEFORE = {
  "ask hold_inventory": ["reservation_requested", "reservation_progressed"],
  "ask take_payment": ["tickets_held", "hold_adopted"],
  "ask record_history": ["payment_captured"],
  "ask confirm": ["purchase_recorded"],
  "undo record_history": UNDOING,
  "undo take_payment": [...UNDOING, "purchase_unrecorded"],
  "undo hold_inventory": [...UNDOING, "purchase_unrecorded", "payment_refunded", "payment_voided", "payment_declined"],
};
/** Before what the saga writes in its own stream. */
const NOTED = {
  reservation_progressed: ["tickets_held", "hold_adopted", "payment_captured", "purchase_recorded", ...UNDONE],
  compensation_started: ["reservation_requested", "tickets_held", "hold_adopted", "payment_captured", "purchase_recorded", "payment_declined", "hold_released"],
  reservation_confirmed: ["tickets_sold"],
  reservation_rejected: [...UNDOING, ...UNDONE],
  reservation_cancelled: [...UNDOING, ...UNDONE],
  saga_stuck: [...UNDOING, ...UNDONE],
  saga_resumed: ["saga_stuck"],
};
/** The step that an event of another stream answers, for where its command could not be told by its id. */
const USUALLY = {
  tickets_held: "ask hold_inventory", hold_adopted: "ask hold_inventory", payment_captured: "ask take_payment",
  payment_declined: "ask take_payment", purchase_recorded: "ask record_history", tickets_sold: "ask confirm",
  purchase_unrecorded: "undo record_history", payment_refunded: "undo take_payment", payment_voided: "undo take_payment",
  tickets_returned: "undo hold_inventory", hold_released: "undo hold_inventory",
};

/**
 * For each event of a story, in order, the index of the event that it follows from, or null.
 * @param {Object[]} story
 * @param {(Object|null)[]} commands of `commandsOf`
 */
export function causesOf(story, commands) {
  const names = story.map((record) => nameOf(record.tipo));
  const latest = (before, kinds, holds = () => true) => {
    for (let at = before - 1; at >= 0; at -= 1) if (kinds.includes(names[at]) && holds(story[at])) return at;
    return null;
  };
  return story.map((record, index) => {
    const name = names[index];
    // Decided in the same breath as the one before: both follow from the same.
    const twin = story.findIndex((other) => sameDecision(other, record));
    const at = twin >= 0 && twin < index ? twin : index;
    const hold = record.datos?.hold_id;
    const sameHold = (other) => other.datos?.hold_id === hold;
    if (name === "reservation_requested") return requestCause(record, index, latest);
    if (name === "hold_released" && record.datos?.reason !== "compensated") return latest(at, ["tickets_held"], sameHold);
    const saga = record.causa?.actor === "saga";
    if (NOTED[name]) return saga || name === "saga_resumed" ? latest(at, NOTED[name]) : null;
    const command = commands[index];
    const asked = command?.step ? `${command.what} ${command.step}` : saga ? USUALLY[name] : null;
    return asked && BEFORE[asked] ? latest(at, BEFORE[asked]) : null;
  });
}

function sameDecision(one, other) {
  return one.stream === other.stream && one.causa && other.causa && one.causa.causacion === other.causa.causacion;
}

/** A purchase that uses a hold made before follows from it. */
function requestCause({ datos }, index, latest) {
  if (datos?.choice?.kind !== "hold") return null;
  return latest(index, ["tickets_held"], (other) => other.datos?.hold_id === datos.choice.hold_id);
}
