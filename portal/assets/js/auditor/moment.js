// A moment of a show: where its tickets were, as bars with numbers, and whether the server comes to the same.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { number, t } from "../i18n.js";
import { announce, busyButton, problem } from "../ui.js";

const STATES = ["free", "held", "sold"];

/** Free, held and sold as one bar and as numbers. `set({free, held, sold}, capacity)` */
export function tallyBar() {
  const parts = Object.fromEntries(STATES.map((state) => [state, h("span", { class: `is-${state}` })]));
  const numbers = Object.fromEntries(STATES.map((state) => [state, h("dd")]));
  const share = Object.fromEntries(STATES.map((state) => [state, h("dd.audit-share")]));
  const element = h("div.audit-tally",
    h("div.audit-bar", { "aria-hidden": "true" }, STATES.map((state) => parts[state])),
    h("dl", STATES.map((state) => h("div",
      h("dt", h("span.audit-swatch", { class: `is-${state}`, "aria-hidden": "true" }), t(`audit.tally.${state}`)), numbers[state], share[state]))));
  return {
    element,
    set(tally, capacity) {
      for (const state of STATES) {
        parts[state].style.flexGrow = String(tally[state]);
        parts[state].classList.toggle("some", tally[state] > 0);
        numbers[state].textContent = number(tally[state]);
        share[state].textContent = capacity > 0 ? number(tally[state] / capacity, { style: "percent", maximumFractionDigits: 1 }) : "";
      }
    },
  };
}

/** What the server says of the same moment, field by field: `[name, ours, theirs]`, differences only. */
function differences(history, index, theirs) {
  const state = history.stateAt(index);
  const record = history.records[index];
  const { name } = history.scheduled;
  // Judged by its last event, a show whose day has come is over; whether it was cancelled is what the log says.
  const cancelled = theirs.estado === "cancelado";
  return [
    ["position", record.posicion, theirs.posicion],
    ["revision", state.revision, theirs.revision],
    ["name", name, theirs.nombre],
    ["capacity", history.capacity, theirs.aforo_total],
    ["free", state.tally.free, theirs.entradas_disponibles],
    ["held", state.tally.held, theirs.entradas_retenidas],
    ["sold", state.tally.sold, theirs.entradas_vendidas],
    ["cancelled", t(state.cancelled ? "audit.check.yes" : "audit.check.no"), t(cancelled ? "audit.check.yes" : "audit.check.no")],
  ].filter(([, ours, answer]) => ours !== answer);
}

/** Asks the server for the moment that is shown. `clear()` when another is. */
export function serverCheck(id, history, at, signal) {
  const result = h("div.audit-check-result", { role: "status" });
  let asked = 0;
  const button = busyButton(t("audit.check.ask"), async () => {
    const index = at();
    const mine = (asked += 1);
    const { posicion } = history.records[index];
    try {
      const { data } = await get(`/api/auditoria/eventos/${id}`, { query: { hasta: posicion }, signal });
      if (mine === asked) show(differences(history, index, data), posicion);
    } catch (error) {
      if (!signal.aborted && mine === asked) fill(result, problem(error));
    }
  });

  function show(found, position) {
    const same = found.length === 0;
    fill(result,
      h("p", { class: same ? "audit-agrees" : "audit-differs" },
        h("span", { "aria-hidden": "true" }, same ? "✓ " : "✕ "),
        t(same ? "audit.check.same" : "audit.check.other", { position: String(position) })),
      same ? null : h("ul", found.map(([name, ours, theirs]) =>
        h("li", t("audit.check.difference", { name: t(`audit.check.${name}`), ours: String(ours), theirs: String(theirs) })))));
  }

  return {
    element: h("div.audit-check", button, result),
    clear() {
      // An answer that is still on its way is about another moment.
      asked += 1;
      if (result.firstChild) fill(result);
    },
  };
}

/** Whether seats and tallies of all that was read agree. */
export function ownProof(history) {
  const right = history.wrong < 0;
  const key = right ? (history.map ? "audit.proof.seats" : "audit.proof.sums") : "audit.proof.broken";
  const text = t(key, { n: history.length, position: String(history.records[history.wrong]?.posicion ?? "") });
  if (!right) announce(text);
  return h("p", { class: right ? "audit-agrees" : "audit-differs" }, h("span", { "aria-hidden": "true" }, right ? "✓ " : "✕ "), text);
}
