// A show while it sells: every number live, where the seats go, and the way to cancel it.

import { fill, h } from "../dom.js";
import { dateTime, money, number, register, t } from "../i18n.js";
import organising from "../i18n/organising.js";
import { note } from "../router.js";
import * as session from "../session.js";
import { announce, facts, loading, notice, problem, tag } from "../ui.js";
import { mayOrganise } from "../organiser/access.js";
import { askToCancel, refunds } from "../organiser/cancel_show.js";
import { salesChart } from "../organiser/sales_chart.js";
import { openSales } from "../organiser/sales_feed.js";
import { occupancy, salesFigures } from "../organiser/sales_figures.js";
import { recordOf } from "../organiser/sales_record.js";
import { sectionTable } from "../organiser/section_table.js";

register(organising);

/** An on-sale changes hundreds of times a second; nobody reads faster than this. */
const DRAW_PAUSE_MS = 250;

export default async function page(view, { params, query, signal }) {
  const path = `/organizar/${params.id}`;
  if (!(await mayOrganise(view, t("org.sales.title"), path))) return;
  // After publishing: the position of the log that has the show.
  const published = query.get("publicado");
  fill(view, back(), h("h1", t("org.sales.title")), loading());
  let sales;
  try {
    sales = await openSales(params.id, { position: /^\d{2,}$/.test(published ?? "") ? published : null, signal });
  } catch (error) {
    if (signal.aborted) return;
    if (!error.code) console.error(error);
    fill(view, back(), h("h1", t("org.sales.title")), problem(error));
    return;
  }
  if (!signal.aborted) present(view, sales, published ? path : null, signal);
}

function present(view, sales, published, signal) {
  const { show } = sales;
  const record = recordOf(show.evento_id, sales.tally.sold);
  record.take(sales.tally.sold);
  const state = h("p");
  const figures = salesFigures(show);
  const chart = salesChart();
  const map = sales.map ? occupancy(sales, signal) : null;
  const table = sales.map ? sectionTable() : null;
  const refund = refunds();
  const greeting = h("div", published ? welcome(published, show) : null);
  const cancelling = h("section.org-danger", h("h2", t("org.cancel.heading")), h("p", t("org.cancel.about")),
    h("button.danger", { type: "button", on: { click: () => askToCancel(sales, { onDone: cancelled, signal }) } }, t("org.cancel.open")));

  fill(view,
    back(),
    h("div.org-head",
      h("div", h("h1", show.nombre), state),
      h("p.org-card-links",
        h("a.button", { href: `#/evento/${show.evento_id}` }, t("org.shows.page")),
        session.may("auditor") ? h("a.button", { href: `#/auditoria/evento/${show.evento_id}` }, t("org.sales.history")) : null)),
    greeting,
    facts([
      [t("org.show.date"), dateTime(show.fecha)],
      [t("org.show.venue"), show.lugar],
      [t("org.show.price"), money(show.precio, show.moneda)],
      [t("org.show.limit"), number(show.max_por_usuario)],
    ]),
    refund, figures,
    h("section.card", h("h2", t("org.sales.course")), chart),
    map ? h("section", h("h2", t("org.sales.map")), map) : null,
    table, cancelling);

  function draw() {
    const isCancelled = sales.state === "cancelado";
    fill(state, tag(t(`show.state.${sales.state}`), { activo: "good", cancelado: "bad" }[sales.state] ?? ""));
    figures.show(sales);
    table?.show(sales.sections(), show.moneda);
    greeting.hidden = isCancelled;
    cancelling.hidden = sales.state !== "activo";
    refund.hidden = !isCancelled;
    tick();
  }

  function tick() {
    figures.sayLast(record);
    chart.show(record);
    if (sales.state === "cancelado") refund.show(sales, record);
  }

  let pending = null;
  let dirty = [];
  function changed(indices) {
    record.take(sales.tally.sold);
    dirty = indices === null || dirty === null ? null : dirty.concat(indices);
    pending ??= setTimeout(() => {
      pending = null;
      map?.refresh(dirty);
      dirty = [];
      draw();
    }, DRAW_PAUSE_MS);
  }

  async function cancelled(position) {
    announce(t("org.cancel.done"), true);
    sales.state = "cancelado";
    draw();
    refund.tabIndex = -1;
    refund.focus();
    // What is followed tells the rest; this is for a line that is just broken.
    try {
      const fresh = await openSales(show.evento_id, { position, signal });
      sales.tally = fresh.tally;
      changed([]);
    } catch {
      // It comes with the next change.
    }
  }

  draw();
  const ticking = setInterval(tick, 1_000);
  signal.addEventListener("abort", () => {
    clearInterval(ticking);
    clearTimeout(pending);
  }, { once: true });
  sales.follow({
    signal,
    onChange: changed,
    onState: (how) => fill(figures.line, how === "open" ? h("span.org-live-now", t("org.sales.is_live")) : t("connection.lost")),
  }).catch((error) => {
    if (!signal.aborted) fill(figures.line, problem(error));
  });
}

const back = () => h("p.org-back", h("a", { href: "#/organizar" }, t("org.back")));

/** The show has just been published. */
function welcome(path, show) {
  announce(t("org.schedule.done"));
  const close = () => {
    box.remove();
    note(path);
    document.querySelector("h1")?.focus();
  };
  const box = notice("good", h("p", h("strong", t("org.schedule.done"))), h("p", t("org.schedule.done_about")), h("div.actions",
    h("a.button", { href: `#/evento/${show.evento_id}` }, t("org.schedule.done_page")),
    h("button.quiet", { type: "button", on: { click: close } }, t("form.close"))));
  return box;
}
