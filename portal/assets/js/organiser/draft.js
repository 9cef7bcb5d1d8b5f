// A show that is being prepared. It outlives the page: a reload, a log-in, another language, a closed tab. Each tab works
// on its own draft; a copy of the latest lies in the storage that all tabs share, in case the tab is closed.

import { newKey } from "../api.js";
import { lasting, ofThisTab } from "../storage.js";
import { aislesAsText, blockedAsText, makeSection } from "./plan.js";

const KEPT_AS = "eventflow.draft.show";
const CURRENCY = "eventflow.draft.currency";
/** Local drafts older than this are not offered any more. */
const MAX_AGE_MS = 30 * 24 * 3_600_000;

/** Empty fields, as typed. */
export function emptyFields() {
  return {
    nombre: "", descripcion: "", fecha: "", lugar: "", categoria: "", moneda: lasting.get(CURRENCY) ?? "USD", precio: "",
    max_por_usuario: "10", seating: "general", aforo_total: "",
  };
}

/** A fresh draft: `key` is the idempotency key of its publication, `sent` the bodies that may have arrived under it. */
export function newDraft(userId) {
  return { id: newKey(), userId, key: newKey(), sent: [], fields: emptyFields(), sections: [], selected: 0, touched: false };
}

/** Keeps a draft. */
export function keep(draft) {
  const kept = { ...draft, savedAt: Date.now(), sections: draft.sections.map(packed) };
  ofThisTab.set(KEPT_AS, kept);
  if (draft.touched) lasting.set(KEPT_AS, kept);
  lasting.set(CURRENCY, draft.fields.moneda);
}

/** The draft of this tab, if it may be shown to who is here: what nobody in particular began, anybody may go on with. */
export function ofTab(userId) {
  return unpacked(ofThisTab.get(KEPT_AS), userId);
}

/** The latest draft of a tab that may be gone, or null. */
export function leftBehind(userId) {
  const kept = lasting.get(KEPT_AS);
  return kept && Date.now() - kept.savedAt < MAX_AGE_MS ? unpacked(kept, userId) : null;
}

/** The draft is published or thrown away: nobody is to be asked about it. */
export function forget(draft) {
  if (lasting.get(KEPT_AS)?.id === draft.id) lasting.set(KEPT_AS, null);
  if (ofThisTab.get(KEPT_AS)?.id === draft.id) ofThisTab.set(KEPT_AS, null);
}

function packed(section) {
  const { name, rows, seats, price } = section;
  return [name, rows, seats, price, aislesAsText(section), blockedAsText(section)];
}

function unpacked(kept, userId) {
  try {
    if (!kept || (kept.userId !== null && kept.userId !== userId)) return null;
    const sections = kept.sections.map(([name, rows, seats, price, aislesText, blockedText]) =>
      makeSection({ name, rows, seats, price, aislesText, blockedText }));
    return { ...kept, userId, fields: { ...emptyFields(), ...kept.fields }, sections };
  } catch {
    // Of another version of this page, or damaged: as good as none.
    return null;
  }
}
