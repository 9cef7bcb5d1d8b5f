// `#/auditoria/reserva/:id`: a purchase's story over all streams, its money, and how it stands now.

import * as session from "../session.js";
import { ApiError, get, sleep } from "../api.js";
import { mayAudit } from "../auditor/access.js";
import { causesOf } from "../auditor/causes.js";
import { commandsOf } from "../auditor/commands.js";
import { copyButton } from "../auditor/copy.js";
import { idIn } from "../auditor/ids.js";
import { moneySummary, stateSummary, storySums } from "../auditor/purchase.js";
import { remember } from "../auditor/recent.js";
import { standingOf } from "../auditor/standing.js";
import { timeline } from "../auditor/timeline.js";
import { span } from "../auditor/values.js";
import { fill, h } from "../dom.js";
import { t } from "../i18n.js";
import { announce, busyButton, loading, notice, problem } from "../ui.js";

/** How often a purchase that is not settled is looked at again. */
const AGAIN_MS = 2_500;
const OPEN_STATES = new Set(["pendiente", "atascada"]);
/** Positions of the cards whose details are open, by purchase; outlives a change of the language. */
const openCards = new Map();

export default async function page(view, { params, signal }) {
  const path = `/auditoria/reserva/${params.id}`;
  if (!mayAudit(view, t("audit.purchase.title"), path)) return;
  const id = idIn(params.id);
  if (id === null) return void missing(view, params.id);
  const body = h("div", loading());
  view.append(back(), h("h1", t("audit.purchase.title")), h("p.audit-id", h("code", id)), body);

  // The purchase itself is its buyer's and the administrators'; an auditor reads the same from the story.
  const whole = session.may("admin");
  const look = async () => {
    const [events, state, money] = await Promise.all([
      story(id, signal), whole ? quietly(`/api/reservar/${id}`, signal) : null, quietly(`/api/pagos/${id}`, signal),
    ]);
    return [events, whole ? state : standingOf(events, id), money];
  };
  let found;
  try {
    found = await look();
  } catch (error) {
    if (error.status !== 404) throw error;
    view.replaceChildren();
    return void missing(view, params.id);
  }
  remember("purchase", id, nameOf(found[0]));
  await show(body, id, found, { signal, again });
  if (unsettled(found)) void follow();

  async function again() {
    found = await look();
    await show(body, id, found, { signal, again });
    announce(t("audit.purchase.refreshed", { n: found[0].length }));
  }

  // What is still going on grows under the reader's eyes, until it is settled or they leave.
  async function follow() {
    while (unsettled(found)) {
      try {
        await sleep(AGAIN_MS, signal);
        if (document.hidden) continue;
        const now = await look();
        if (JSON.stringify(now) === JSON.stringify(found)) continue;
        found = now;
        await show(body, id, found, { signal, again });
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
      }
    }
  }
}

const GOING_ON = ["reservation_requested", "reservation_progressed", "cancellation_requested", "compensation_started", "saga_resumed"];
const unsettled = ([events, state]) => {
  const last = events.findLast(({ stream }) => stream.startsWith("reservation-"))?.tipo ?? "";
  return OPEN_STATES.has(state?.estado) || GOING_ON.some((name) => last.startsWith(name));
};
const nameOf = (events) => events.map(({ datos }) => datos?.checked?.show_name ?? datos?.show_name).find(Boolean) ?? "";

async function story(id, signal) {
  return (await get(`/api/auditoria/reservas/${id}`, { signal })).data;
}

/** What stands beside the story; the story is told without it, too. */
async function quietly(path, signal) {
  try {
    return (await get(path, { signal, attempts: 2 })).data;
  } catch (error) {
    if (signal.aborted || !(error instanceof ApiError)) throw error;
    return null;
  }
}

const back = () => h("p.audit-back", h("a", { href: "#/auditoria" }, `← ${t("audit.back")}`));

async function show(body, id, [events, state, money], { signal, again }) {
  const commands = await commandsOf(events, id);
  if (signal.aborted) return;
  const open = openCards.get(id) ?? new Set();
  openCards.set(id, open);
  const focused = body.contains(document.activeElement) ? keyOf(document.activeElement) : null;
  fill(
    body,
    stateSummary(state, events),
    moneySummary(money, storySums(events)),
    h("h2", t("audit.timeline.title")),
    h("div.audit-tools",
      h("p.muted", t("audit.timeline.sum", { n: events.length, span: lasted(events) })),
      busyButton(t("audit.refresh"), () => again().catch((error) => fail(body, error, signal)), { dataset: { key: "refresh" } }),
      copyButton(t("audit.copy"), () => JSON.stringify(events, null, 2))),
    timeline(events, { commands, causes: causesOf(events, commands), open, signal }),
    h("details.audit-note", h("summary", t("audit.cause.how")), h("p", t("audit.cause.how_text")),
      commands.every((one) => one === null) ? h("p", t("audit.cause.insecure")) : null),
  );
  if (focused) body.querySelector(focused)?.focus({ preventScroll: true });
}

/** Finds what had the focus again after everything was drawn anew. */
function keyOf(element) {
  if (element.dataset.key) return `[data-key="${element.dataset.key}"]`;
  const card = element.closest("[data-position]");
  if (card) return `[data-position="${card.dataset.position}"] ${element.localName === "summary" ? "summary" : ".audit-title"}`;
  return element.dataset.lane ? `[data-lane="${element.dataset.lane}"]` : null;
}

function lasted(events) {
  const times = events.map(({ en }) => Date.parse(en)).filter(Number.isFinite);
  return span(times.length ? Math.max(...times) - Math.min(...times) : 0);
}

function fail(body, error, signal) {
  if (!signal.aborted) body.prepend(problem(error));
}

function missing(view, asked) {
  view.append(
    back(),
    h("h1", t("audit.purchase.unknown")),
    notice("warning", h("p", t("audit.purchase.unknown_text")), h("p", h("code", asked))),
    h("ul", ["audit.purchase.hint_id", "audit.purchase.hint_show", "audit.purchase.hint_hold"].map((key) => h("li", t(key)))),
  );
}
