// What the browser keeps for us. Storage can be full or forbidden: then things last as long as the page.

const inMemory = new Map();

function area(kind) {
  const store = () => globalThis[kind];
  return {
    /** The value, or null. */
    get(key) {
      // What could not be stored is newer than what is there.
      if (inMemory.has(kind + key)) return inMemory.get(kind + key);
      try {
        const text = store().getItem(key);
        return text === null ? null : JSON.parse(text);
      } catch {
        return null;
      }
    },
    /** Keeps a value; null removes it. */
    set(key, value) {
      inMemory.delete(kind + key);
      try {
        if (value === null) store().removeItem(key);
        else store().setItem(key, JSON.stringify(value));
      } catch {
        inMemory.set(kind + key, value);
      }
    },
  };
}

/** Shared by all tabs, and there tomorrow. */
export const lasting = area("localStorage");
/** Of this tab alone. */
export const ofThisTab = area("sessionStorage");
