// Drawing a room: its sections, the open one with its fields and grid, what undoing takes back, files, and the preview.

import { append, fill, h, uid } from "../dom.js";
import { money, number, t } from "../i18n.js";
import { toMajor } from "../currency.js";
import { announce, notice } from "../ui.js";
import { History } from "./history.js";
import { exportRoom, importRoom } from "./plan_files.js";
import { MAX_PLACES, MAX_SECTIONS, changed, faultsOf, freeName, makeSection, measure, totals } from "./plan.js";
import { planPreview } from "./plan_preview.js";
import { roomChoice } from "./room_choice.js";
import { seatGrid } from "./seat_grid.js";
import { sectionForm } from "./section_form.js";
import { sectionList } from "./section_list.js";

/** What outlives the elements: `sections` with their history, which one is open, and what the server said about them. */
export function editorState(sections = [], selected = 0) {
  return { history: new History(sections), selectedId: (sections[selected] ?? sections[0])?.id ?? null, told: new Map(), toldWhole: null };
}

/**
 * @param {Object} options
 * @param {Object} options.state of `editorState`
 * @param {function(): {currency: string, baseMinor: number|null, name: string}} options.about the show as it is typed now
 * @param {function(): void} options.onChange the room has changed
 * @param {function(number): void} options.onPrice a file gave the show's price, in minor units
 * @param {AbortSignal} options.signal
 */
