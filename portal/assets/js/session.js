// Who is logged in. The access token lasts 15 minutes; the refresh token is exchanged for new ones, once: a second use
// ends the session. All tabs share one session, so the exchange is made under a lock that they share, too, and under an
// idempotency key that belongs to the refresh token: one whose answer was lost is repeated and gives the same tokens.

import { lasting } from "./storage.js";

const KEPT_AS = "eventflow.session";
/** A token that expires sooner than this, or is in its last quarter, is renewed before it is used, in milliseconds. */
const MARGIN_MS = 20_000;
/** Longer than this no answer about the session is waited for, in milliseconds. */
const PATIENCE_MS = 15_000;
const LONGEST_PAUSE_MS = 8_000;

const listeners = new Set();
const nobody = () => ({ userId: null, roles: [], known: false });
/** `{userId, roles}`; roles are the API's words. In `dev` whoever has no token is the operator: `userId` is null. */
let who = remembered();
/** Whether the last session was taken away instead of ended by its owner. */
let lost = false;

/** Who is here: `{userId, roles, known}`. `known` is false until the server has said so. */
export const current = () => who;
/** Whether somebody is logged in. */
export const loggedIn = () => lasting.get(KEPT_AS) !== null && who.userId !== null;
/** Whether who is here may act as this role; `admin` may do everything. */
export const may = (...roles) => who.roles.includes("admin") || roles.some((role) => who.roles.includes(role));
/** Nobody is logged in and everything is allowed: `eventflow dev`. */
export const operating = () => who.userId === null && who.roles.includes("admin");
/** Whether somebody was logged in here until the server ended the session: worth a word where they log in again. */
export const wasLost = () => lost;

/** Calls back when somebody logs in or out, in whichever tab. */
export function onSession(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

addEventListener("storage", (event) => {
  if (event.key === KEPT_AS || event.key === null) identify();
});

/** Who was here when the page was left: good enough to begin with, also while the server is away. */
function remembered() {
  const kept = lasting.get(KEPT_AS);
  return kept?.user_id ? { userId: kept.user_id, roles: kept.roles ?? [], known: false } : nobody();
}

let newest = null;
let again = null;
let failures = 0;

/** Asks the server who is here. Never fails: when there is no answer, what was known stays, and it is asked again. */
export function identify() {
  clearTimeout(again);
  const mine = ask().then((answer) => (mine === newest ? become(answer) : newest));
  newest = mine;
  return mine;
}

function become(answer) {
  if (answer === null) {
    again = setTimeout(identify, Math.min(1_000 * 2 ** failures, LONGEST_PAUSE_MS));
    failures += 1;
    answer = lasting.get(KEPT_AS) ? who : nobody();
  } else {
    failures = 0;
    answer.known = true;
  }
  const changed = answer.userId !== who.userId || String(answer.roles) !== String(who.roles);
  who = answer;
  const kept = lasting.get(KEPT_AS);
  if (kept && who.userId && (kept.user_id !== who.userId || String(kept.roles) !== String(who.roles))) {
    lasting.set(KEPT_AS, { ...kept, user_id: who.userId, roles: who.roles });
  }
  if (who.userId) lost = false;
  if (changed) for (const listener of [...listeners]) listener(who);
  return who;
}

/** `{userId, roles}`, or null when there is no answer. */
async function ask() {
  try {
    // Twice: with a token that the server does not take any more, then with the next one, or without.
    for (let attempt = 1; ; attempt += 1) {
      const sent = (await header()) ?? {};
      const response = await fetch("/api/auth/yo", {
        headers: { Accept: "application/json", ...sent },
        cache: "no-store",
        credentials: "omit",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (response.ok) {
        const answer = await response.json();
        return { userId: answer.usuario_id, roles: answer.roles };
      }
      if (response.status !== 401) return null;
      if (!sent.Authorization) return { userId: null, roles: [] };
      const outcome = await exchange(sent.Authorization);
      if (outcome === "away" || attempt === 3) return null;
    }
  } catch {
    return null;
  }
}

/** Keeps the tokens that a log-in gave. Resolves when it is known whose they are. */
export async function begin(tokens) {
  lasting.set(KEPT_AS, made(tokens));
  lost = false;
  await identify();
}

/** Ends the session here, in the other tabs, and on the server. */
export async function end() {
  const kept = lasting.get(KEPT_AS);
  lasting.set(KEPT_AS, null);
  lost = false;
  if (kept) {
    // Best effort: the tokens are gone from here in any case, and expire.
    await fetch("/api/auth/logout", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": randomKey() },
      body: JSON.stringify({ refresh_token: kept.refresh_token }),
      credentials: "omit",
      keepalive: true,
      signal: AbortSignal.timeout(5_000),
    }).catch(() => {});
  }
  await identify();
}

function made(tokens) {
  return {
    access_token: tokens.access_token,
    refresh_token: tokens.refresh_token,
    renew_at: Date.now() + tokens.expires_in * 1_000 - Math.min(MARGIN_MS, tokens.expires_in * 250),
    exchange_key: randomKey(),
  };
}

function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const bearer = (kept) => `Bearer ${kept.access_token}`;

/**
 * The header that says who calls; empty for nobody. Null when a session was kept but has just turned out to be over:
 * what was meant for its owner must not be sent as somebody else's.
 */
export async function header() {
  const kept = lasting.get(KEPT_AS);
  if (!kept) return {};
  if (kept.renew_at < Date.now() && (await exchange(bearer(kept))) === "ended") return null;
  const now = lasting.get(KEPT_AS);
  return now ? { Authorization: bearer(now) } : null;
}

/** After a 401: true when there is a new token to try once more. */
export async function renew() {
  const kept = lasting.get(KEPT_AS);
  return kept !== null && (await exchange(bearer(kept))) === "renewed";
}

/**
 * Exchanges the tokens, unless that was done since `refused` (an `Authorization`) was sent, by whichever tab.
 * `renewed`: there is another token; `ended`: the session is over; `away`: no answer, the session may well go on.
 * @returns {Promise<"renewed"|"ended"|"away">}
 */
export function exchange(refused) {
  const work = async () => {
    const kept = lasting.get(KEPT_AS);
    if (!kept) return "ended";
    if (bearer(kept) !== refused) return "renewed";
    let response;
    let tokens = null;
    try {
      response = await fetch("/api/auth/refresh", {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": kept.exchange_key ?? randomKey() },
        body: JSON.stringify({ refresh_token: kept.refresh_token }),
        credentials: "omit",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (response.ok) tokens = await response.json();
    } catch {
      return "away";
    }
    // Meanwhile somebody may have logged out, or in as another: theirs counts.
    const now = lasting.get(KEPT_AS);
    if (now?.refresh_token !== kept.refresh_token) return now ? "renewed" : "ended";
    if (tokens) {
      lasting.set(KEPT_AS, { ...made(tokens), user_id: kept.user_id, roles: kept.roles });
      return "renewed";
    }
    if (response.status !== 401) return "away";
    lasting.set(KEPT_AS, null);
    lost = true;
    queueMicrotask(identify);
    return "ended";
  };
  // Locks need a secure context (HTTPS, or this machine); elsewhere only this tab is kept in order.
  if (navigator.locks) return navigator.locks.request("eventflow.exchange", work);
  return (alone = alone.then(work, work));
}
let alone = Promise.resolve();
