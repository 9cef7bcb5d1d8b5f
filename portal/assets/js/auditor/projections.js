// The read models: how far they are, and making them anew.

import { ApiError, get, newKey, post } from "../api.js";
import { fill, h } from "../dom.js";
import { exactTime, number, t } from "../i18n.js";
import * as session from "../session.js";
import { announce, ask, busyButton, notice, problem } from "../ui.js";
import { every, whenChanged } from "./every.js";
import { span } from "./values.js";

const EVERY_MS = 4_000;
const REBUILDING_MS = 700;

/** The section. */
export function projections(signal) {
  const state = h("div");
  const rebuild = h("div.ops-rebuild", { tabindex: "-1" });
  const failure = h("div");
  const late = h("p.muted");
  let answered = null;
  let running = false;

  const drawState = whenChanged(({ posicion, retraso_ms, apartados }) => {
    fill(state, h("dl.audit-counts",
      figure(t("ops.projections.position"), posicion === null ? "—" : String(posicion)),
      figure(t("ops.projections.lag"), retraso_ms > 0 ? span(retraso_ms) : t("ops.projections.no_lag")),
      figure(t("ops.projections.parked"), apartados)),
    apartados > 0 ? notice("bad", h("p", t("ops.projections.parked_text"))) : null);
  });

  const drawRebuild = whenChanged((last) => {
    const { estado, hecho, total } = last;
    if (running && estado !== "en_curso") announce(rebuildText(last));
    running = estado === "en_curso";
    fill(rebuild,
      running ? h("div.audit-progress",
        h("progress", { "aria-label": t("ops.rebuild.progress"), max: Math.max(1, total), value: Math.min(hecho, total) }),
        h("p", t("ops.rebuild.running", { percent: number(total > 0 ? hecho / total : 0, { style: "percent" }) }))) : null,
      estado === "terminada" || estado === "fallida" ? notice(estado === "terminada" ? "good" : "bad", h("p", rebuildText(last))) : null);
    button.hidden = !session.may("admin") || running;
  });

  const button = busyButton(t("ops.rebuild.button"), async () => {
    const key = newKey();
    const sure = await ask(t("ops.rebuild.title"), [h("p", t("ops.rebuild.what")), h("p", t("ops.rebuild.meanwhile"))],
      [[null, t("form.cancel")], ["yes", t("ops.rebuild.confirm"), "primary"]]);
    button.focus();
    if (sure !== "yes") return;
    fill(failure);
    try {
      const { data } = await post("/api/operaciones/proyecciones/reconstruir", undefined, { key, signal });
      announce(t("ops.rebuild.begun"));
      show(data);
      rebuild.focus();
      again();
    } catch (error) {
      if (signal.aborted) return;
      fill(failure, problem(error), error.status === 503 ? h("p", t("ops.rebuild.standby")) : null);
    }
  });
  button.hidden = true;

  function show(data) {
    const { reconstruccion, ...state } = data;
    drawState(state);
    drawRebuild(reconstruccion);
  }

  const again = every(() => (running ? REBUILDING_MS : EVERY_MS), async () => {
    try {
      const { data } = await get("/api/operaciones/proyecciones", { signal, attempts: 1 });
      if (signal.aborted) return;
      answered = new Date();
      late.textContent = "";
      show(data);
    } catch (error) {
      if (signal.aborted || !(error instanceof ApiError)) throw error;
      if (error.status === 404) fill(state, h("p.muted", t("ops.projections.elsewhere")));
      else if (!state.firstChild) fill(state, problem(error));
      else if (answered) late.textContent = t("ops.late", { time: exactTime(answered) });
    }
  }, signal);

  return h("section", { "aria-labelledby": "ops-projections" }, h("h2", { id: "ops-projections" }, t("ops.projections.title")),
    h("p.muted", t("ops.projections.what")), late, state, rebuild, failure, button);
}

const figure = (name, value) => h("div", h("dt", name), h("dd", typeof value === "number" ? number(value) : value));

function rebuildText({ estado, eventos, detalle }) {
  if (estado === "terminada") return t("ops.rebuild.finished", { n: eventos ?? 0 });
  return t("ops.rebuild.failed", { why: WHY[detalle] ? t(`ops.rebuild.why.${WHY[detalle]}`) : detalle ?? "" });
}

const WHY = {
  "otra reconstrucción está en curso": "running", "el registro o los modelos fallaron": "failed", "se interrumpió al final": "interrupted",
};
