// A purchase: its steps as they happen, what came of it, and how to cancel it.

import { ApiError, del, get, sleep } from "../api.js";
import { fill, h } from "../dom.js";
import { money, register, shortDateTime, t } from "../i18n.js";
import buying from "../i18n/buying.js";
import { here, href, note } from "../router.js";
import * as session from "../session.js";
import { follow } from "../sse.js";
import { announce, ask, busyButton, facts, notice, problem } from "../ui.js";
import { noteOpen, noteSettled } from "../buyer/open_purchases.js";
import { offer } from "../buyer/offer.js";
import { banner, celebrate } from "../buyer/banner.js";
import { isFinal, outcome, phase } from "../buyer/outcome.js";
import { showOf } from "../buyer/shows.js";
import { dateBlock } from "../buyer/show_card.js";
import { stepList } from "../buyer/steps.js";
import { price, showTime } from "../buyer/words.js";

register(buying);

/** How long a purchase that is not there yet is waited for: a moment, and for one just made as long as it takes. */
const MOMENT_MS = 4_000;
const FRESH_MS = 10 * 60_000;
/** A purchase that was confirmed less than this ago is worth a celebration, also when its page opens only now. */
const NEWS_MS = 15_000;
/** After so long a purchase that is still going on may be stopped. */
const LONG_MS = 6_000;

/** Purchases whose cancellation was accepted and is not through yet: the API still calls them confirmed. */
const cancelling = new Set();
/** Purchases as they were last seen: shown at once when the page is made anew, also while the server is away. */
const seen = new Map();

export default async function page(view, { params: { id }, query, signal }) {
  if (!session.loggedIn() && !session.operating()) {
    offer(view, { title: t("buying.purchase.offer_title") });
    return;
  }
  const path = `/api/reservar/${encodeURIComponent(id)}`;
  const before = seen.get(id);
  const isMine = before && (session.operating() || before.usuario_id === session.current().userId);
  const purchase = isMine ? before : await arrived(view, path, query, signal);
  if (!purchase) return;
  if (query.has("nueva")) note(here().path);

  const head = banner();
  const live = h("p.live-state", { hidden: true }, t("connection.lost"));
  const steps = stepList();
  const next = h("div");
  const actions = h("div.actions");
  const failure = h("div");
  const summary = h("section.card.summary", { "aria-label": t("buying.purchase.summary") });
  fill(view,
    h("p.crumb", h("a", { href: "#/mis-compras" }, `← ${t("nav.purchases")}`)),
    h("div.purchase", head, summary,
      h("div.purchase-main", next, failure, actions,
        h("section.steps-section", h("h2", t("buying.purchase.steps")), live, steps))));

  let latest = null;
  let shownAs = "";
  let show = null;
  let watching = 0;
  const opened = Date.now();
  draw(purchase);
  fillSummary();
  lookAtShow();
  watch();
  // Without waiting for another event: after a while one may want to stop it.
  setTimeout(() => !signal.aborted && latest.estado === "pendiente" && drawActions(), LONG_MS);

  async function lookAtShow(anew = false) {
    const found = await showOf(purchase.evento_id, signal, { anew });
    if (signal.aborted || !found) return;
    show = found;
    head.update(shownAs, outcome(latest, shownAs, show));
    fillSummary();
    drawActions();
  }

  // What is settled is not followed any more; whoever comes back to the page may find that its show was cancelled.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && watching === 0) watch();
  }, { signal });

  /** Follows the purchase until it is settled. `position`: the read model must have come so far before it counts. */
  async function watch(position = null) {
    watching += 1;
    try {
      await follow(position ? `${path}/cambios?posicion=${position}` : `${path}/cambios`, {
        signal,
        onEvent: ({ data }) => {
          draw(data);
        },
        onState: (state) => {
          live.hidden = state !== "lost" || isFinal(phase(latest, cancelling.has(id)));
        },
      });
      if (signal.aborted) return;
      cancelling.delete(id);
      draw(latest);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      // Whoever reads this page has the state of a moment ago: that stays.
      fill(failure, problem(error), busyButton(t("page.try_again"), async () => {
        fill(failure);
        watch(position);
      }));
    } finally {
      watching -= 1;
    }
  }

  function draw(data) {
    latest = data;
    seen.set(id, data);
    const state = phase(data, cancelling.has(id));
    const changes = steps.update(data, state);
    const own = data.usuario_id === session.current().userId;
    if (own && isFinal(state) && state !== "atascada") noteSettled(id);
    else if (own) noteOpen(id);
    const told = outcome(data, state, show);
    head.update(state, told);
    if (state === shownAs) {
      if (changes.length > 0) announce(changes.join(". "));
      return;
    }
    const before = shownAs;
    shownAs = state;
    document.title = `${told.title} · EventFlow`;
    if (before) announce([told.title, ...told.texts].filter(Boolean).join(". "));
    const isNews = before === "pendiente" || (!before && !isMine && Date.now() - Date.parse(data.confirmada_en) < NEWS_MS);
    if (state === "confirmada" && isNews && before !== "cancelando") celebrate(head);
    fill(next, state === "confirmada" ? whatNext(data) : null);
    live.hidden = live.hidden || isFinal(state);
    drawActions();
    if (before) fillSummary();
    if (before && state === "cancelada") lookAtShow(true);
  }

  function drawActions() {
    const hadFocus = actions.contains(document.activeElement);
    const state = shownAs;
    const hasBegun = show !== null && Date.parse(show.fecha) <= Date.now();
    const isLong = state === "pendiente" && Date.now() - opened >= LONG_MS - 50;
    const mayCancel = !hasBegun && (state === "confirmada" || isLong);
    const failed = ["rechazada", "vencida"].includes(state);
    fill(actions,
      h("a.button", { class: failed ? "primary" : "", href: href(`/evento/${latest.evento_id}`) }, t(failed ? "buying.purchase.choose_again" : "buying.purchase.to_show")),
      isFinal(state) ? h("a.button", { href: "#/" }, t("nav.back_to_shows")) : null,
      mayCancel ? busyButton(t(isLong ? "buying.cancel.stop" : "buying.cancel.button"), cancel, { kind: "danger" }) : null);
    if (hadFocus) actions.querySelector("a, button").focus();
  }

  async function cancel() {
    const amount = latest.monto_total > 0 ? money(latest.monto_total, latest.moneda) : null;
    const body = [
      h("p", t("buying.cancel.what", { n: latest.cantidad, show: show?.nombre ?? "" })),
      amount ? h("p", t("buying.cancel.refund", { amount })) : null,
      h("p", t("buying.cancel.final")),
    ];
    const answer = await ask(t("buying.cancel.title"), body, [
      ["keep", t("buying.cancel.keep")],
      ["cancel", t("buying.cancel.confirm"), "danger solid"],
    ]);
    if (answer !== "cancel" || signal.aborted) return;
    fill(failure);
    try {
      const { position } = await del(path, { signal });
      cancelling.add(id);
      draw(latest);
      watch(position);
    } catch (error) {
      if (signal.aborted) return;
      // The answer to a first try may have been lost: then it is being cancelled all the same, and the stream tells.
      fill(failure, error.code === "EVENTO_NO_DISPONIBLE"
        ? notice("bad", h("p", t("buying.cancel.too_late")))
        : problem(error));
      if (error.status === 409) watch();
    }
  }

  function fillSummary() {
    const seats = latest.asientos ?? [];
    fill(summary,
      h("div.summary-show",
        show ? dateBlock(show.fecha) : null,
        h("div",
          h("h2", h("a", { href: href(`/evento/${latest.evento_id}`) }, show?.nombre ?? t("buying.purchase.show"))),
          show ? h("p.muted", h("time", { datetime: show.fecha }, showTime(show.fecha))) : null,
          show ? h("p.muted", show.lugar) : null)),
      facts([
        [t("buying.purchase.tickets"), String(latest.cantidad)],
        [t("buying.purchase.amount"), price(latest.monto_total, latest.moneda)],
        [t("buying.purchase.made"), shortDateTime(latest.creada_en)],
      ]),
      seats.length > 0
        ? h("div.seats", h("h3", t("buying.purchase.seats")), h("ul", seats.map((seat) => h("li.tag", seat))))
        : null,
      h("p.hint.small", t("buying.purchase.number"), " ", h("span.code", latest.reserva_id)));
  }
}

