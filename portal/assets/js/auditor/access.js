// Who may see the auditor's and operator's pages. The server decides; this only says so before it has to.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { href } from "../router.js";
import * as session from "../session.js";
import { notice } from "../ui.js";
import "./texts.js";

/**
 * True for whoever may audit. Anybody else is told, under the page's title, what is missing and where to log in;
 * `path` is where they come back to.
 */
export function mayAudit(view, title, path) {
  if (session.may("auditor")) return true;
  const { known } = session.current();
  const text = known ? (session.loggedIn() ? "audit.access.role" : "audit.access.login") : "audit.access.unknown";
  view.append(
    h("h1", title),
    h("div.narrow",
      notice(known ? "info" : "warning", h("p", t(text))),
      known ? h("p.actions", h("a.button.primary", { href: href("/entrar", { volver: path }) },
        t(session.loggedIn() ? "audit.access.other" : "nav.login"))) : null),
  );
  if (!known) askAgain(view);
  return false;
}

/** The server was away when the page began. Once it is known who is here, the page is shown anew by itself. */
function askAgain(view) {
  const timer = setInterval(() => {
    if (!view.isConnected || session.current().known) clearInterval(timer);
    else session.identify();
  }, 2_000);
}
