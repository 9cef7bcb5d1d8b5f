// How the server and each of its dependencies are, live.

import { ApiError, get } from "../api.js";
import { fill, h } from "../dom.js";
import { exactTime, has, t } from "../i18n.js";
import { announce, tag } from "../ui.js";
import { every, whenChanged } from "./every.js";
import { span } from "./values.js";

const EVERY_MS = 3_000;
/** Instead of a state: there was no answer. */
const SILENT = "silent";

/** The section. It says aloud only when the whole changes between ready, not ready and silent. */
export function health(signal) {
  const whole = h("p.ops-whole");
  const cards = h("ul.ops-cards");
  const seen = h("p.muted.ops-seen");
  let last = {};
  let said = null;

  const draw = whenChanged((estado, dependencias) => {
    const ready = estado === "lista";
    fill(whole, estado === SILENT ? verdict("bad", t("ops.health.silent"))
      : verdict(ready ? "good" : "bad", t(ready ? "ops.health.ready" : "ops.health.not_ready")));
    fill(cards, Object.entries(dependencias).map(([name, one]) => card(name, one, estado === SILENT)));
    if (said !== null && said !== estado) announce(whole.textContent, !ready);
    said = estado;
  });

  every(() => EVERY_MS, async () => {
    let answer;
    try {
      answer = (await get("/salud/lista", { signal, attempts: 1 })).data;
    } catch (error) {
      // Not ready is an answer, too: a 503 with the same body.
      if (!(error instanceof ApiError)) throw error;
      answer = error.body?.dependencias ? error.body : null;
    }
    if (signal.aborted) return;
    if (answer === null) {
      draw(SILENT, last);
      return;
    }
    last = answer.dependencias;
    draw(answer.estado, last);
    seen.textContent = t("ops.seen", { time: exactTime(new Date()) });
  }, signal);

  return h("section", { "aria-labelledby": "ops-health" }, h("h2", { id: "ops-health" }, t("ops.health.title")), whole, cards, seen);
}

const verdict = (kind, text) => h("span.audit-verdict", { class: kind },
  h("span.audit-seal", { "aria-hidden": "true" }, kind === "good" ? "✓" : "✕"), h("strong", text));

function card(name, { estado, detalle, posicion, retraso, retraso_ms }, silent) {
  const well = estado === "bien";
  return h("li.card", { class: well ? "" : "is-bad" },
    h("div.ops-head",
      h("h3", has(`ops.dependency.${name}`) ? t(`ops.dependency.${name}`) : name),
      silent ? tag(`? ${t("ops.health.no_news")}`, "warning")
        : tag(`${well ? "✓" : "✕"} ${t(well ? "ops.health.well" : "ops.health.bad")}`, well ? "good" : "bad")),
    h("p.muted", has(`ops.dependency_text.${name}`) ? t(`ops.dependency_text.${name}`) : ""),
    detalle ? h("p.ops-detail", trouble(detalle)) : null,
    posicion === undefined ? null : h("p.ops-numbers", t("ops.health.position", { position: String(posicion) }),
      retraso ? ` · ${t("ops.health.behind", { n: retraso })}` : "",
      retraso_ms ? ` · ${t("ops.health.behind_ms", { span: span(retraso_ms) })}` : ""));
}

const TROUBLES = {
  "no se puede leer": "unreadable", "no se sabe hasta dónde llegó": "unknown", "la pasarela no responde": "gateway",
  "se detuvo por un fallo; hay que reiniciar": "stopped", "no se puede proyectar; se reintenta": "projecting",
  "se ponen al día": "catching_up", "van con retraso": "late", "no responde": "silent", "aún no se ha mirado": "not_yet",
};

/** The server speaks Spanish about what is wrong; what is not known to us is shown as it is. */
function trouble(text) {
  const parked = /^(\d+) flujos apartados/.exec(text);
  if (parked) return t("ops.trouble.parked", { n: Number(parked[1]) });
  return TROUBLES[text] ? t(`ops.trouble.${TROUBLES[text]}`) : h("span", { lang: "es" }, text);
}
