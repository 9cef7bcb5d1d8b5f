// The draft that is being worked on: which one, and that it is kept. It outlives the elements of its page (another
// language, logging in), so it lives here.

import { forget, keep, leftBehind, newDraft, ofTab } from "./draft.js";
import { editorState } from "./plan_editor.js";

const PAUSE_MS = 400;

/** `{draft, editor}`, or null. */
let work = null;

/** Works on this draft from now on. */
export function begin(draft) {
  work = { draft, editor: editorState(draft.sections, draft.selected) };
}

/**
 * The work of whoever is here: `{draft, editor}`, with `restored` when it comes from the browser's storage, or `leftover`:
 * a draft that another tab left behind.
 */
export function workOf(userId) {
  // What nobody in particular began goes on with whoever logs in.
  if (work && work.draft.userId === null) work.draft.userId = userId;
  if (work && work.draft.userId === userId) return work;
  const mine = ofTab(userId);
  begin(mine ?? newDraft(userId));
  return { ...work, restored: mine?.touched ?? false, leftover: mine ? null : leftBehind(userId) };
}

/** Keeps the draft soon after each change, and at once when the page goes. */
export function keeper(onKept, signal) {
  const { draft, editor } = work;
  let timer = null;
  const now = () => {
    clearTimeout(timer);
    timer = null;
    draft.sections = editor.history.state;
    draft.selected = Math.max(draft.sections.findIndex((section) => section.id === editor.selectedId), 0);
    draft.savedAt = Date.now();
    keep(draft);
    onKept();
  };
  const pending = () => {
    if (timer !== null) now();
  };
  addEventListener("pagehide", pending, { signal });
  document.addEventListener("visibilitychange", pending, { signal });
  signal.addEventListener("abort", pending, { once: true });
  return {
    now,
    soon() {
      draft.touched = true;
      clearTimeout(timer);
      timer = setTimeout(now, PAUSE_MS);
    },
    /** The draft is done with: published, or thrown away. */
    end() {
      clearTimeout(timer);
      timer = null;
      forget(draft);
      work = null;
    },
  };
}
