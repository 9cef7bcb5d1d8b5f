// Scheduling a show: its fields and its seats. What is typed is kept at once; it is sent under one idempotency key, however
// often the button is pressed and whatever is lost on the way.

import * as api from "../api.js";
import { append, fill, h } from "../dom.js";
import { register, t } from "../i18n.js";
import organising from "../i18n/organising.js";
import seatPlan from "../i18n/seat_plan.js";
import { go } from "../router.js";
import * as session from "../session.js";
import { ask, notice } from "../ui.js";
import { mayOrganise } from "../organiser/access.js";
import { forget } from "../organiser/draft.js";
import { begin, keeper, workOf } from "../organiser/draft_work.js";
import { planEditor } from "../organiser/plan_editor.js";
import { parsePrice, priceText } from "../organiser/price.js";
import { publishing } from "../organiser/publish_form.js";
import { seating } from "../organiser/seating.js";
import { savedAt, showFields } from "../organiser/show_fields.js";

register(organising);
register(seatPlan);

const PATH = "/organizar/nuevo";

export default async function page(view, { signal }) {
  if (!(await mayOrganise(view, t("org.schedule.title"), PATH))) return;
  if (signal.aborted) return;
  const work = workOf(session.current().userId);
  const { draft, editor } = work;
  const values = draft.fields;

  const saved = h("p.muted.org-saved");
  const tellSaved = () => fill(saved, draft.touched && draft.savedAt ? t("org.schedule.kept", { time: savedAt(draft.savedAt) }) : null);
  const kept = keeper(tellSaved, signal);
  const changed = () => {
    kept.soon();
    end.changed();
  };
  const baseMinor = () => parsePrice(values.precio, values.moneda).minor ?? null;
  const form = showFields(values, (name) => {
    if (name === "precio" || name === "moneda") map.refresh();
    changed();
  }, categoriesInUse(signal));
  const map = planEditor({
    state: editor,
    about: () => ({ currency: values.moneda, baseMinor: baseMinor(), name: values.nombre }),
    onChange: changed,
    onPrice: (minor) => form.set("precio", priceText(minor, values.moneda)),
    signal,
  });
  const end = publishing({
    work, fields: form.fields, map, baseMinor, keep: kept.now, signal,
    onDone: ({ id, position }) => {
      kept.end();
      go(`/organizar/${id}`, { publicado: position ?? "1" });
    },
  });
  end.changed();
  tellSaved();

  async function discard() {
    const sure = await ask(t("org.schedule.discard_title"), h("p", t("org.schedule.discard_about")), [
      [false, t("org.schedule.discard_no")], [true, t("org.schedule.discard"), "danger"],
    ]);
    if (!sure || signal.aborted) return;
    kept.end();
    go(PATH);
  }

  const element = append(h("form.org-form", { novalidate: true }), [
    form.about,
    form.tickets,
    seating(values, { general: h("div.narrow", form.fields.aforo_total), numbered: map }, changed),
    h("div.card.org-finish", end.summary, end.failure, h("div.actions", end.button,
      h("button", { type: "button", on: { click: discard } }, t("org.schedule.discard"))), saved),
  ]);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    end.submit();
  });
  append(view, [
    h("p.org-back", h("a", { href: "#/organizar" }, t("org.back"))),
    h("h1", t("org.schedule.title")),
    work.leftover ? offer(work.leftover) : null,
    work.restored ? notice("info", h("p", t("org.schedule.continued", { time: savedAt(draft.savedAt) }))) : null,
    element,
  ]);
}

/** A draft that another tab left behind: go on with it, or let it go. */
function offer(leftover) {
  const name = leftover.fields.nombre.trim() || t("org.map.unnamed");
  const take = () => {
    begin(leftover);
    go(PATH);
  };
  const letGo = () => {
    forget(leftover);
    box.remove();
  };
  const box = notice("info", h("p", t("org.schedule.left_behind", { name, time: savedAt(leftover.savedAt) })), h("div.actions",
    h("button", { type: "button", on: { click: take } }, t("org.schedule.continue")),
    h("button.quiet", { type: "button", on: { click: letGo } }, t("org.schedule.let_go"))));
  return box;
}

async function categoriesInUse(signal) {
  try {
    const { data } = await api.get("/api/eventos", { query: { limite: 100 }, signal, attempts: 1 });
    return [...new Set(data.eventos.map((show) => show.categoria).filter(Boolean))].sort();
  } catch {
    // Only a convenience.
    return [];
  }
}