/** What comes after a confirmed purchase. Only what there really is. */
function whatNext(purchase) {
  const state = purchase.documentos?.estado;
  const key = state === "emitidos" ? "buying.next.issued" : "buying.next.later";
  return h("section.card.next", h("h2", t("buying.next.title")), h("p", t(key)), h("p", t("buying.next.find")));
}

/** The purchase once it can be read; null when the page says why it cannot. */
async function arrived(view, path, query, signal) {
  const isFresh = query.has("nueva");
  const until = Date.now() + (isFresh ? FRESH_MS : MOMENT_MS);
  fill(view, skeleton());
  for (let pause = 300; ; pause = Math.min(pause * 2, 3_000)) {
    try {
      return (await get(path, { query: { posicion: query.get("posicion") }, signal })).data;
    } catch (error) {
      if (error.status === 403) {
        fill(view, h("div.narrow.centred", h("section.card",
          h("h1", t("buying.purchase.foreign")), h("p", t("buying.purchase.foreign_text")),
          h("div.actions", h("a.button", { href: "#/mis-compras" }, t("nav.purchases"))))));
        return null;
      }
      if (error.status !== 404) throw error;
      if (Date.now() > until) return missing(view);
      if (isFresh && !view.querySelector(".queued")) {
        fill(view, h("header.outcome.info.queued",
          h("span.outcome-sign.going", { "aria-hidden": "true" }),
          h("div", h("h1", t("buying.purchase.queued")), h("p", { role: "status" }, t("buying.purchase.queued_text")))));
      }
      await sleep(pause, signal);
    }
  }
}

/** The shape of the page. */
function skeleton() {
  return [
    h("h1.unseen", t("buying.purchase.title")),
    h("p.crumb", h("a", { href: "#/mis-compras" }, `← ${t("nav.purchases")}`)),
    h("div.purchase", { "aria-hidden": "true" },
      h("div.outcome.blank"),
      h("div.card.summary", h("p", h("span.bone.tall")), h("p", h("span.bone")), h("p", h("span.bone.foot"))),
      h("div.purchase-main", Array.from({ length: 6 }, () => h("p", h("span.bone"))))),
  ];
}

function missing(view) {
  fill(view, h("div.narrow.centred", h("section.card",
    h("h1", t("buying.purchase.missing")), h("p", t("buying.purchase.missing_text")),
    h("div.actions", h("a.button.primary", { href: "#/mis-compras" }, t("nav.purchases")),
      h("a.button", { href: "#/" }, t("nav.back_to_shows"))))));
  return null;
}
