// Cancelling a show: what it means is said first, and agreed to by hand.

import * as api from "../api.js";
import { append, fill, h, uid } from "../dom.js";
import { money, t } from "../i18n.js";
import { toMajor } from "../currency.js";
import { ofThisTab } from "../storage.js";
import { announce, busy, problem } from "../ui.js";

const keptAs = (id) => `eventflow.cancel.${id}`;

/** What was sold when the show was cancelled here, or null. */
export const soldAtCancellation = (id) => ofThisTab.get(keptAs(id))?.sold ?? null;

/**
 * Asks, and cancels. `onDone(position)` once it is durable.
 * @param {import("./sales_feed.js").Sales} sales
 */
export function askToCancel(sales, { onDone, signal }) {
  const { show } = sales;
  const titleId = uid("title");
  const agreed = h("input", { type: "checkbox", id: uid("agree"), "aria-describedby": uid("agree-error") });
  const missing = h("p.field-error", { id: agreed.getAttribute("aria-describedby"), hidden: true }, t("org.cancel.tick"));
  const failure = h("div");
  const { sold, held } = sales.tally;
  const confirm = h("button.danger", { type: "button", on: { click: () => busy(confirm, run) } }, t("org.cancel.now"));
  const ended = new AbortController();
  const dialog = h("dialog.org-cancel", { "aria-labelledby": titleId });
  const close = () => {
    ended.abort();
    dialog.close();
    dialog.remove();
  };

  async function run() {
    missing.hidden = agreed.checked;
    agreed.toggleAttribute("aria-invalid", false);
    if (!agreed.checked) {
      agreed.setAttribute("aria-invalid", "true");
      agreed.focus();
      announce(t("org.cancel.tick"));
      return;
    }
    fill(failure);
    // One key for one decision, also when the page is loaded anew in between.
    const kept = ofThisTab.get(keptAs(show.evento_id)) ?? { key: api.newKey() };
    ofThisTab.set(keptAs(show.evento_id), { ...kept, sold: sales.tally.sold });
    try {
      const { position } = await api.post(`/api/eventos/${show.evento_id}/cancelar`, undefined, { key: kept.key, signal });
      close();
      onDone(position);
    } catch (error) {
      if (!signal.aborted) fill(failure, problem(error));
    }
  }

  append(dialog, [
    h("h2", { id: titleId }, t("org.cancel.title")),
    h("p.org-cancel-name", h("strong", show.nombre)),
    h("div.dialog-body",
      h("ul.org-consequences",
        h("li", t("org.cancel.stops")),
        held > 0 ? h("li", t("org.cancel.holds", { n: held })) : null,
        h("li", sold > 0 ? t("org.cancel.refunds", { n: sold, amount: money(toMajor(sales.revenueMinor, show.moneda), show.moneda) }) : t("org.cancel.no_sales")),
        h("li", t("org.cancel.told")),
        h("li", h("strong", t("org.cancel.for_good")))),
      h("label.org-agree", { for: agreed.id }, agreed, h("span", t("org.cancel.agree"))),
      missing, failure),
    h("div.actions", h("button", { type: "button", on: { click: close } }, t("org.cancel.keep")), confirm),
  ]);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  signal.addEventListener("abort", close, { once: true, signal: ended.signal });
  document.body.append(dialog);
  dialog.showModal();
}

/** How the refunds of a cancelled show go on: an element with `show(sales, record)`. */
export function refunds() {
  const bar = h("progress", { "aria-label": t("org.refund.title") });
  const words = h("p", { role: "status" });
  const slow = h("p.hint", t("org.refund.slow"));
  const element = h("section.card.org-refunds", h("h2", t("org.refund.title")), words, bar, slow);
  let told = "";
  element.show = (sales, record) => {
    const { sold } = sales.tally;
    const before = Math.max(soldAtCancellation(sales.show.evento_id) ?? 0, ...record.points.map((point) => point.sold));
    bar.max = Math.max(before, 1);
    bar.value = before - sold;
    bar.hidden = before === 0 || sold === 0;
    slow.hidden = sold === 0 || Date.now() - record.changedAt < SLOW_MS;
    const text = sold > 0 ? t("org.refund.left", { n: sold }) + (before > sold ? ` ${t("org.refund.done", { n: before - sold, of: before })}` : "")
      : t(before > 0 ? "org.refund.all" : "org.refund.nothing", { n: before });
    if (text !== told) fill(words, text);
    told = text;
  };
  return element;
}
const SLOW_MS = 30_000;
