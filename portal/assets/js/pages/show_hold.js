// Asking the server to hold tickets, giving them back, paying. Each press is one intention with one key, which is kept until
// its answer is known: whatever happens to the connection or the page meanwhile, it is done once.

import { del, get, newKey, post } from "../api.js";
import { FREE } from "../seatmap/model.js";
import * as session from "../session.js";

const holdsOf = (visit) => `/api/eventos/${visit.show.evento_id}/bloqueos`;

/** What is asked for: `{asientos}`, or `{cantidad, seccion?}`. */
export function wishOf(visit, { best = false } = {}) {
  if (visit.numbered && !best) return { asientos: visit.seats.map((index) => visit.map.nameOf(index)) };
  return { cantidad: visit.quantity, ...(visit.section ? { seccion: visit.section } : {}) };
}

/** Holds what is wished. Throws what the server says against it. */
export async function hold(visit, wish) {
  const body = { usuario_id: session.current().userId, ...wish };
  return visit.whileAsking(async () => {
    let answer = await asked(visit, "holding", holdsOf(visit), body);
    // An answer to what was asked long ago, and lost on the way: that hold is over.
    if (isOver(answer)) answer = await asked(visit, "holding", holdsOf(visit), body);
    visit.held(answer.data, answer.serverTime);
    return answer.data;
  });
}

const isOver = ({ data, serverTime }) => new Date(data.expira_en).getTime() <= (serverTime ?? Date.now());

/** Pays for what is held; the reservation's id. */
export async function pay(visit, token) {
  const body = {
    usuario_id: visit.hold.usuario_id, bloqueo_id: visit.hold.bloqueo_id, pago: { metodo: "tarjeta", token },
  };
  const { data } = await asked(visit, "paying", "/api/comprar", body);
  return data.reserva_id;
}

/** Posts under a key that stays the same until there is an answer. */
async function asked(visit, intention, path, body) {
  const kept = visit.kept.get()[intention];
  const same = kept && JSON.stringify(kept.body) === JSON.stringify(body);
  const key = same ? kept.key : newKey();
  visit.kept.update({ [intention]: { key, body } });
  try {
    const answer = await post(path, body, { key });
    visit.kept.update({ [intention]: null });
    return answer;
  } catch (error) {
    // Without an answer it may have been done: the same key finds out.
    if (error.status > 0 && error.status < 500 && ![401, 408, 429].includes(error.status)) visit.kept.update({ [intention]: null });
    throw error;
  }
}

/** Gives back what is held. */
export async function giveBack(visit) {
  await del(`${holdsOf(visit)}/${visit.hold.bloqueo_id}`);
  const was = visit.over();
  visit.freed(was.asientos);
}

/** Reads the kept hold: `active`, `sold`, `over`, or `unknown` when it could not be read. */
export async function reread(visit, hold, signal) {
  try {
    const { data, serverTime } = await get(`${holdsOf(visit)}/${hold.bloqueo_id}`, { signal, attempts: 3 });
    if (data.estado === "vendido") return "sold";
    if (data.estado !== "activo") return "over";
    visit.held(data, serverTime);
    return "active";
  } catch (error) {
    if (signal.aborted) throw error;
    return [403, 404, 410].includes(error.status) ? "over" : "unknown";
  }
}

/** Which of a hold's seats can be asked for again, as far as is known here. */
export function againOf(visit, was) {
  if (!visit.numbered) return { cantidad: was.cantidad };
  const names = was.asientos ?? [];
  // Not knowing is no reason not to ask: the server decides.
  return { asientos: visit.live ? names.filter((name) => visit.map.states[visit.map.indexOf(name)] === FREE) : names };
}
