// Ids, the names of streams, and the addresses of the pages that tell about them.

import { href } from "../router.js";

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

/** The id in what somebody pasted: an id, a stream's name, an address. Null when there is none. */
export function idIn(text) {
  return UUID.exec(text)?.[0].toLowerCase() ?? null;
}

/** `{kind, id}` of a stream's name such as `show-…`; kind is "" when it is not one of the platform's. */
export function partsOf(stream) {
  const dash = stream.indexOf("-");
  const id = stream.slice(dash + 1);
  return dash > 0 && UUID.exec(id)?.[0] === id ? { kind: stream.slice(0, dash), id } : { kind: "", id: stream };
}

/** The beginning of an id, enough to tell it from its neighbours. */
export const short = (id) => (id.length > 13 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id);

/** A stream's name with its id shortened. */
export function shortStream(name) {
  const { kind, id } = partsOf(name);
  return kind ? `${kind}-${short(id)}` : name;
}

export const purchaseHref = (id) => href(`/auditoria/reserva/${encodeURIComponent(id)}`);
export const showHref = (id, position) => href(`/auditoria/evento/${encodeURIComponent(id)}`, { hasta: position });
export const streamHref = (name, from) => href("/auditoria", { stream: name, desde: from });

/** The page that tells most about an event of a stream: a purchase's timeline, a show's slider, else the stream. */
export function bestHref(stream, { position, revision } = {}) {
  const { kind, id } = partsOf(stream);
  if (kind === "reservation" || kind === "payment") return purchaseHref(id);
  if (kind === "show") return showHref(id, position);
  return streamHref(stream, revision);
}
