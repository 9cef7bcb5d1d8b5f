// Signing up.

import { newKey, post } from "../api.js";
import { fill, h } from "../dom.js";
import { errorText, register, t } from "../i18n.js";
import account from "../i18n/buying_account.js";
import { go, href } from "../router.js";
import * as session from "../session.js";
import { announce, busy, field, input, notice, problem, select } from "../ui.js";
import { CHECKS, check, forgive, showRefused } from "../buyer/checks.js";
import { dropDraft, keepDraft } from "../buyer/draft.js";
import { logIn } from "../buyer/entrance.js";
import { wayBack } from "../buyer/offer.js";
import { passwordField } from "../buyer/password.js";

register(account);

const DOCUMENTS = ["DNI", "CI", "Cedula", "RUT", "Pasaporte", "Otro"];
const TAKEN = { DOCUMENTO_REGISTRADO: "nro_documento", EMAIL_REGISTRADO: "email" };
/** The same person sent again, after no answer came, is the same intention. */
let intention = { body: "", key: "" };

export default async function page(view, { query, signal }) {
  const back = wayBack(query);
  const volver = back === "/" ? "" : back;
  if (session.loggedIn()) {
    go(back, {}, { replace: true });
    return;
  }
  const text = (name, props) => input("text", { name, required: true, maxlength: 200, ...props });
  const fields = {
    nombre: field(t("buying.given_name"), text("nombre", { autocomplete: "given-name" })),
    apellido: field(t("buying.family_name"), text("apellido", { autocomplete: "family-name" })),
    tipo_documento: field(t("buying.document_type"),
      select(DOCUMENTS.map((kind) => [kind, t(`buying.document.${kind}`)]), { name: "tipo_documento" })),
    nro_documento: field(t("buying.document_number"),
      text("nro_documento", { autocomplete: "off", autocapitalize: "characters", spellcheck: "false" })),
    email: field(t("buying.email"), input("email", {
      name: "email", autocomplete: "email", required: true, maxlength: 254, spellcheck: "false", autocapitalize: "none",
    }), { hint: t("buying.email_hint") }),
    password: passwordField(t("buying.password"), { autocomplete: "new-password", hint: t("buying.password_hint") }),
  };
  const button = h("button.primary.wide", { type: "submit" }, t("nav.register"));
  const failure = h("div.form-failure");
  const form = h("form", { novalidate: true, method: "post" },
    h("div.pair", fields.nombre, fields.apellido),
    h("div.pair", fields.tipo_documento, fields.nro_documento),
    fields.email, fields.password, failure, button,
    h("p.hint.small", t("buying.register.privacy")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (check(fields, CHECKS)) busy(button, signUp);
  });
  keepDraft(form, "register", signal);
  forgive(fields, CHECKS);

  fill(view,
    h("div.narrow.centred",
      h("section.card",
        h("h1", t("buying.register.title")),
        h("p.muted", t("buying.register.lead")),
        form),
      h("p.aside", t("buying.register.have_account"), " ", h("a", { href: href("/entrar", { volver }) }, t("nav.login")))));

  async function signUp() {
    fill(failure);
    const body = Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, one.value()]));
    for (const name of Object.keys(body)) if (name !== "password") body[name] = body[name].trim();
    const sent = JSON.stringify(body);
    if (intention.body !== sent) intention = { body: sent, key: newKey() };
    try {
      await post("/api/usuarios", body, { key: intention.key, signal });
    } catch (error) {
      if (!signal.aborted) refused(error);
      return;
    }
    intention = { body: "", key: "" };
    try {
      await logIn(body.email, body.password, { signal });
    } catch (error) {
      if (signal.aborted) return;
      // There is an account now; only the log-in is left.
      fill(failure, notice("good", h("p", t("buying.register.done_log_in")),
        h("p", h("a", { href: href("/entrar", { volver }) }, t("nav.login")))), problem(error));
      return;
    }
    dropDraft("register");
    announce(t("buying.register.done"));
    if (!signal.aborted) go(back, {}, { replace: true });
  }

  function refused(error) {
    const taken = fields[TAKEN[error.code]];
    if (taken) {
      taken.setError(errorText(error.code));
      taken.control.focus();
      fill(failure, notice("info", h("p", t("buying.register.taken"), " ",
        h("a", { href: href("/entrar", { volver }) }, t("buying.register.to_login")))));
    } else if (!showRefused(error, fields)) {
      fill(failure, problem(error));
    }
  }
}
