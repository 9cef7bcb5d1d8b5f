// Logging in, as the log-in page does it and the sign-up page right after signing up.

import { post } from "../api.js";
import * as session from "../session.js";

/** Logs in. Rejects with what the server says. */
export async function logIn(email, password, { signal } = {}) {
  const { data } = await post("/api/auth/login", { email: email.trim(), password }, { signal });
  await session.begin(data);
}

// An address that was tried too often is not looked at for a while: until when, for each.
const closed = new Map();

export function closeFor(email, seconds) {
  closed.set(email.trim().toLowerCase(), Date.now() + seconds * 1_000);
}

/** How many seconds until the address is looked at again; 0 when it is. */
export function closedFor(email) {
  const until = closed.get(email.trim().toLowerCase()) ?? 0;
  return Math.max(0, Math.ceil((until - Date.now()) / 1_000));
}
