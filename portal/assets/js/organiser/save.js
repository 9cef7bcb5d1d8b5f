// Files for the reader: what was made here, or what the API sends. A link to a Blob, pressed by the program: an address
// alone could not carry the token.

import { ApiError } from "../api.js";
import { h } from "../dom.js";
import * as session from "../session.js";

/** Time for the browser to take the Blob. */
const KEPT_MS = 60_000;

/** Saves a Blob as a file. */
export function save(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}

/** Saves what the API answers, byte by byte; throws `ApiError`. */
export async function saveFrom(path, name, signal) {
  const send = async () => {
    const headers = await session.header();
    if (headers === null) throw new ApiError(401, { codigo: "NO_AUTENTICADO" });
    try {
      return await fetch(path, { headers, signal, cache: "no-store", credentials: "omit" });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw new ApiError(0, { detail: String(error.message ?? error) });
    }
  };
  let response = await send();
  if (response.status === 401 && (await session.renew())) response = await send();
  if (!response.ok) throw new ApiError(response.status, await response.json().catch(() => ({})));
  let blob;
  try {
    blob = await response.blob();
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    // Half an export is none.
    throw new ApiError(0, { detail: String(error.message ?? error) });
  }
  save(blob, name);
}

/** A name as part of a file's name. */
export function fileName(text, fallback) {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
  return plain.slice(0, 60).toLowerCase() || fallback;
}
