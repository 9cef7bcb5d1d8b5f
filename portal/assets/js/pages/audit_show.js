// `#/auditoria/evento/:id`: a show at any moment of its past. Its events are read once and folded here.

import { mayAudit } from "../auditor/access.js";
import { eventCard, when } from "../auditor/card.js";
import { ShowHistory } from "../auditor/history.js";
import { idIn, purchaseHref, streamHref } from "../auditor/ids.js";
import { ownProof, serverCheck, tallyBar } from "../auditor/moment.js";
import { remember } from "../auditor/recent.js";
import { seatRows } from "../auditor/seat_rows.js";
import { MOST, STRETCH, readOn } from "../auditor/show_stream.js";
import { timeSlider } from "../auditor/slider.js";
import { kindWords, sentence } from "../auditor/words.js";
import { fill, h } from "../dom.js";
import { exactTime, number, shortDateTime, t } from "../i18n.js";
import { note } from "../router.js";
import { seatMapView } from "../seatmap/view.js";
import { announce, busyButton, facts, notice, problem, tag } from "../ui.js";

/** The address follows the slider when it has rested for so long. */
const NOTE_AFTER_MS = 400;
/** What was read last; outlives a change of the language. `moving`: where the slider is while the address does not say it. */
let kept = null;
/** Map or list. */
let asList = false;

export default async function page(view, { params, query, signal }) {
  const path = `/auditoria/evento/${params.id}`;
  if (!mayAudit(view, t("audit.show.title"), path)) return;
  const id = idIn(params.id);
  if (id === null) return void missing(view, params.id);
  const title = h("h1", t("audit.show.title"));
  const body = h("div");
  const progress = h("p.loading", { role: "status" }, t("page.loading"));
  view.append(back(), title, progress, body);

  const onPage = (n) => {
    progress.textContent = t("audit.show.reading", { n });
  };
  if (kept?.id !== id) kept = { id, history: new ShowHistory(), more: false, moving: null };
  const { history } = kept;
  const position = Number(query.get("hasta")) || null;
  try {
    // What was read before is still so; only what came after it is read now.
    if (!kept.more) kept.more = await readOn(id, history, { signal, onPage });
    while (kept.more && history.length < MOST && position > history.records.at(-1).posicion) {
      kept.more = await readOn(id, history, { signal, onPage });
    }
  } catch (error) {
    if (history.length === 0) {
      kept = null;
      if (error.status !== 404) throw error;
      view.replaceChildren();
      return void missing(view, params.id);
    }
    if (signal.aborted) throw error;
    body.append(problem(error));
  }
  progress.remove();
  if (!history.scheduled?.layout) {
    body.append(notice("bad", h("p", t("audit.show.no_beginning")), h("p", h("a", { href: streamHref(`show-${id}`) }, t("audit.show.stream")))));
    return;
  }
  title.textContent = history.scheduled.name;
  remember("show", id, history.scheduled.name);
  build(body, { id, history, path, position, signal });
}

const back = () => h("p.audit-back", h("a", { href: "#/auditoria" }, `← ${t("audit.back")}`));

