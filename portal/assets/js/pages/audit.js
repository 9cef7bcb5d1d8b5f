// `#/auditoria`: where an auditor begins. With `?stream=` it shows that stream.

import { mayAudit } from "../auditor/access.js";
import { lookups, recentLookups } from "../auditor/lookup.js";
import { streamPage } from "../auditor/stream.js";
import { verification } from "../auditor/verify.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { href } from "../router.js";

export default async function page(view, { query, signal }) {
  const stream = query.get("stream");
  const from = Math.max(0, Number.parseInt(query.get("desde") ?? "0", 10) || 0);
  const path = stream ? href("/auditoria", { stream, desde: String(from) }).slice(1) : "/auditoria";
  if (!mayAudit(view, t(stream ? "audit.stream.title" : "audit.title"), path)) return;
  if (stream) {
    await streamPage(view, stream, from, signal);
    return;
  }
  view.append(...[
    h("h1", t("audit.title")),
    h("p.audit-lead", t("audit.lead")),
    verification(signal),
    h("h2", t("audit.look.title")),
    lookups(signal),
    recentLookups(),
  ].filter(Boolean));
}
