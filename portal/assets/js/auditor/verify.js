// The proof: the server replays the whole log. Takes as long as the log is long, so it says how long it has taken.

import { LONG_MS, get } from "../api.js";
import { fill, h } from "../dom.js";
import { exactTime, has, number, t } from "../i18n.js";
import { ofThisTab } from "../storage.js";
import { announce, notice, problem, table } from "../ui.js";
import { bestHref, partsOf, shortStream, streamHref } from "./ids.js";
import { span } from "./values.js";

/** How fast the last proof of this tab was, and what it found: `{report, took, at}`. */
const KEPT_AS = "eventflow.audit.proof";
/** One proof at a time; it goes on while the language changes. `{started, promise}` */
let running = null;

/** The part of the page that runs the proof and shows what it found. */
export function verification(signal) {
  const place = h("div", { "aria-live": "off" });
  const button = h("button.primary", { type: "button", on: { click: start } }, t("audit.verify.run"));
  const element = h("section.card.audit-verify", { "aria-labelledby": "audit-verify" },
    h("h2", { id: "audit-verify" }, t("audit.verify.title")), h("p", t("audit.verify.what")), button, place);

  async function start() {
    if (running) return;
    const abort = new AbortController();
    running = { abort, started: Date.now(), promise: get("/api/auditoria/verificar", { signal: abort.signal, attempts: 1, patience: LONG_MS }) };
    running.promise.catch(() => {}).finally(() => {
      running = null;
    });
    await watch();
  }

  async function watch() {
    const { abort, started, promise } = running;
    button.setAttribute("aria-disabled", "true");
    announce(t("audit.verify.running"));
    const spent = h("span.numeric");
    const cancel = h("button", { type: "button", on: { click: () => abort.abort(new DOMException("", "AbortError")) } }, t("form.cancel"));
    const last = ofThisTab.get(KEPT_AS);
    fill(place, h("div.audit-progress",
      h("p", t("audit.verify.running"), " ", spent),
      h("progress", { "aria-label": t("audit.verify.title") }),
      last ? h("p.muted", t("audit.verify.last_took", { n: last.report.registros, span: span(last.took) })) : null,
      h("p.actions", cancel)));
    const tick = () => {
      spent.textContent = span(Math.max(1_000, Math.floor((Date.now() - started) / 1_000) * 1_000));
    };
    const timer = setInterval(tick, 1_000);
    try {
      const { data } = await promise;
      const result = { report: data, took: Date.now() - started, at: Date.now() };
      ofThisTab.set(KEPT_AS, { ...result, report: { ...data, violaciones: data.violaciones.slice(0, 100) } });
      if (signal.aborted) return;
      show(result);
      announce(t(data.correcto ? "audit.verify.holds" : "audit.verify.broken", { n: data.total_violaciones }));
    } catch (error) {
      if (signal.aborted) return;
      fill(place, error?.name === "AbortError" ? notice("info", h("p", t("audit.verify.cancelled")))
        : error?.status === 503 ? [problem(error), h("p", t("audit.verify.busy"))] : problem(error));
    } finally {
      clearInterval(timer);
      button.removeAttribute("aria-disabled");
      if (!signal.aborted && (document.activeElement === document.body || !document.activeElement)) button.focus();
    }
  }

  function show({ report, took, at }) {
    button.textContent = t("audit.verify.again");
    fill(place, statement(report), counts(report),
      h("p.muted", t("audit.verify.when", { when: exactTime(new Date(at)), span: span(took), position: String(report.posicion ?? "—") })),
      report.correcto ? promises() : violations(report));
  }

  const last = ofThisTab.get(KEPT_AS);
  if (running) void watch();
  else if (last) show(last);
  return element;
}

function statement(report) {
  const good = report.correcto;
  return h("p.audit-verdict", { class: good ? "good" : "bad" },
    h("span.audit-seal", { "aria-hidden": "true" }, good ? "✓" : "✕"),
    h("strong", t(good ? "audit.verify.holds" : "audit.verify.broken", { n: report.total_violaciones })));
}

function counts(report) {
  const entries = [
    ["registros", report.registros], ["streams", report.streams], ["eventos", report.eventos], ["reservas", report.reservas],
    ["confirmadas", report.confirmadas], ["abiertas", report.abiertas],
  ];
  if (report.registros_ajenos > 0) entries.push(["registros_ajenos", report.registros_ajenos]);
  return h("dl.audit-counts", entries.map(([key, value]) => h("div", h("dt", t(`audit.verify.${key}`)), h("dd", number(value)))));
}

const PROMISES = ["never oversold", "no seat twice", "sold + held + free = capacity", "confirmed means paid once, undone means refunded",
  "nothing is missing from the log", "events are as they were written"];

const promises = () => h("ul.audit-promises", PROMISES.map((rule) =>
  h("li", h("span", { "aria-hidden": "true" }, "✓ "), ruleWords(rule))));

/** The server names its promises in English; each has words of ours. */
function ruleWords(rule) {
  const key = `audit.rule.${rule}`;
  return has(key) ? t(key) : rule;
}

function violations(report) {
  const rows = report.violaciones;
  return [
    h("div.audit-table", table(t("audit.verify.table"), [
      [t("audit.verify.rule"), (one) => ruleWords(one.regla)],
      [t("audit.verify.detail"), (one) => h("span", { lang: "en" }, one.detalle)],
      [t("audit.event.stream"), (one) => (one.stream ? h("a", { href: streamHref(one.stream, one.revision) }, h("code", { title: one.stream }, shortStream(one.stream))) : "—")],
      [t("audit.verify.revision"), (one) => String(one.revision), { numeric: true }],
      [t("audit.verify.position"), (one) => String(one.posicion), { numeric: true }],
      [t("audit.verify.see"), (one) => (partsOf(one.stream).kind ? h("a", { href: bestHref(one.stream, { position: one.posicion, revision: one.revision }) },
        t("audit.verify.open")) : "—")],
    ], rows)),
    report.total_violaciones > rows.length ? h("p.muted", t("audit.verify.more", { n: report.total_violaciones - rows.length })) : null,
  ];
}
