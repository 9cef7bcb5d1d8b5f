// Reading a show's stream, in pages, into a history.

import { get } from "../api.js";

/** How many events are read at once, and before anybody is asked whether to go on. */
const PAGE = 1_000;
export const STRETCH = 20_000;
/** More than this is too much for a page in a browser; the server answers about any moment all the same. */
export const MOST = 200_000;

/** Reads on until the end or `STRETCH` more; true when there is more. `onPage(count)` tells how many there are so far. */
export async function readOn(id, history, { signal, onPage }) {
  const until = Math.min(history.length + STRETCH, MOST);
  while (history.length < until) {
    const from = (history.records.at(-1)?.revision ?? -1) + 1;
    const { data } = await get(`/api/auditoria/streams/show-${id}`, { query: { desde: from, limite: PAGE }, signal });
    history.add(data);
    onPage(history.length);
    if (data.length < PAGE) return false;
  }
  return true;
}
