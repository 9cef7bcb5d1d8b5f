// What was typed into a form outlives the page being made anew: when the language changes, or somebody logs in elsewhere.

import { here } from "../router.js";

const drafts = new Map();

/** Fills a form with what was typed into it before, and keeps what is typed from now on; passwords only while it stays open. */
export function keepDraft(form, name, signal) {
  const draft = drafts.get(name) ?? {};
  drafts.set(name, draft);
  for (const control of form.elements) {
    if (!control.name || draft[control.name] === undefined) continue;
    if (control.type === "checkbox") control.checked = draft[control.name];
    else control.value = draft[control.name];
  }
  const keep = ({ target }) => {
    if (target.name) draft[target.name] = target.type === "checkbox" ? target.checked : target.value;
  };
  form.addEventListener("input", keep);
  form.addEventListener("change", keep);
  const { path } = here();
  signal.addEventListener("abort", () => {
    if (here().path === path) return;
    for (const control of form.elements) if (isSecret(control)) delete draft[control.name];
  }, { once: true });
}

const isSecret = (control) => control.type === "password" || control.autocomplete?.endsWith("password");

/** Forgets what was typed: it has been used. */
export function dropDraft(name) {
  drafts.delete(name);
}
