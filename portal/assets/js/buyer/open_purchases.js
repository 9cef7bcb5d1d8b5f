// Purchases of this browser that were not settled when they were last seen: the history only lists what was sold.

import * as session from "../session.js";
import { lasting } from "../storage.js";

const MOST = 20;
const keptAs = () => `eventflow.open.${session.current().userId}`;

/** Their ids, the newest first. */
export const openPurchases = () => (session.loggedIn() ? (lasting.get(keptAs()) ?? []) : []);

export function noteOpen(id) {
  if (!session.loggedIn()) return;
  lasting.set(keptAs(), [id, ...openPurchases().filter((one) => one !== id)].slice(0, MOST));
}

export function noteSettled(id) {
  if (!session.loggedIn()) return;
  const left = openPurchases().filter((one) => one !== id);
  lasting.set(keptAs(), left.length > 0 ? left : null);
}

/** Nothing of this person stays here. */
export function forgetOpen() {
  if (session.loggedIn()) lasting.set(keptAs(), null);
}
