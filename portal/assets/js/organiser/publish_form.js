// The end of the form: what is for sale in all, the button, and what becomes of pressing it.

import { newKey } from "../api.js";
import { fill, h } from "../dom.js";
import { money, number, t } from "../i18n.js";
import { toMajor } from "../currency.js";
import { announce, busy, notice, problem, showFieldErrors } from "../ui.js";
import { MAX_PLACES, totals, wholeNumber } from "./plan.js";
import { publish } from "./publish.js";
import { bodyOf, faultsOfShow, sortErrors } from "./show_check.js";

/**
 * @param {Object} options
 * @param {{draft: Object, editor: Object}} options.work
 * @param {Object} options.fields by their names in the API
 * @param {HTMLElement} options.map the seat-map editor
 * @param {function(): number|null} options.baseMinor the show's price
 * @param {function(): void} options.keep stores the draft
 * @param {function({id: string, position: string}): void} options.onDone
 * @param {AbortSignal} options.signal
 * @returns {{button, failure, summary, submit, changed}}
 */
export function publishing({ work, fields, map, baseMinor, keep, onDone, signal }) {
  const { draft, editor } = work;
  const values = draft.fields;
  const failure = h("div.form-failure");
  const summary = h("p.org-total");
  const button = h("button.primary", { type: "submit" }, t("org.schedule.publish"));
  const numbered = () => values.seating === "numbered";

  function summarise() {
    const room = totals(editor.history.state, values.moneda, baseMinor());
    const seats = numbered() ? room.capacity : wholeNumber(values.aforo_total, 1, MAX_PLACES);
    const price = baseMinor();
    const value = numbered() ? room.valueMinor : (seats === null || price === null ? null : seats * price);
    fill(summary, !seats ? t("org.schedule.no_seats_yet") : [
      h("strong", number(seats)), " ", t("org.sum.seats", { n: seats }),
      value === null ? null : [" · ", h("strong", money(toMajor(value, values.moneda), values.moneda)), " ", t("org.sum.full_house")],
    ]);
  }

  /** True when all is right. Otherwise every fault stands at its field and the first has the focus. */
  function check() {
    const faults = faultsOfShow(values);
    for (const [name, one] of Object.entries(fields)) one.setError(faults[name] ?? null);
    const first = Object.keys(fields).find((name) => faults[name]);
    const roomRight = !numbered() || map.check();
    if (first) fields[first].control.focus();
    if (!first && roomRight) return true;
    fill(failure, notice("bad", h("p", t("org.schedule.correct", { n: Object.keys(faults).length + (roomRight ? 0 : 1) }))));
    return false;
  }

  async function send() {
    fill(failure);
    if (!check()) return;
    draft.touched = true;
    try {
      const done = await publish(draft, bodyOf(values, editor.history.state), { keep, signal });
      if (done.earlier) fill(failure, earlier(done));
      else onDone(done);
    } catch (error) {
      if (signal.aborted) return;
      if (!error.code) console.error(error);
      explain(error);
    }
  }

  /** What was sent before had arrived after all, and is another show than what stands here now. */
  function earlier({ id, name, position }) {
    announce(t("org.schedule.earlier", { name }), true);
    const another = () => {
      draft.key = newKey();
      draft.sent = [];
      busy(button, send);
    };
    return notice("warning",
      h("p", t("org.schedule.earlier", { name })),
      h("div.actions",
        h("a.button", { href: `#/organizar/${id}` }, t("org.schedule.earlier_look")),
        h("button", { type: "button", on: { click: another } }, t("org.schedule.earlier_another")),
        h("button", { type: "button", on: { click: () => onDone({ id, position }) } }, t("org.schedule.earlier_done"))));
  }

  /** What the server found stands where it belongs; the rest stands here. */
  function explain(error) {
    const { own, sections, whole } = sortErrors(error.fields ?? []);
    const list = editor.history.state;
    editor.told = new Map([...sections].filter(([index]) => list[index]).map(([index, told]) => [list[index].id, told]));
    editor.toldWhole = whole;
    map.refresh();
    const placed = own.length > 0 && showFieldErrors({ fields: own }, fields);
    if (own.length === 0 && editor.told.size > 0) {
      const [[id, told]] = editor.told;
      map.focusFault(id, Object.keys(told)[0]);
    }
    const all = own.length > 0 ? placed : editor.told.size > 0 || whole !== null;
    const large = error.code === "CUERPO_DEMASIADO_GRANDE" && numbered();
    fill(failure, all ? notice("bad", h("p", t("org.schedule.refused"))) : problem(error), large ? h("p", t("org.schedule.too_large")) : null);
  }

  return {
    button,
    failure,
    summary,
    submit: () => busy(button, send),
    /** Something was typed: what was wrong before may be right now. */
    changed() {
      fill(failure);
      summarise();
    },
  };
}
