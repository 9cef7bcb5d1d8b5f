// Follows what happens to a show while its page is open.

import { get } from "../api.js";
import { SeatMap } from "../seatmap/model.js";
import { follow } from "../sse.js";

/** A line that comes back sooner than this was not lost. */
const LOST_AFTER_MS = 1_500;
const LONGEST_TIMER_MS = 86_400_000;

/**
 * @param {import("./show_visit.js").Visit} visit
 * @param {Object} options
 * @param {() => void} options.onOther the seats are others than before: the page has to be made anew
 * @param {AbortSignal} options.signal
 */
export function followShow(visit, { onOther, signal }) {
  const { evento_id: id } = visit.show;
  const since = visit.numbered && visit.map.version !== null ? `&desde=${visit.map.version}` : "";
  let losing = null;
  signal.addEventListener("abort", () => clearTimeout(losing));

  follow(`/api/eventos/${id}/cambios?formato=compacto${since}`, {
    signal,
    onState(state) {
      if (state === "lost") {
        losing ??= setTimeout(() => visit.isLive(false), LOST_AFTER_MS);
      } else {
        clearTimeout(losing);
        losing = null;
        visit.isLive(true);
      }
    },
    onEvent({ type, data }) {
      if (type !== "cambio" && type !== "mapa") return;
      if (visit.numbered) {
        if (type === "mapa" && visit.replace(SeatMap.fromCompact(data))) {
          onOther();
          return;
        }
        if (data.cambios) visit.change(data.cambios);
        visit.map.version = data.version;
      }
      visit.tally(data);
    },
  }).catch((error) => {
    // Following is over for good; the page still sells.
    if (!signal.aborted) {
      console.warn(`no live connection: ${error.message}`);
      visit.isLive(false);
    }
  });

  atBeginning(visit, signal);
}

/** When the show begins it is no longer on sale; nobody sends an event for that. */
function atBeginning(visit, signal) {
  const left = new Date(visit.show.fecha).getTime() - Date.now();
  if (left > LONGEST_TIMER_MS || visit.show.estado !== "activo") return;
  const timer = setTimeout(async () => {
    const { data } = await get(`/api/eventos/${visit.show.evento_id}`, { signal }).catch(() => ({}));
    if (!data) return;
    visit.tally(data);
    if (data.estado === "activo") setTimeout(() => !signal.aborted && atBeginning(visit, signal), 5_000);
  }, Math.max(left, 0) + 500);
  signal.addEventListener("abort", () => clearTimeout(timer));
}
