// Calls of the HTTP API. Every POST carries an Idempotency-Key, so that one whose answer was lost is simply sent again:
// the server does it once. Reads after a command say which position of the log they must have seen.

import * as session from "./session.js";

/** A problem document (RFC 9457) as an error. `status` is 0 when no answer came at all. */
export class ApiError extends Error {
  constructor(status, body, retryAfter = null) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = body.codigo ?? unspoken(status);
    this.detail = body.detail ?? "";
    /** `[{campo, mensaje}]` */
    this.fields = body.errores ?? [];
    this.retryAfter = retryAfter;
    this.body = body;
  }
}

/** What an answer means that did not come from the API: from a proxy before it, or none. */
function unspoken(status) {
  if (status === 0) return "SIN_CONEXION";
  return status >= 502 && status <= 504 ? "SERVICIO_NO_DISPONIBLE" : "";
}

/** How often a call is tried when the server is away or busy: a restart takes some seconds. */
const ATTEMPTS = 7;
const LONGEST_PAUSE_MS = 4_000;
/** An answer that takes longer will not come, in milliseconds. */
const PATIENCE_MS = 60_000;
/** The same for answers over the whole log or all that is known of a person: as long as nginx waits for them. */
export const LONG_MS = 600_000;

const waiting = new Set();
const listeners = new Set();

/** Calls back with how many calls wait for a server that does not answer. */
export function onWaiting(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell() {
  for (const listener of listeners) listener(waiting.size);
}

/** A new idempotency key. Keep it with the intention (one press of a button), not with the call. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * One call. Resolves to `{status, data, position, location, serverTime}` for 2xx, else throws `ApiError`.
 * @param {string} method
 * @param {string} path such as `/api/eventos`
 * @param {Object} [options]
 * @param {Object} [options.query] parameters; null, undefined and "" are left out
 * @param {*} [options.body] sent as JSON
 * @param {string} [options.key] Idempotency-Key; a POST gets one of its own otherwise
 * @param {string} [options.prefer] such as `wait=10`
 * @param {AbortSignal} [options.signal] the page's: ends the call without an answer
 * @param {number} [options.attempts] 1 when the call is not worth repeating
 */
export async function call(method, path, options = {}) {
  const url = path + queryOf(options.query);
  const headers = { Accept: "application/json, application/problem+json" };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (method === "POST") headers["Idempotency-Key"] = options.key ?? newKey();
  if (options.prefer) headers.Prefer = options.prefer;
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  const mark = {};
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once(method, url, headers, body, options.signal, options.patience);
      } catch (error) {
        const again = isPassing(error) && repeatable(method) && attempt < (options.attempts ?? ATTEMPTS);
        if (!again || options.signal?.aborted) throw error;
        waiting.add(mark);
        tell();
        const pause = (error.retryAfter ?? 0) * 1_000 || 250 * 2 ** attempt;
        await sleep(Math.min(pause, LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2), options.signal);
      }
    }
  } finally {
    if (waiting.delete(mark)) tell();
  }
}

const repeatable = (method) => method !== "PUT";

/** No answer, or one that says "later"; not when later is so late that somebody has to be told. */
function isPassing(error) {
  if (!(error instanceof ApiError)) return false;
  if (error.status === 429) return (error.retryAfter ?? 1) * 1_000 <= LONGEST_PAUSE_MS;
  return error.status === 0 || (error.status >= 502 && error.status <= 504);
}

async function once(method, url, headers, body, signal, patience) {
  const sent = await session.header();
  if (sent === null) throw new ApiError(401, { codigo: "NO_AUTENTICADO" });
  let { response, data } = await send(method, url, { ...headers, ...sent }, body, signal, patience);
  if (response.status === 401 && sent.Authorization && data?.codigo !== "CREDENCIALES_INVALIDAS") {
    const outcome = await session.exchange(sent.Authorization);
    // Whoever is logged in all the same must not be asked to log in: it is repeated as if there had been no answer.
    if (outcome === "away") throw new ApiError(503, {});
    const fresh = outcome === "renewed" ? await session.header() : null;
    if (fresh) ({ response, data } = await send(method, url, { ...headers, ...fresh }, body, signal, patience));
  }
  if (!response.ok) throw new ApiError(response.status, data ?? {}, retryAfter(response));
  return {
    status: response.status,
    data,
    position: response.headers.get("X-Posicion"),
    location: response.headers.get("Location"),
    // The server's clock, for deadlines: this machine's may be wrong. Milliseconds, or null.
    serverTime: Date.parse(response.headers.get("Date") ?? "") || null,
  };
}

async function send(method, url, headers, body, signal, ms = PATIENCE_MS) {
  const patience = AbortSignal.timeout(ms);
  const either = signal ? AbortSignal.any([signal, patience]) : patience;
  try {
    const options = { method, headers, body, signal: either, cache: "no-cache", credentials: "omit", redirect: "error" };
    const response = await fetch(url, options);
    // An answer that breaks off is as good as none.
    return { response, data: await read(response) };
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new ApiError(0, { detail: String(error.message ?? error) });
  }
}

async function read(response) {
  const type = response.headers.get("Content-Type") ?? "";
  const text = await response.text();
  if (type.includes("json")) return JSON.parse(text);
  return text === "" ? null : text;
}

function retryAfter(response) {
  const seconds = Number(response.headers.get("Retry-After"));
  return Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}

function queryOf(query) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== "") search.append(name, value);
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}

/** Waits; rejects when the signal ends it. */
export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const end = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, ms);
    signal?.addEventListener("abort", end, { once: true });
  });
}

export const get = (path, options) => call("GET", path, options);
export const post = (path, body, options) => call("POST", path, { ...options, body });
export const put = (path, body, options) => call("PUT", path, { ...options, body });
export const del = (path, options) => call("DELETE", path, options);