export function planEditor({ state, about, onChange, onPrice, signal }) {
  const panelId = uid("section");
  const sectionsNow = () => state.history.state;
  const selected = () => sectionsNow().find((section) => section.id === state.selectedId) ?? null;

  /** A new state of the sections. `words` say what was done; steps that `merge` are undone together. */
  function become(sections, words, { select, merge = null, quiet = false } = {}) {
    for (const section of sectionsNow()) if (!sections.includes(section)) state.told.delete(section.id);
    state.toldWhole = null;
    state.history.push(sections, words, merge);
    if (select !== undefined) state.selectedId = select;
    if (!quiet) announce(words);
    refresh();
    onChange();
  }

  const replace = (section, words, merge = null) =>
    become(sectionsNow().map((one) => (one.id === section.id ? section : one)), words, { merge, quiet: true });

  function add(section, at) {
    const sections = sectionsNow();
    if (sections.length >= MAX_SECTIONS) return complain(t("org.map.error.no_more_sections", { max: MAX_SECTIONS }));
    const next = [...sections.slice(0, at), section, ...sections.slice(at)];
    become(next, t("org.map.did.added", { name: section.name }), { select: section.id });
    form.fieldOf("name").control.focus();
    form.fieldOf("name").control.select();
    return undefined;
  }

  const addNew = () => {
    const sections = sectionsNow();
    const plain = t("org.map.new_name");
    const taken = sections.some((section) => section.name.trim() === `${plain} 1`);
    add(makeSection({ name: taken ? freeName(`${plain} 1`, sections) : `${plain} 1` }), sections.length);
  };
  const duplicate = () => {
    const section = selected();
    const { id, ...parts } = section;
    add(makeSection({ ...parts, name: freeName(section.name || t("org.map.new_name"), sectionsNow()) }), sectionsNow().indexOf(section) + 1);
  };
  const remove = () => {
    const sections = sectionsNow();
    const at = sections.indexOf(selected());
    const { name } = sections[at];
    const next = sections.filter((_, index) => index !== at);
    const neighbour = next[Math.min(at, next.length - 1)];
    become(next, t("org.map.did.removed", { name }), { select: neighbour?.id ?? null });
    if (neighbour) list.focusSelected();
    else undoButton.focus();
  };
  function move(step) {
    const sections = [...sectionsNow()];
    const at = sections.findIndex((section) => section.id === state.selectedId);
    const to = at + step;
    if (to < 0 || to >= sections.length) return announce(t(step < 0 ? "org.map.is_first" : "org.map.is_last"));
    [sections[at], sections[to]] = [sections[to], sections[at]];
    const words = t("org.map.did.moved", { name: sections[to].name, at: to + 1, of: sections.length });
    return become(sections, words, { merge: `${state.selectedId}.move` });
  }

  function travel(step) {
    const before = sectionsNow();
    const words = step === "undo" ? state.history.undoable : state.history.redoable;
    if (words === null) return;
    state.history[step]();
    const after = sectionsNow();
    // The section that this is about is opened, so that one sees what happened.
    const differs = after.find((section, index) => before[index] !== section && !before.includes(section));
    if (differs) state.selectedId = differs.id;
    else if (!selected()) state.selectedId = after[0]?.id ?? null;
    announce(t(`org.map.${step}ne`, { words }));
    refresh();
    onChange();
  }

  const complaint = h("div");
  function complain(text) {
    fill(complaint, notice("warning", h("p", text)));
    announce(text);
  }

  const button = (text, act, props = {}) => h("button", { type: "button", ...props, on: { click: act } }, text);
  const icon = (sign, text, act) => button(h("span", { "aria-hidden": "true" }, sign), act, { class: "org-icon", "aria-label": text, title: text });

  const list = sectionList(panelId, {
    select: (id) => {
      state.history.close();
      state.selectedId = id;
      refresh();
      onChange();
    },
    move,
  });
  const form = sectionForm(replace, () => state.history.close());
  const grid = seatGrid((section, words) => replace(section, words), signal);
  const preview = planPreview(signal);
  const title = h("h3.org-section-title");
  const tooLarge = h("p.muted");
  const panel = append(h("div.org-section", { id: panelId, role: "tabpanel", tabindex: "-1" }), [
    h("div.org-section-head", title, h("div.org-section-actions",
      icon("↑", t("org.map.up"), () => move(-1)), icon("↓", t("org.map.down"), () => move(1)),
      button(t("org.map.duplicate"), duplicate), button(t("org.map.remove"), remove, { class: "danger" }))),
    form, tooLarge, grid.element,
  ]);
  const undoButton = icon("↶", t("org.map.undo"), () => travel("undo"));
  const redoButton = icon("↷", t("org.map.redo"), () => travel("redo"));
  const last = h("span.org-last.muted");
  const summary = h("div.org-summary");
  const faultsBox = h("div.org-faults");
  const rooms = roomChoice((sections, words) => {
    become(sections, words, { select: sections[0].id });
    list.focusSelected();
  });
  const takeFile = (read, words) => {
    become(read.sections, words, { select: read.sections[0].id });
    if (read.priceMinor !== null) onPrice(read.priceMinor);
  };
  const body = h("div.org-plan-body", h("div.org-plan-side", list, button(t("org.map.add"), addNew, { class: "org-add" })), panel);
  const filled = [body, h("h3", t("org.preview.title")), h("p.hint", t("org.preview.hint")), preview];
  const element = append(h("div.org-plan"), [
    h("div.org-plan-tools",
      rooms.button,
      button(t("org.file.import"), () => importRoom(about(), takeFile)),
      button(t("org.file.export"), () => exportRoom(sectionsNow(), about(), complain)),
      h("span.org-undo", undoButton, redoButton, last)),
    rooms.element, complaint, summary, faultsBox, filled,
  ]);

  // In a field of a section Enter ends the typing; it does not publish the show.
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target instanceof HTMLInputElement) {
      event.preventDefault();
      event.target.blur();
      event.target.focus();
    }
    const letters = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
    if ((event.ctrlKey || event.metaKey) && !letters && ["z", "y"].includes(event.key.toLowerCase())) {
      event.preventDefault();
      travel(event.key.toLowerCase() === "y" || event.shiftKey ? "redo" : "undo");
    }
  });

  function refresh() {
    const sections = sectionsNow();
    const { currency, baseMinor } = about();
    const { bySection, whole } = faultsOf(sections, currency);
    const section = selected();
    fill(complaint);
    const empty = sections.length === 0;
    for (const part of filled) part.hidden = empty;
    summary.hidden = empty;
    rooms.show(empty);
    const faulty = new Set([...bySection.keys(), ...state.told.keys()]);
    list.show(sections, state.selectedId, faulty, currency);
    if (section) {
      const { places, rows, seats } = measure(section);
      fill(title, section.name.trim() || t("org.map.unnamed"));
      form.show(section, bySection.get(section.id), state.told.get(section.id));
      const drawable = places > 0 && places <= MAX_PLACES;
      grid.element.hidden = !drawable;
      fill(tooLarge, drawable ? null : t("org.grid.not_drawn"));
      if (drawable) grid.show(section);
      panel.setAttribute("aria-label", t("org.map.panel", { name: section.name, rows, seats }));
    }
    fill(summary, summaryOf(totals(sections, currency, baseMinor), currency));
    const problems = [...whole.filter(([key]) => key !== "no_sections").map(([key, values]) => t(`org.map.error.${key}`, values))];
    if (state.toldWhole) problems.push(state.toldWhole);
    if (faulty.size > 0) problems.push(t("org.map.faulty", { n: faulty.size }));
    fill(faultsBox, problems.map((text) => notice("warning", h("p", text))));
    undoButton.setAttribute("aria-disabled", String(state.history.undoable === null));
    redoButton.setAttribute("aria-disabled", String(state.history.redoable === null));
    fill(last, state.history.undoable ?? "");
    preview.show(sections, whole.length === 0 && bySection.size === 0, currency, baseMinor);
  }

  element.refresh = refresh;
  /** True when the room can be sent; else its first fault is shown and has the focus. */
  element.check = () => {
    const sections = sectionsNow();
    const { bySection, whole } = faultsOf(sections, about().currency);
    if (bySection.size === 0 && whole.length === 0) return true;
    element.focusFault(sections.find((section) => bySection.has(section.id))?.id, Object.keys(bySection.values().next().value ?? {})[0]);
    if (sections.length === 0) complain(t("org.map.error.no_sections"));
    return false;
  };
  /** Opens a section at one of its fields. */
  element.focusFault = (id, key) => {
    if (id !== undefined) state.selectedId = id;
    refresh();
    const target = key ? form.fieldOf(key)?.control : null;
    (target ?? (sectionsNow().length > 0 ? faultsBox.firstChild : rooms.element.querySelector("button")))?.scrollIntoView({ block: "center" });
    (target ?? rooms.button).focus();
  };
  refresh();
  return element;
}

function summaryOf({ sections, places, blocked, capacity, valueMinor }, currency) {
  const part = (value, text) => h("span.org-sum", h("strong", value), " ", text);
  return [
    part(number(capacity), t("org.sum.seats", { n: capacity })),
    part(number(sections), t("org.sum.sections", { n: sections })),
    blocked > 0 ? part(number(blocked), t("org.sum.blocked", { n: blocked })) : null,
    valueMinor === null ? h("span.org-sum.muted", t("org.sum.no_price")) : part(money(toMajor(valueMinor, currency), currency), t("org.sum.full_house")),
    places > MAX_PLACES * 0.9 ? part(`${number(places)} / ${number(MAX_PLACES)}`, t("org.sum.of_places")) : null,
  ];
}
