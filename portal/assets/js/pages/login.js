// Logging in.

import { fill, h } from "../dom.js";
import { register, t } from "../i18n.js";
import account from "../i18n/buying_account.js";
import { go, href } from "../router.js";
import * as session from "../session.js";
import { announce, busy, field, input, messageOf, notice } from "../ui.js";
import { check, forgive } from "../buyer/checks.js";
import { closeFor, closedFor, logIn } from "../buyer/entrance.js";
import { dropDraft, keepDraft } from "../buyer/draft.js";
import { wayBack } from "../buyer/offer.js";
import { passwordField } from "../buyer/password.js";

register(account);

export default async function page(view, { query, signal }) {
  const back = wayBack(query);
  if (session.loggedIn()) {
    go(back, {}, { replace: true });
    return;
  }
  const required = (text) => (text.trim() === "" ? t("form.required") : null);
  const checks = { email: required, password: (text) => (text === "" ? t("form.required") : null) };
  const fields = {
    email: field(t("buying.email"), input("email", {
      name: "email", autocomplete: "username", required: true, maxlength: 254, spellcheck: "false", autocapitalize: "none",
    })),
    password: passwordField(t("buying.password"), { autocomplete: "current-password" }),
  };
  const button = h("button.primary.wide", { type: "submit" }, t("nav.login"));
  const failure = h("div.form-failure");
  const form = h("form", { novalidate: true, method: "post" }, fields.email, fields.password, failure, button);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (closedFor(fields.email.value()) > 0 || !check(fields, checks)) return;
    busy(button, enter).then(() => signal.aborted || countDown());
  });
  fields.email.control.addEventListener("input", countDown);
  keepDraft(form, "login", signal);
  forgive(fields, checks);

  fill(view,
    h("div.narrow.centred",
      h("section.card",
        h("h1", t("buying.login.title")),
        session.wasLost() ? notice("info", h("p", t("buying.offer.lost"))) : null,
        form),
      h("p.aside", t("buying.login.no_account"), " ",
        h("a", { href: href("/registro", { volver: back === "/" ? "" : back }) }, t("nav.register")))));

  let ticking = null;
  signal.addEventListener("abort", () => clearTimeout(ticking));
  countDown();

  async function enter() {
    fill(failure);
    try {
      await logIn(fields.email.value(), fields.password.value(), { signal });
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 429) {
        closeFor(fields.email.value(), error.retryAfter ?? 60);
        countDown();
      } else {
        // Which of the two was wrong nobody is told.
        fill(failure, notice("bad", h("p", messageOf(error))));
        if (error.code === "CREDENCIALES_INVALIDAS") fields.password.control.select();
      }
      if (error.code === "CREDENCIALES_INVALIDAS") fields.password.control.focus();
      return;
    }
    dropDraft("login");
    // Who logged in makes every page anew, this one included: it has gone on then already.
    if (!signal.aborted) go(back, {}, { replace: true });
  }

  /** Says how long the address is not looked at; a screen reader hears when it begins and when it ends. */
  function countDown() {
    clearTimeout(ticking);
    const left = closedFor(fields.email.value());
    const shown = failure.querySelector(".countdown");
    if (left === 0) {
      if (shown) {
        fill(failure);
        announce(t("buying.login.open_again"));
      }
      button.removeAttribute("aria-disabled");
      return;
    }
    const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (shown) shown.textContent = clock;
    else {
      fill(failure, h("div.notice.warning", h("p", t("buying.login.wait")),
        h("p", h("span", { "aria-hidden": "true" }, t("buying.login.wait_left"), " "), h("strong.countdown", { role: "timer" }, clock))));
      announce(t("buying.login.wait_told", { n: Math.ceil(left / 60) }), true);
    }
    button.setAttribute("aria-disabled", "true");
    ticking = setTimeout(countDown, 1_000);
  }
}
