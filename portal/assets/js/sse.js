// Server-sent events over fetch: unlike an EventSource it carries a token, can begin at a version, and says how it is.
// Parsing follows the HTML standard, section 9.2.6 "Interpreting an event stream".

import { ApiError, sleep } from "./api.js";
import * as session from "./session.js";

const LONGEST_PAUSE_MS = 8_000;
/** The server says something every 15 s at least; a line that is silent for longer is dead. */
const SILENCE_MS = 40_000;

/**
 * Follows a stream until the signal ends it or the server says that there is nothing more (204, or `until` says so).
 * @param {string} path
 * @param {Object} options
 * @param {function({type: string, id: string, data: *}): (boolean|void)} options.onEvent `data` is parsed JSON; true ends it
 * @param {function("open"|"lost"): void} [options.onState]
 * @param {AbortSignal} options.signal
 * @returns {Promise<void>} rejects with `ApiError` for answers that repeating does not change (401, 403, 404 …)
 */
export async function follow(path, { onEvent, onState = () => {}, signal }) {
  let lastId = null;
  let pause = 500;
  for (;;) {
    if (document.hidden) await shown(signal);
    if (signal.aborted) return;
    // A page that nobody looks at holds no connection: a browser has six for a server.
    const line = new AbortController();
    let ended = false;
    const hide = () => document.hidden && line.abort();
    document.addEventListener("visibilitychange", hide);
    const end = () => line.abort();
    signal.addEventListener("abort", end, { once: true });
    try {
      const sent = await session.header();
      if (sent === null) throw new ApiError(401, { codigo: "NO_AUTENTICADO" });
      const headers = { Accept: "text/event-stream", ...sent };
      if (lastId !== null) headers["Last-Event-ID"] = lastId;
      const response = await fetch(path, { headers, signal: line.signal, cache: "no-store", credentials: "omit" });
      if (response.status === 204) return;
      if (response.ok) {
        onState("open");
        pause = 500;
        const done = await read(response, line, (event) => {
          if (event.id !== null) lastId = event.id;
          return onEvent(event) === true;
        });
        if (done) return;
        ended = true;
      } else if (response.status === 401) {
        const over = !sent.Authorization || (await session.exchange(sent.Authorization)) === "ended";
        if (over) throw await problem(response);
      } else if (![408, 429, 502, 503, 504].includes(response.status)) {
        throw await problem(response);
      }
    } catch (error) {
      if (signal.aborted) return;
      // A fault of the page is not a lost line: it would be made again for ever, and nobody would hear of it.
      if (error instanceof ApiError || error instanceof PageFault) throw error.fault ?? error;
    } finally {
      document.removeEventListener("visibilitychange", hide);
      signal.removeEventListener("abort", end);
      line.abort();
    }
    if (signal.aborted) return;
    // A server that ends a stream in order is there: what follows is told at once, or that there is nothing more.
    if (!ended && !document.hidden) onState("lost");
    await sleep(pause * (0.75 + Math.random() / 2), signal).catch(() => {});
    if (signal.aborted) return;
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** What a page's own listener threw. */
class PageFault extends Error {
  constructor(fault) {
    super();
    this.fault = fault;
  }
}

async function problem(response) {
  const body = await response.json().catch(() => ({}));
  return new ApiError(response.status, body);
}

function shown(signal) {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look, { once: true });
  });
}

/** True when a listener said that it is done, false when the stream broke off. */
async function read(response, line, onEvent) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = fresh();
  for (;;) {
    const watch = setTimeout(() => line.abort(), SILENCE_MS);
    const { value, done } = await reader.read().finally(() => clearTimeout(watch));
    if (done) return false;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const raw of lines) {
      const text = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (text !== "") {
        take(event, text);
      } else if (event.data !== null) {
        const whole = { type: event.type, id: event.id, data: JSON.parse(event.data) };
        event = fresh();
        try {
          if (onEvent(whole)) return true;
        } catch (fault) {
          throw new PageFault(fault);
        }
      } else {
        event = fresh();
      }
    }
  }
}

const fresh = () => ({ type: "message", id: null, data: null });

function take(event, text) {
  const colon = text.indexOf(":");
  if (colon === 0) return;
  const field = colon < 0 ? text : text.slice(0, colon);
  const value = colon < 0 ? "" : text.slice(colon + (text[colon + 1] === " " ? 2 : 1));
  if (field === "event") event.type = value;
  else if (field === "id") event.id = value;
  else if (field === "data") event.data = event.data === null ? value : `${event.data}\n${value}`;
}
