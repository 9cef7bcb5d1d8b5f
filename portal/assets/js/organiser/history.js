// What was done to a room, to be undone and done again. States are immutable, so keeping many costs little.

const MOST_STEPS = 200;

/** The states of something: `{state, label}` each; `label` says what led there. */
export class History {
  #past = [];
  #future = [];
  #now;

  constructor(state) {
    this.#now = { state, label: "", merge: null };
  }

  get state() {
    return this.#now.state;
  }

  /** What undoing takes back, null when there is nothing. */
  get undoable() {
    return this.#past.length > 0 ? this.#now.label : null;
  }

  /** What doing again brings back. */
  get redoable() {
    return this.#future.at(-1)?.label ?? null;
  }

  /** A new state. Steps with the same `merge` in a row are one: typing a name is not undone letter by letter. */
  push(state, label, merge = null) {
    if (state === this.#now.state) return;
    const one = merge !== null && merge === this.#now.merge && this.#past.length > 0;
    if (!one) this.#past.push(this.#now);
    if (this.#past.length > MOST_STEPS) this.#past.shift();
    this.#now = { state, label, merge };
    this.#future = [];
  }

  /** What comes next is a step of its own. */
  close() {
    this.#now = { ...this.#now, merge: null };
  }

  undo() {
    if (this.#past.length === 0) return;
    this.#future.push(this.#now);
    this.#now = { ...this.#past.pop(), merge: null };
  }

  redo() {
    if (this.#future.length === 0) return;
    this.#past.push(this.#now);
    this.#now = { ...this.#future.pop(), merge: null };
  }
}
