// The seat map as a list: a section, some rows of it, a check box for each seat. The same seats and the same words as on
// the map, for those who cannot use it or would rather read.

import { fill, h } from "../dom.js";
import { money, number, t } from "../i18n.js";
import { announce, field, select } from "../ui.js";
import { NONE, rowLetters } from "./model.js";
import { kindOf, seatWords, stateWord } from "./words.js";

/** Seats on one page, about: whole rows unless a row alone is longer. */
const PAGE = 120;

/** Options and result as those of `seatMapView`. */
export function seatList({ map, currency, selected = new Set(), own, onToggle = () => {}, readOnly = false, label }) {
  let sectionIndex = Math.max(0, map.sections.findIndex((_, index) => map.counts(index).free > 0));
  let pages = [];
  let page = 0;
  let shown = new Map();
  let rows = [];
  let late = 0;

  const sections = select([]);
  const pageChoice = select([]);
  const onlyFree = h("input", { type: "checkbox", checked: true });
  const previous = h("button", { type: "button", on: { click: () => turn(-1) } }, t("seatlist.previous"));
  const next = h("button", { type: "button", on: { click: () => turn(1) } }, t("seatlist.next"));
  const seats = h("div.seatlist-rows");
  const element = h("div.seatlist", { role: "group", "aria-label": label },
    h("div.seatlist-choice", field(t("seatlist.section"), sections), field(t("seatlist.page"), pageChoice),
      h("label.seatlist-free", onlyFree, t("seatlist.only_free"))),
    seats,
    h("div.seatlist-pages", previous, next));

  sections.addEventListener("change", () => enter(Number(sections.value)));
  pageChoice.addEventListener("change", () => open(Number(pageChoice.value)));
  onlyFree.addEventListener("change", () => draw());

  function sectionText(index) {
    const { name, price } = map.sections[index];
    return t("seatlist.section_option", { section: name, price: money(price, currency), n: map.counts(index).free });
  }

  function nameSections() {
    fill(sections, map.sections.map((_, index) => h("option", { value: index }, sectionText(index))));
    sections.value = sectionIndex;
  }

  function enter(index) {
    sectionIndex = index;
    const { rows: count, seatsPerRow } = map.sections[index];
    pages = [];
    if (seatsPerRow > PAGE * 1.5) {
      for (let row = 0; row < count; row += 1) {
        for (let from = 0; from < seatsPerRow; from += PAGE) {
          pages.push({ from: row, to: row + 1, first: from, last: Math.min(from + PAGE, seatsPerRow) });
        }
      }
    } else {
      const each = Math.max(1, Math.floor(PAGE / seatsPerRow));
      for (let row = 0; row < count; row += each) {
        pages.push({ from: row, to: Math.min(row + each, count), first: 0, last: seatsPerRow });
      }
    }
    namePages();
    const free = pages.findIndex((one) => freeIn(one) > 0);
    open(Math.max(0, free), false);
  }

  function freeIn({ from, to, first, last }) {
    const { seatsPerRow, first: start } = map.sections[sectionIndex];
    if (last - first === seatsPerRow) {
      let free = 0;
      for (let row = from; row < to; row += 1) free += map.rowCountsOf(sectionIndex, row).free;
      return free;
    }
    const at = start + from * seatsPerRow;
    return map.states.subarray(at + first, at + last).reduce((sum, state) => sum + (state === 0 ? 1 : 0), 0);
  }

  function pageText({ from, to, first, last }, free) {
    const values = { from: rowLetters(from), to: rowLetters(to - 1), first: String(first + 1), last: String(last) };
    const whole = last - first === map.sections[sectionIndex].seatsPerRow;
    const name = !whole ? "seatlist.page_part" : to - from > 1 ? "seatlist.page_rows" : "seatlist.page_row";
    return t("seatlist.page_count", { rows: t(name, values), n: free });
  }

  function namePages() {
    fill(pageChoice, pages.map((one, index) => h("option", { value: index }, pageText(one, freeIn(one)))));
    pageChoice.value = page;
  }

  function turn(step) {
    const target = page + step;
    if (target < 0 || target >= pages.length) return;
    open(target);
  }

  function open(index, say = true) {
    page = Math.min(index, pages.length - 1);
    pageChoice.value = page;
    previous.disabled = page <= 0;
    next.disabled = page >= pages.length - 1;
    draw();
    if (say) announce(`${pageText(pages[page], freeIn(pages[page]))}. ${t("seatlist.shown", { n: shown.size })}`);
  }

  function draw() {
    shown = new Map();
    rows = [];
    const { from, to, first, last } = pages[page];
    const section = map.sections[sectionIndex];
    const groups = [];
    for (let row = from; row < to; row += 1) {
      const items = [];
      for (let seat = first; seat < last; seat += 1) {
        const index = section.first + row * section.seatsPerRow + seat;
        const kind = kindOf(map, index, selected, own);
        if (map.states[index] === NONE || (onlyFree.checked && (kind === "held" || kind === "sold"))) continue;
        items.push(h("li", box(index, seat + 1)));
      }
      if (items.length === 0) continue;
      const legend = h("legend");
      rows.push([row, legend]);
      groups.push(h("fieldset", legend, h("ul.seatlist-seats", items)));
    }
    nameRows();
    const empty = map.counts(sectionIndex).free === 0 ? "seatlist.full" : "seatlist.none";
    fill(seats, groups.length > 0 ? groups : h("p.muted", t(empty)));
  }

  function nameRows() {
    for (const [row, legend] of rows) {
      legend.textContent = t("seatlist.row", { row: rowLetters(row), n: map.rowCountsOf(sectionIndex, row).free });
    }
  }

  function box(index, seatNumber) {
    const control = h("input", { type: "checkbox" });
    const words = h("span.unseen");
    const entry = { control, words, label: h("label.seatlist-seat", control, h("span", { "aria-hidden": "true" }, number(seatNumber, { useGrouping: false })), words) };
    // Not `disabled`: whoever is on it would lose their place when somebody else takes the seat.
    control.addEventListener("click", (event) => {
      const kind = kindOf(map, index, selected, own);
      if (readOnly || (kind !== "free" && kind !== "selected")) {
        event.preventDefault();
        if (!readOnly && kind !== "own") announce(t("seatmap.taken", { seat: seatWords(map, index) }), true);
        return;
      }
      onToggle(index);
      // The page may have said no (a limit).
      queueMicrotask(() => show(index));
      setTimeout(() => show(index));
    });
    shown.set(index, entry);
    show(index);
    return entry.label;
  }

  function show(index) {
    const entry = shown.get(index);
    if (!entry) return;
    const kind = kindOf(map, index, selected, own);
    entry.label.dataset.kind = kind;
    entry.control.checked = kind === "selected" || kind === "own";
    entry.control.setAttribute("aria-disabled", String(readOnly || (kind !== "free" && kind !== "selected")));
    const { row, number: seat } = map.placeOf(index);
    entry.words.textContent = t("seatmap.seat_short", { row: rowLetters(row), number: String(seat), state: stateWord(kind) });
  }

  function recount() {
    for (const option of sections.options) option.textContent = sectionText(Number(option.value));
    for (const option of pageChoice.options) {
      const one = pages[Number(option.value)];
      option.textContent = pageText(one, freeIn(one));
    }
    nameRows();
  }

  nameSections();
  enter(sectionIndex);

  return {
    element,
    refresh(changed) {
      for (const index of changed ?? shown.keys()) show(index);
      // What was chosen or given back is among them, but not its neighbours: the sets are read anew, they are short.
      if (changed) for (const set of [selected, own ?? []]) for (const index of set) show(index);
      if (!late) late = setTimeout(() => {
        late = 0;
        recount();
      }, 400);
    },
    focusSection(index) {
      sections.value = index;
      enter(index);
    },
    setReadOnly(value) {
      readOnly = value;
      for (const index of shown.keys()) show(index);
    },
    setMap(other) {
      map = other;
      sectionIndex = Math.min(sectionIndex, map.sections.length - 1);
      nameSections();
      enter(sectionIndex);
    },
    destroy() {
      clearTimeout(late);
    },
  };
}
