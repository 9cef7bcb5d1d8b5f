// Shows that purchases are for; several may be for the same.

import { get } from "../api.js";

const LASTS_MS = 60_000;
const known = new Map();

/** The show, or null when it cannot be had: a purchase is worth showing without. `anew`: not as it was a while ago. */
export async function showOf(id, signal, { anew = false } = {}) {
  const found = known.get(id);
  if (!anew && found && Date.now() - found.at < LASTS_MS) return found.show;
  try {
    const { data } = await get(`/api/eventos/${id}`, { signal, attempts: 2 });
    known.set(id, { show: data, at: Date.now() });
    return data;
  } catch {
    return found?.show ?? null;
  }
}
