// Purchases that are not settled, the stuck ones first, and letting those try again.

import { ApiError, get, newKey, post } from "../api.js";
import { fill, h } from "../dom.js";
import { exactTime, has, t } from "../i18n.js";
import * as session from "../session.js";
import { announce, ask, busyButton, messageOf, notice, problem, tag } from "../ui.js";
import { every, whenChanged } from "./every.js";
import { purchaseHref, short } from "./ids.js";
import { stateTag, stepList } from "./purchase.js";
import { exactMoney, span, timeElement } from "./values.js";

const EVERY_MS = 4_000;
/** More rows than anybody reads at once. */
const PAGE = 50;

/** The section. */
export function sagas(signal) {
  const place = h("div");
  const count = h("p");
  const late = h("p.muted");
  let answered = null;
  let shown = PAGE;
  let rows = [];
  let stuck = null;

  const draw = whenChanged((list) => {
    const focused = place.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
    rows = list.slice(0, shown).map((saga) => row(saga, retry));
    fill(place,
      list.length === 0 ? h("p.ops-empty", h("span", { "aria-hidden": "true" }, "✓ "), t("ops.sagas.none")) : tableOf(rows),
      list.length > shown ? h("button", { type: "button", on: { click: more } }, t("page.more")) : null);
    age();
    if (focused) (place.querySelector(`[data-key="${focused}"]`) ?? place.querySelector("a"))?.focus({ preventScroll: true });
  });

  let last = [];
  function more() {
    shown += PAGE;
    draw(last, shown);
  }

  function age() {
    for (const { element, since } of rows.flatMap((one) => one.ages)) element.textContent = span(Math.max(0, Date.now() - since));
  }

  async function retry(saga) {
    const key = newKey();
    const sure = await ask(t("ops.retry.title"), [h("p", t("ops.retry.what")), h("p", h("code", saga.reserva_id))],
      [[null, t("form.cancel")], ["yes", t("ops.retry.confirm"), "primary"]]);
    if (sure !== "yes") return;
    try {
      const { position } = await post(`/api/operaciones/sagas/${saga.reserva_id}/reintentar`, undefined, { key, signal });
      announce(t("ops.retry.begun"));
      await look(position);
    } catch (error) {
      if (signal.aborted) return;
      // Somebody else was quicker: the list tells how it stands now.
      announce(messageOf(error), true);
      fill(failure, problem(error));
      await look(null).catch(() => {});
    }
  }
  const failure = h("div");

  async function look(position = null) {
    try {
      const { data } = await get("/api/operaciones/sagas", { query: { posicion: position }, signal, attempts: 1 });
      if (signal.aborted) return;
      answered = new Date();
      late.textContent = "";
      last = data.sagas;
      fill(count, summary(data));
      if (stuck !== null && data.atascadas > stuck) announce(t("ops.sagas.stuck", { n: data.atascadas }), true);
      stuck = data.atascadas;
      if (!draw(last, shown)) age();
    } catch (error) {
      if (signal.aborted || !(error instanceof ApiError)) throw error;
      if (error.status === 404) fill(place, h("p.muted", t("ops.sagas.elsewhere")));
      else if (!place.firstChild) fill(place, problem(error));
      else if (answered) late.textContent = t("ops.late", { time: exactTime(answered) });
    }
  }
  every(() => EVERY_MS, look, signal);

  return h("section", { "aria-labelledby": "ops-sagas" }, h("h2", { id: "ops-sagas" }, t("ops.sagas.title")),
    h("p.muted", t("ops.sagas.what")), count, failure, late, place);
}

function summary({ sagas: list, atascadas }) {
  if (list.length === 0) return null;
  return [
    atascadas > 0 ? tag(`✕ ${t("ops.sagas.stuck", { n: atascadas })}`, "bad") : tag(`✓ ${t("ops.sagas.none_stuck")}`, "good"),
    " ", tag(t("ops.sagas.open", { n: list.length }), "info"),
  ];
}

/** Roles are said, because a phone shows rows as blocks, and blocks would be no table any more. */
function tableOf(rows) {
  const heads = ["purchase", "state", "steps", "why", "age", "act"].map((key) => t(`ops.sagas.${key}`));
  return h("div.ops-sagas",
    h("table", { role: "table" },
      h("caption.unseen", t("ops.sagas.title")),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads.map((text) => h("th", { scope: "col", role: "columnheader" }, text)))),
      h("tbody", { role: "rowgroup" }, rows.map((one) => h("tr", { role: "row" },
        one.cells.map((cell, index) => h("td", { role: "cell" }, h("span.ops-label", { "aria-hidden": "true" }, heads[index]), h("div", cell))))))));
}

function row(saga, retry) {
  const ages = [];
  const ageOf = (since) => {
    const element = h("span");
    ages.push({ element, since: Date.parse(since) });
    return element;
  };
  const lastStep = saga.pasos.filter(({ en }) => en).sort((a, b) => (a.en < b.en ? 1 : -1))[0];
  const stuck = saga.estado === "atascada";
  const cells = [
    [h("a", { href: purchaseHref(saga.reserva_id), dataset: { key: `see-${saga.reserva_id}` } }, h("code", { title: saga.reserva_id }, short(saga.reserva_id))),
      h("div.muted", exactMoney(saga.monto_total, saga.moneda))],
    // It was confirmed, and is open again: then it is being cancelled.
    saga.estado === "confirmada" ? tag(t("ops.sagas.cancelling"), "info") : stateTag(saga.estado),
    stepList(saga.pasos),
    saga.atasco ? whyStuck(saga.atasco) : "—",
    [ageOf(saga.creada_en), lastStep ? h("div.muted", t("ops.sagas.last_step"), " ", timeElement(lastStep.en)) : null],
    stuck && session.may("admin")
      ? busyButton(t("ops.retry.button"), () => retry(saga), { dataset: { key: saga.reserva_id }, "aria-label": `${t("ops.retry.button")} (${short(saga.reserva_id)})` })
      : "—",
  ];
  return { cells, ages };
}

/** The program's own words are English; the beginning, which says what kind of trouble it is, has words of ours. */
function whyStuck(text) {
  const [, kind] = /^(unavailable|outcome unknown|damaged|refused)\b/.exec(text) ?? [];
  const key = kind && `ops.stuck.${kind.replace(" ", "_")}`;
  return [key && has(key) ? h("p", t(key)) : null, h("p.muted", { lang: "en" }, text)];
}
