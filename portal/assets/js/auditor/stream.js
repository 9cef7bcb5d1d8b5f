// One stream as it stands in the log, a page at a time.

import { get } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { href } from "../router.js";
import { notice } from "../ui.js";
import { eventCard, when } from "./card.js";
import { copyButton } from "./copy.js";
import { bestHref, partsOf } from "./ids.js";
import { remember } from "./recent.js";

const PAGE = 50;

/** Fills the view with a stream, from a revision on. */
export async function streamPage(view, name, from, signal) {
  view.append(h("p.audit-back", h("a", { href: "#/auditoria" }, `← ${t("audit.back")}`)), h("h1", t("audit.stream.title")), h("p.audit-id", h("code", name)));
  let records;
  try {
    // One more than is shown tells whether there is another page.
    ({ data: records } = await get(`/api/auditoria/streams/${encodeURIComponent(name)}`, { query: { desde: from, limite: PAGE + 1 }, signal }));
  } catch (error) {
    if (error.status !== 404) throw error;
    view.append(notice("warning", h("p", t("audit.stream.unknown"))), h("p.muted", t("audit.look.stream_hint")));
    return;
  }
  remember("stream", name);
  const { kind } = partsOf(name);
  const shown = records.slice(0, PAGE);
  const more = ["reservation", "payment", "show"].includes(kind);
  view.append(
    more ? h("p", h("a.button", { href: bestHref(name, { position: shown[0]?.posicion }) },
      t(kind === "show" ? "audit.stream.as_show" : "audit.stream.as_purchase"))) : "",
    h("div.audit-tools", h("p.muted", shown.length ? t("audit.stream.shown", { from: String(shown[0].revision), to: String(shown.at(-1).revision) })
      : t("audit.stream.beyond")), shown.length ? copyButton(t("audit.copy"), () => JSON.stringify(shown, null, 2)) : null),
    pages("nav.audit-pages", name, from, records.length > PAGE),
    h("ol.audit-plain-events", { "aria-label": t("audit.stream.title") }, shown.map((record, index) =>
      h("li", when(record, shown[index - 1]), eventCard(record, { level: "h2", withStream: false })))),
    shown.length > 5 ? pages("div.audit-pages", name, from, records.length > PAGE) : "",
  );
}

function pages(tag, name, from, further) {
  const to = (revision, text) => h("a.button", { href: href("/auditoria", { stream: name, desde: String(revision) }) }, text);
  if (from === 0 && !further) return "";
  return h(tag, { "aria-label": tag.startsWith("nav") ? t("audit.stream.pages") : null },
    from > 0 ? to(Math.max(0, from - PAGE), `← ${t("audit.stream.earlier")}`) : null,
    further ? to(from + PAGE, `${t("audit.stream.later")} →`) : null);
}
