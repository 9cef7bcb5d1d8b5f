// Which command decided an event. The log keeps only the command's id; but the saga's ids follow from the reservation's
// id and the name of what it asked (version 5 of RFC 9562), so they are computed here and compared: nothing is guessed.

const ASKS = {
  request: ["request"],
  validate_user: ["ask", "validate_user"], validate_show: ["ask", "validate_show"], describe_show: ["ask", "validate_show"],
  hold_inventory: ["ask", "hold_inventory"], take_payment: ["ask", "take_payment"],
  record_history: ["ask", "record_history"], confirm: ["ask", "confirm"],
  "undo-record_history": ["undo", "record_history"], "undo-take_payment": ["undo", "take_payment"],
  "undo-hold_inventory": ["undo", "hold_inventory"],
  show_cancelled: ["show_cancelled"],
};
/** A payment may be written in so many pieces at the most; each has an id of its own. */
const PAYMENT_WRITES = 16;
const STEPS = ["validate_user", "validate_show", "hold_inventory", "take_payment", "record_history", "confirm"];
const STATES = ["done", "failed", "compensated"];

/**
 * For each event of a purchase's story what decided it: `{what, step?}`, `what` being one of `request`, `ask`, `undo`,
 * `note` (the saga wrote down what it had heard), `show_cancelled`; null where the id says nothing to us, or where the
 * browser cannot compute it (it only does on secure connections).
 */
export async function commandsOf(story, reservationId) {
  if (!globalThis.crypto?.subtle || story.length === 0) return story.map(() => null);
  const known = new Map();
  for (const [name, [what, step]] of Object.entries(ASKS)) {
    const id = await derived(reservationId, name);
    known.set(id, { what, step });
    if (step !== "take_payment") continue;
    for (let write = 0; write < PAYMENT_WRITES; write += 1) known.set(await derived(id, `payment-${write}`), { what, step });
  }
  for (const batch of notes(story, reservationId)) {
    if (known.has(batch.id)) continue;
    if ((await derived(reservationId, batch.name)) === batch.id) known.set(batch.id, { what: "note" });
  }
  return story.map((record) => known.get(record.causa?.causacion) ?? null);
}

/** What the saga wrote at once, with the name from which the id of each such write follows. */
function notes(story, reservationId) {
  const batches = new Map();
  for (const { stream, revision, tipo, datos, causa } of story) {
    if (stream !== `reservation-${reservationId}` || !causa || !datos) continue;
    const batch = batches.get(causa.causacion) ?? { id: causa.causacion, name: `saga:${revision}` };
    batches.set(causa.causacion, batch);
    batch.name += `:${tipo}`;
    for (const { step, state, at_ms } of datos.steps ?? []) batch.name += `,${STEPS.indexOf(step)}${STATES.indexOf(state)}@${at_ms}`;
  }
  return batches.values();
}

/** A version 5 UUID of a name under another UUID. */
async function derived(namespace, name) {
  const space = namespace.replaceAll("-", "").match(/../g).map((byte) => parseInt(byte, 16));
  const digest = await crypto.subtle.digest("SHA-1", new Uint8Array([...space, ...new TextEncoder().encode(name)]));
  const bytes = new Uint8Array(digest, 0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x50;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
