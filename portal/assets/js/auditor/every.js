// Looking again and again, while somebody looks at the page.

import { ApiError, sleep } from "../api.js";

/**
 * Runs `look` now and then every `ms()` milliseconds while the page is visible, until the signal ends it. Errors of the
 * API are for `look` to show; it gets none of its own back.
 * @returns {() => void} looks again at once
 */
export function every(ms, look, signal) {
  let hurry = null;
  const shown = () => !document.hidden && hurry?.abort();
  document.addEventListener("visibilitychange", shown, { signal });
  void (async () => {
    while (!signal.aborted) {
      if (!document.hidden) await look().catch((error) => {
        if (!signal.aborted && !(error instanceof ApiError)) console.error(error);
      });
      hurry = new AbortController();
      await sleep(ms(), AbortSignal.any([signal, hurry.signal])).catch(() => {});
    }
  })();
  return () => hurry?.abort();
}

/** `act` only when its arguments are others than the last time: what has the focus keeps it. True when it was done. */
export function whenChanged(act) {
  let last = null;
  return (...values) => {
    const text = JSON.stringify(values);
    if (text === last) return false;
    last = text;
    act(...values);
    return true;
  };
}
