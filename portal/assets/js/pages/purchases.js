// What somebody bought.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { money, register, shortDateTime, t } from "../i18n.js";
import buying from "../i18n/buying.js";
import { href } from "../router.js";
import * as session from "../session.js";
import { announce, busy, problem, tag } from "../ui.js";
import { noteSettled, openPurchases } from "../buyer/open_purchases.js";
import { offer } from "../buyer/offer.js";
import { phase, isFinal, kindOf } from "../buyer/outcome.js";
import { showOf } from "../buyer/shows.js";
import { dateBlock } from "../buyer/show_card.js";
import { price, showTime } from "../buyer/words.js";

register(buying);

const PAGE = 20;

export default async function page(view, { signal }) {
  if (!session.loggedIn()) {
    offer(view, session.operating()
      ? { title: t("buying.purchases.operator"), text: t("buying.purchases.operator_text") }
      : { title: t("buying.purchases.offer"), text: t("buying.purchases.offer_text") });
    return;
  }
  const user = session.current().userId;
  const going = h("div");
  const list = h("div", { "aria-busy": "true" }, h("ul.bought", Array.from({ length: 3 }, skeleton)));
  const below = h("div.below");
  fill(view, h("h1", t("nav.purchases")), going, list, below);

  const bought = [];
  /** Those in the first group are not shown a second time. */
  const open = new Set();
  let cursor = null;
  drawGoing();
  await more().catch((error) => {
    if (signal.aborted) throw error;
    fill(list);
    fill(below, problem(error), again());
  });
  list.removeAttribute("aria-busy");

  /** The next purchases, with their shows: what is upcoming only a show's date tells. */
  async function more() {
    const { data } = await get(`/api/usuarios/${user}/compras`, { query: { limite: PAGE, cursor }, signal });
    const shows = new Map();
    await Promise.all([...new Set(data.compras.map((one) => one.evento_id))].map(async (id) => {
      shows.set(id, await showOf(id, signal));
    }));
    signal.throwIfAborted();
    bought.push(...data.compras.map((purchase) => ({ purchase, show: shows.get(purchase.evento_id) })));
    cursor = data.cursor ?? null;
    draw();
  }

  function draw() {
    if (bought.length === 0) {
      fill(list, h("div.empty", h("p.empty-title", t("buying.purchases.none")), h("p", t("buying.purchases.none_text")),
        h("a.button.primary", { href: "#/" }, t("buying.purchases.look"))));
      fill(below);
      return;
    }
    const now = Date.now();
    const rest = bought.filter(({ purchase }) => !open.has(purchase.reserva_id));
    const isPast = ({ show }) => show !== null && Date.parse(show.fecha) < now;
    fill(list,
      group(t("buying.purchases.upcoming"), rest.filter((one) => !isPast(one))),
      group(t("buying.purchases.past"), rest.filter(isPast)));
    fill(below, cursor ? moreButton() : null);
  }

  function moreButton() {
    const button = h("button.more", { type: "button" }, t("page.more"));
    button.addEventListener("click", () => busy(button, async () => {
      const before = bought.length;
      try {
        await more();
        announce(t("buying.purchases.count", { n: bought.length }));
        // Groups are made anew: the first of those that came has the focus.
        list.querySelector(`[href="${href(`/compra/${bought[before]?.purchase.reserva_id}`)}"]`)?.focus();
      } catch (error) {
        if (!signal.aborted) fill(below, problem(error), moreButton());
      }
    }));
    return button;
  }

  function again() {
    return h("button.primary", { type: "button", on: { click: async () => {
      fill(below);
      try {
        await more();
      } catch (error) {
        if (!signal.aborted) fill(below, problem(error), again());
      }
    } } }, t("page.try_again"));
  }

  /** Those that were not settled when they were last seen. */
  async function drawGoing() {
    const found = await Promise.all(openPurchases().map(async (id) => {
      try {
        const { data } = await get(`/api/reservar/${id}`, { signal, attempts: 1 });
        const state = phase(data, false);
        if (isFinal(state) && state !== "atascada") noteSettled(id);
        else return { data, state, show: await showOf(data.evento_id, signal) };
      } catch (error) {
        if (error.status === 403) noteSettled(id);
      }
      return null;
    }));
    const shown = found.filter(Boolean);
    if (signal.aborted || shown.length === 0) return;
    for (const { data } of shown) open.add(data.reserva_id);
    if (bought.length > 0) draw();
    fill(going, h("h2", t("buying.purchases.going")), h("ul.bought", shown.map(({ data, state, show }) =>
      h("li", h("article.ticket.row",
        show ? dateBlock(show.fecha) : null,
        h("div.ticket-body",
          h("h3.ticket-name", h("a", { href: href(`/compra/${data.reserva_id}`) }, show?.nombre ?? t("buying.purchase.show"))),
          h("p.ticket-foot", h("span", shortDateTime(data.creada_en)), tag(t(`reservation.state.${data.estado}`), kindOf(state)))))))));
  }
}

function group(title, entries) {
  if (entries.length === 0) return null;
  return h("section", h("h2", title), h("ul.bought", entries.map(row)));
}

function row({ purchase, show }) {
  const isOff = show?.estado === "cancelado";
  return h("li", h("article.ticket.row", { class: show && Date.parse(show.fecha) < Date.now() ? "off" : "" },
    show ? dateBlock(show.fecha) : h("div.stub", { "aria-hidden": "true" }),
    h("div.ticket-body",
      h("h3.ticket-name", h("a", { href: href(`/compra/${purchase.reserva_id}`) }, purchase.evento)),
      show ? h("p.ticket-where", h("time", { datetime: show.fecha }, showTime(show.fecha)), h("span", show.lugar)) : null,
      h("p.ticket-foot",
        h("span", t("buying.purchases.tickets", { n: purchase.cantidad }), " · ",
          h("strong", purchase.monto === 0 ? price(0, purchase.moneda) : money(purchase.monto, purchase.moneda)), " · ",
          t("buying.purchases.bought", { date: shortDateTime(purchase.fecha_compra) })),
        isOff ? tag(t("buying.left.cancelled"), "bad") : null,
        h("a.ticket-side", { href: href(`/evento/${purchase.evento_id}`), "aria-label": t("buying.purchases.show_of", { show: purchase.evento }) },
          t("buying.purchases.show"))))));
}

function skeleton() {
  return h("li", { "aria-hidden": "true" }, h("div.ticket.row.skeleton", h("div.stub"),
    h("div.ticket-body", h("span.bone.tall"), h("span.bone"), h("span.bone.foot"))));
}

