// Sending a show under the one key of its draft. An answer may be lost: whatever was sent and may have arrived is
// remembered, so that pressing again, also after a correction, never makes a second show without being asked.

import * as api from "../api.js";

const PATH = "/api/eventos";
/** Versions of one draft whose fate is unknown; more than that is somebody hammering at a dead server. */
const MOST_SENT = 5;

/**
 * Publishes. `{id, name, position}` of the show; with `earlier: true` when an earlier version of the draft had arrived.
 * @param {Object} draft its `key`, and `sent`: the bodies (JSON) that may have arrived under it
 * @param {Object} body
 * @param {{keep: function(): void, signal: AbortSignal}} options `keep` stores the draft
 */
export async function publish(draft, body, { keep, signal }) {
  const text = JSON.stringify(body);
  const before = (draft.sent ?? []).filter((one) => one !== text);
  draft.sent = [...before, text].slice(-MOST_SENT);
  keep();
  try {
    return result(await api.post(PATH, body, { key: draft.key, signal }));
  } catch (error) {
    if (error.code === "CLAVE_REUTILIZADA" && before.length > 0) {
      const arrived = await findEarlier(before, draft.key, signal);
      if (arrived) return { ...arrived, earlier: true };
    }
    // A refusal made nothing: this version is not out there.
    if (error.status >= 400 && error.status < 500 && error.status !== 408 && error.status !== 429) {
      draft.sent = before;
      keep();
    }
    throw error;
  }
}

/** The same body under the same key is answered as it was the first time. */
async function findEarlier(texts, key, signal) {
  for (const text of texts) {
    try {
      return result(await api.post(PATH, JSON.parse(text), { key, signal }));
    } catch (error) {
      if (error.code !== "CLAVE_REUTILIZADA") throw error;
    }
  }
  return null;
}

const result = ({ data, position }) => ({ id: data.evento_id, name: data.nombre, position });
