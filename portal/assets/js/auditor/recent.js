// What was looked up in this tab, the latest first.

import { ofThisTab } from "../storage.js";

const KEPT_AS = "eventflow.audit.recent";
const MOST = 10;

/** `[{kind: "purchase"|"show"|"stream", id, label}]` */
export function recent() {
  const kept = ofThisTab.get(KEPT_AS);
  return Array.isArray(kept) ? kept : [];
}

/** Remembers a look-up; `label` is for people, such as a show's name. */
export function remember(kind, id, label = "") {
  const others = recent().filter((one) => one.kind !== kind || one.id !== id);
  ofThisTab.set(KEPT_AS, [{ kind, id, label }, ...others].slice(0, MOST));
}

export const forgetRecent = () => ofThisTab.set(KEPT_AS, null);
