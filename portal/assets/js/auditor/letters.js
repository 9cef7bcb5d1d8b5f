// Dead letters: messages that nobody could deal with. Looking takes them out of the queue for a moment, so it is only
// done when somebody asks.

import { ApiError, get, newKey, post } from "../api.js";
import { fill, h } from "../dom.js";
import { has, t } from "../i18n.js";
import * as session from "../session.js";
import { announce, ask, busyButton, notice, problem, table } from "../ui.js";
import { bestHref, short, shortStream } from "./ids.js";
import { timeElement } from "./values.js";

const STREAMS_SHOWN = 5;

/** The section. */
export function deadLetters(signal) {
  const place = h("div");
  const again = busyButton(t("ops.letters.again"), async () => {
    await look();
    announce(t("ops.letters.looked"));
  });

  async function look() {
    try {
      const { data } = await get("/api/operaciones/mensajes-muertos", { signal, attempts: 2 });
      fill(place, shown(data));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      fill(place, error.status === 404 ? h("p.muted", t("ops.letters.not_told")) : problem(error));
    }
  }

  function shown({ disponible, mensajes, total }) {
    if (!disponible) return h("p.ops-empty", t("ops.letters.no_broker"));
    if (total === 0) return h("p.ops-empty", h("span", { "aria-hidden": "true" }, "✓ "), t("ops.letters.none"));
    return [
      notice("warning", h("p", t("ops.letters.some", { n: total }))),
      h("div.audit-table", table(t("ops.letters.table"), [
        [t("ops.letters.message"), (one) => [words("kind", one.tipo), one.id ? h("div", h("code", { title: one.id }, short(one.id))) : null]],
        [t("ops.letters.queue"), (one) => h("code", one.cola)],
        [t("ops.letters.why"), (one) => words("reason", one.motivo)],
        [t("ops.letters.when"), (one) => (one.en ? timeElement(one.en) : "—")],
        [t("ops.letters.times"), (one) => String(one.intentos ?? "—"), { numeric: true }],
        [t("ops.letters.streams"), (one) => streams(one.flujos ?? [])],
        ...(session.may("admin") ? [[t("ops.letters.act"), (one) => (one.id ? requeue(one) : "—")]] : []),
      ], mensajes)),
      total > mensajes.length ? h("p.muted", t("ops.letters.more", { n: total - mensajes.length })) : null,
    ];
  }

  function requeue(letter) {
    return busyButton(t("ops.letters.requeue"), async () => {
      const key = newKey();
      const sure = await ask(t("ops.letters.requeue_title"), h("p", t("ops.letters.requeue_what")),
        [[null, t("form.cancel")], ["yes", t("ops.letters.requeue"), "primary"]]);
      if (sure !== "yes") return;
      try {
        await post(`/api/operaciones/mensajes-muertos/${letter.id}/reencolar`, undefined, { key, signal });
        announce(t("ops.letters.requeued"));
        await look();
        again.focus();
      } catch (error) {
        if (!signal.aborted) place.prepend(problem(error));
      }
    }, { "aria-label": `${t("ops.letters.requeue")} (${short(letter.id)})` });
  }

  void look().catch(console.error);
  return h("section", { "aria-labelledby": "ops-letters" }, h("h2", { id: "ops-letters" }, t("ops.letters.title")),
    h("p.muted", t("ops.letters.what")), place, again);
}

const words = (area, value) => {
  const key = `ops.letters.${area}.${value}`;
  return value && has(key) ? t(key) : String(value ?? "—");
};

function streams(names) {
  if (names.length === 0) return "—";
  const more = names.length - STREAMS_SHOWN;
  return h("ul.audit-plain",
    names.slice(0, STREAMS_SHOWN).map((name) => h("li", h("a", { href: bestHref(name) }, h("code", { title: name }, shortStream(name))))),
    more > 0 ? h("li.muted", t("audit.say.seats_more", { n: more })) : null);
}
