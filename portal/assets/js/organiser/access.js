// Organisers only: everybody else is told what is missing, and where to go from here.

import { append, h } from "../dom.js";
import { t } from "../i18n.js";
import { go, href } from "../router.js";
import * as session from "../session.js";
import { busyButton, notice } from "../ui.js";

/**
 * True when who is here may organise. Else the page says why not.
 * @param {HTMLElement} view
 * @param {string} title the page's heading
 * @param {string} back where to come back to after logging in, such as `/organizar`
 */
export async function mayOrganise(view, title, back) {
  // The server may have been away when the page was opened.
  if (!session.may("organizador") && !session.current().known) await session.identify();
  if (session.may("organizador")) return true;
  const unknown = !session.current().known;
  append(view, [
    h("h1", title),
    unknown ? notice("warning", h("p", t("org.access.unknown"))) : null,
    !unknown && session.loggedIn() ? notice("info",
      h("p", t("org.access.no_role")),
      h("p", t("org.access.ask_admin"), " ", h("code", session.current().userId))) : null,
    !unknown && !session.loggedIn() ? notice("info", h("p", t("org.access.log_in"))) : null,
    h("div.actions",
      unknown ? h("button.primary", { type: "button", on: { click: () => location.reload() } }, t("page.try_again")) : wayIn(back),
      h("a.button", { href: "#/" }, t("nav.back_to_shows"))),
  ]);
  return false;
}

function wayIn(back) {
  if (!session.loggedIn()) return h("a.button.primary", { href: href("/entrar", { volver: back }) }, t("nav.login"));
  return busyButton(t("org.access.other_account"), async () => {
    await session.end();
    go("/entrar", { volver: back });
  });
}
