// What a page shows to somebody who would have to log in for it.

import { fill, h } from "../dom.js";
import { register, t } from "../i18n.js";
import account from "../i18n/buying_account.js";
import { here, href } from "../router.js";
import * as session from "../session.js";
import { notice } from "../ui.js";

register(account);

/** Fills the page with a friendly way to log in or sign up that leads back here. */
export function offer(view, { title = t("buying.offer.title"), text = t("buying.offer.text") } = {}) {
  const { path, query } = here();
  const search = query.toString();
  const volver = search ? `${path}?${search}` : path;
  fill(
    view,
    h("div.narrow.centred",
      h("section.card.offer",
        h("h1", title),
        session.wasLost() ? notice("info", h("p", t("buying.offer.lost"))) : null,
        h("p", text),
        h("div.actions",
          h("a.button.primary", { href: href("/entrar", { volver }) }, t("nav.login")),
          h("a.button", { href: href("/registro", { volver }) }, t("nav.register"))))),
  );
}

/** True when nobody is logged in; then the page shows the offer and nothing else. `operator` lets the operator pass. */
export function needsLogIn(view, { operator = false, ...words } = {}) {
  if (session.loggedIn() || (operator && session.operating())) return false;
  offer(view, words);
  return true;
}

/** Where to go after logging in: a page of ours, never one of the two that lead here. */
export function wayBack(query) {
  const wanted = query.get("volver") ?? "";
  const isOurs = /^\/(?![/\\])/.test(wanted) && !/^\/(entrar|registro)\b/.test(wanted);
  return isOurs ? wanted : "/";
}
