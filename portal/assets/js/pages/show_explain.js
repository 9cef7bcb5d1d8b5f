// Why nothing was held, in words that say what can be done now, with the button that does it.

import { get } from "../api.js";
import { h } from "../dom.js";
import { money, t } from "../i18n.js";
import { go } from "../router.js";
import { ask, messageOf } from "../ui.js";
import { listed } from "./show_notes.js";

/** Nobody is logged in: the choice waits while they do. */
export async function logIn(visit) {
  const back = `/evento/${visit.show.evento_id}`;
  const answer = await ask(t("show.log_in_title"), h("p", t("show.log_in_more")), [
    ["stay", t("form.cancel")], ["register", t("nav.register")], ["enter", t("nav.login"), "primary"],
  ]);
  if (answer === "enter") go("/entrar", { volver: back });
  if (answer === "register") go("/registro", { volver: back });
}

/**
 * @param {import("../api.js").ApiError} error
 * @param {Object} context `again(wish)` asks for something else
 */
export async function explain(error, context) {
  const known = KNOWN[error.code];
  if (known) await known(error, context);
  else context.notes.show("hold", "bad", error.fields?.length > 0 ? `${messageOf(error)} ${error.fields.map(({ mensaje }) => mensaje).join(" ")}` : messageOf(error));
}

const KNOWN = {
  ASIENTOS_OCUPADOS(error, { visit, notes, wish, again }) {
    const taken = error.body.asientos ?? [];
    const rest = (wish.asientos ?? []).filter((name) => !taken.includes(name));
    visit.taken(taken);
    visit.choose(rest.map((name) => visit.map.indexOf(name)).filter((index) => index >= 0));
    const text = [t("show.taken", { n: taken.length, names: listed(taken) }),
      rest.length > 0 ? t("show.taken_rest", { n: rest.length, names: listed(rest) }) : t("show.taken_all")].join(" ");
    notes.show("hold", "warning", text, rest.length > 0 ? { action: [t("show.hold_rest", { n: rest.length }), () => again({ asientos: rest })] } : {});
  },

  SIN_DISPONIBILIDAD(error, { visit, notes, wish, again }) {
    const left = error.body.entradas_disponibles ?? visit.show.entradas_disponibles;
    const where = wish.seccion ? t("show.too_few_in", { n: left, section: wish.seccion }) : t("show.too_few", { n: left });
    const fewer = left > 0 && left < wish.cantidad;
    const more = fewer ? "" : visit.show.entradas_retenidas > 0 ? t("show.may_come_back") : "";
    notes.show("hold", "warning", [where, more].filter(Boolean).join(" "),
      fewer ? { action: [t("show.hold_n", { n: left }), () => again({ ...wish, cantidad: left })] } : {});
  },

  LIMITE_DE_COMPRA(error, { visit, notes, wish, again }) {
    const limit = error.body.limite ?? visit.show.max_por_usuario;
    const has = error.body.ya_tiene ?? 0;
    const room = Math.max(0, limit - has);
    const text = [t("show.over_limit", { limit, has }), t(room > 0 ? "show.over_limit_room" : "show.over_limit_full", { n: room })].join(" ");
    const fewer = wish.cantidad !== undefined && room > 0;
    notes.show("hold", "warning", text, fewer ? { action: [t("show.hold_n", { n: room }), () => again({ ...wish, cantidad: room })]} : {});
  },

  async EVENTO_NO_DISPONIBLE(error, { visit, notes }) {
    notes.show("hold", "bad", messageOf(error));
    const { data } = await get(`/api/eventos/${visit.show.evento_id}`).catch(() => ({}));
    if (data) visit.tally(data);
  },

  async NO_AUTENTICADO(_, { visit }) {
    await logIn(visit);
  },

  PRECIO_CAMBIADO(error, { visit, notes }) {
    notes.show("hold", "warning", `${messageOf(error)} ${money(visit.total, visit.show.moneda)}`);
  },
};