function build(body, { id, history, path, position, signal }) {
  const bar = tallyBar();
  const state = h("p.audit-state");
  const event = h("div.audit-there");
  const words = (index) => {
    const record = history.records[index];
    const said = sentence(record);
    return `${t("audit.slider.where", { n: number(index + 1), of: number(history.length) })}: ${kindWords(record.tipo)}${said ? `, ${said}` : ""}`;
  };
  const slider = timeSlider({
    words, signal, onMove: move,
    onTime: (ms) => history.indexAtTime(ms),
    onPosition: (at) => history.indexAtPosition(at),
  });
  const check = serverCheck(id, history, () => slider.at(), signal);
  const seats = history.map ? seatPart(history, signal) : null;
  const proof = h("div");
  const tail = h("div.audit-tail");
  let noting = null;
  let painting = 0;

  function move(index) {
    kept.moving = index;
    check.clear();
    seats?.moved(history.moveTo(index));
    const { tally, cancelled } = history.stateAt(index);
    bar.set(tally, history.capacity);
    fill(state, tag(t(`show.state.${cancelled ? "cancelado" : "activo"}`), cancelled ? "bad" : "good"));
    // The rest is read, not watched: once in a frame is enough.
    if (!painting) painting = requestAnimationFrame(() => {
      painting = 0;
      paint();
    });
    clearTimeout(noting);
    noting = setTimeout(() => {
      kept.moving = null;
      note(path, { hasta: history.records[slider.at()].posicion });
    }, NOTE_AFTER_MS);
  }

  function paint() {
    const index = slider.at();
    const record = history.records[index];
    const purchase = record.datos?.reservation_id;
    const open = event.querySelector("details")?.open ?? false;
    const card = eventCard(record, { withStream: true });
    card.querySelector("details").open = open;
    fill(event, when(record, history.records[index - 1], { withDate: true }), card,
      purchase ? h("p", h("a", { href: purchaseHref(purchase) }, t("audit.show.purchase"))) : null);
  }

  function ends() {
    slider.setLength(history.length);
    fill(proof, ownProof(history));
    const last = history.records.at(-1);
    const full = kept.more && history.length >= MOST;
    fill(tail,
      h("p.muted", t(kept.more ? "audit.show.part" : "audit.show.whole", { n: history.length, position: String(last.posicion) })),
      full ? h("p.muted", t("audit.show.full")) : busyButton(t(kept.more ? "audit.show.more" : "audit.show.newer", { n: STRETCH }), more));
  }

  async function more() {
    const before = history.length;
    try {
      kept.more = await readOn(id, history, { signal, onPage() {} });
    } catch (error) {
      if (!signal.aborted) tail.append(problem(error));
      return;
    }
    ends();
    tail.querySelector("button")?.focus({ preventScroll: true });
    announce(t("audit.show.read_more", { n: history.length - before }));
  }

  signal.addEventListener("abort", () => {
    clearTimeout(noting);
    cancelAnimationFrame(painting);
  }, { once: true });

  ends();
  fill(body, head(history, id),
    slider.element, slider.jumps,
    h("div.audit-columns",
      h("section", h("h2", t("audit.show.then")), state, bar.element, proof, check.element),
      h("section", h("h2", t("audit.show.happened")), event)),
    seats?.element, tail);
  const wanted = kept.moving ?? (position === null ? history.length - 1 : history.indexAtPosition(position));
  slider.set(Math.min(Math.max(wanted, 0), history.length - 1));
}

function head({ scheduled, capacity }, id) {
  return facts([
    [t("audit.field.starts_at_ms"), shortDateTime(new Date(scheduled.starts_at_ms))],
    [t("audit.field.venue"), scheduled.venue],
    [t("audit.field.scheduled_at_ms"), exactTime(new Date(scheduled.scheduled_at_ms))],
    [t("audit.check.capacity"), number(capacity)],
    [t("audit.event.stream"), h("a", { href: streamHref(`show-${id}`) }, h("code", `show-${id}`))],
  ]);
}

/** The seats at the moment, drawn or in writing. */
function seatPart(history, signal) {
  const place = h("div.audit-seats");
  const choices = [[false, "audit.seats.map"], [true, "audit.seats.list"]].map(([list, key]) =>
    h("button", { type: "button", "aria-pressed": String(list === asList), on: { click: () => choose(list) } }, t(key)));
  let shown = null;

  function choose(list) {
    asList = list;
    choices.forEach((button, index) => button.setAttribute("aria-pressed", String((index === 1) === list)));
    open();
  }

  function open() {
    shown?.destroy?.();
    const currency = history.scheduled.price.currency;
    shown = asList ? seatRows(history.map)
      : seatMapView({ map: history.map, currency, selected: new Set(), onToggle() {}, readOnly: true, label: t("audit.seats.label") });
    fill(place, shown.element);
  }

  open();
  signal.addEventListener("abort", () => shown.destroy?.(), { once: true });
  return {
    element: h("section", h("h2", t("audit.seats.title")),
      h("div.audit-as", { role: "group", "aria-label": t("audit.seats.how") }, choices), place),
    moved(changed) {
      if (changed.size > 0) shown.refresh([...changed]);
    },
  };
}

function missing(view, asked) {
  view.append(back(), h("h1", t("audit.show.unknown")), notice("warning", h("p", t("audit.show.unknown_text")), h("p", h("code", asked))));
}
