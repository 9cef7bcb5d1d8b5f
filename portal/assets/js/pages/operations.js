// `#/operaciones`: how the system is, and what needs a hand.

import { mayAudit } from "../auditor/access.js";
import { health } from "../auditor/health.js";
import { deadLetters } from "../auditor/letters.js";
import { projections } from "../auditor/projections.js";
import { sagas } from "../auditor/sagas.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";

export default async function page(view, { signal }) {
  if (!mayAudit(view, t("ops.title"), "/operaciones")) return;
  view.append(
    h("h1", t("ops.title")),
    h("p.audit-lead", t("ops.lead")),
    health(signal), sagas(signal), projections(signal), deadLetters(signal),
  );
}
