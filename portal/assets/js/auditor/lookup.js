// Looking things up: a purchase by its id, a show by its name or id, a stream by its name; and what was looked up before.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { shortDateTime, t } from "../i18n.js";
import { go } from "../router.js";
import { announce, busy, field, problem, tag } from "../ui.js";
import { idIn, purchaseHref, short, showHref, streamHref } from "./ids.js";
import { forgetRecent, recent } from "./recent.js";

const SHOWN = 8;
/** What is typed but not sent; outlives a change of the language. */
const drafts = { purchase: "", show: "", stream: "" };

/** The three forms and what was found with them. */
export function lookups(signal) {
  return h("div.audit-lookups", purchase(), show(signal), stream());
}

/** A form with one field. `act(value, setError)` */
function one(kind, act, ...more) {
  const control = h("input", { type: kind === "show" ? "search" : "text", autocomplete: "off", spellcheck: "false", value: drafts[kind] });
  const labelled = field(t(`audit.look.${kind}`), control, { hint: t(`audit.look.${kind}_hint`) });
  const send = h("button", { type: "submit" }, t(kind === "show" ? "audit.look.search" : "audit.look.open"));
  control.addEventListener("input", () => {
    drafts[kind] = control.value;
    labelled.setError(null);
  });
  return h("form.card", {
    novalidate: true,
    on: {
      submit: (event) => {
        event.preventDefault();
        const value = control.value.trim();
        if (value === "") {
          labelled.setError(t("form.required"));
          control.focus();
          return;
        }
        busy(send, () => act(value, (text) => {
          labelled.setError(text);
          control.focus();
        }));
      },
    },
  }, labelled, send, more);
}

function purchase() {
  return one("purchase", async (value, setError) => {
    const id = idIn(value);
    if (id === null) setError(t("audit.look.no_id"));
    else go(`/auditoria/reserva/${id}`);
  });
}

function stream() {
  return one("stream", async (value, setError) => {
    if (/\s/.test(value) || value.length > 200) setError(t("audit.look.no_stream"));
    else go("/auditoria", { stream: value });
  });
}

function show(signal) {
  const found = h("div.audit-found");
  const search = async (value) => {
    const id = idIn(value);
    if (id !== null) return go(`/auditoria/evento/${id}`);
    try {
      const { data } = await get("/api/eventos", { query: { q: value, desde: "1970-01-01T00:00:00Z", limite: SHOWN }, signal });
      fill(found, results(data.eventos), data.cursor ? h("p.muted", t("audit.look.narrow")) : null);
      announce(t("audit.look.found", { n: data.eventos.length }));
    } catch (error) {
      if (!signal.aborted) fill(found, problem(error));
    }
  };
  return one("show", search, found);
}

const STATES = { activo: "good", cancelado: "bad", finalizado: "" };

function results(shows) {
  if (shows.length === 0) return h("p.muted", t("audit.look.none"));
  return h("ul.audit-results", shows.map((one) => h("li",
    h("a", { href: showHref(one.evento_id) }, one.nombre),
    h("span.muted", `${shortDateTime(one.fecha)} · ${one.lugar}`),
    tag(t(`show.state.${one.estado}`), STATES[one.estado] ?? ""))));
}

const HREFS = { purchase: purchaseHref, show: showHref, stream: streamHref };

/** What was looked up in this tab; null when nothing was. */
export function recentLookups() {
  const kept = recent().filter(({ kind }) => kind in HREFS);
  if (kept.length === 0) return null;
  const section = h("section", { "aria-labelledby": "audit-recent" },
    h("h2", { id: "audit-recent" }, t("audit.recent.title")),
    h("ul.audit-recent", kept.map(({ kind, id, label }) => h("li",
      tag(t(`audit.recent.${kind}`)),
      h("a", { href: HREFS[kind](id) }, label || h("code", kind === "stream" ? id : short(id))),
      label ? h("code.muted", { title: id }, short(id)) : null))),
    h("button.quiet", {
      type: "button",
      on: {
        click: () => {
          forgetRecent();
          section.remove();
          announce(t("audit.recent.cleared"));
        },
      },
    }, t("audit.recent.clear")));
  return section;
}
