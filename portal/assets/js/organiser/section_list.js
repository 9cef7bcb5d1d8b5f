// The sections of a room, one of them open: tabs, one below the other. Only what changed is written anew: there may be a
// thousand.

import { h, fill } from "../dom.js";
import { money, number, t } from "../i18n.js";
import { toMajor } from "../currency.js";
import { measure } from "./plan.js";
import { parsePrice } from "./price.js";

/**
 * @param {string} panelId the element that shows the open section
 * @param {{select: function(string): void, move: function(number): void}} on `move`: -1 up, 1 down
 * @returns element with `show(sections, selectedId, faulty: Set<id>, currency)` and `focusSelected()`
 */
export function sectionList(panelId, on) {
  const element = h("div.org-sections", { role: "tablist", "aria-orientation": "vertical", "aria-label": t("org.map.sections") });
  const tabs = new Map();
  let shown = [];
  let selected = null;

  function tabOf(section) {
    let tab = tabs.get(section.id);
    if (!tab) {
      const [name, facts] = [h("span.org-tab-name"), h("span.org-tab-facts")];
      const button = h("button.org-tab", {
        type: "button", role: "tab", "aria-controls": panelId, on: { click: () => on.select(section.id) },
      }, name, facts);
      tabs.set(section.id, (tab = { button, name, facts, drawn: null }));
    }
    return tab;
  }

  function write(tab, section, faulty, currency) {
    const isSelected = section.id === selected;
    if (tab.isSelected !== isSelected) {
      tab.isSelected = isSelected;
      tab.button.setAttribute("aria-selected", String(isSelected));
      tab.button.tabIndex = isSelected ? 0 : -1;
    }
    const drawn = tab.drawn;
    if (drawn?.section === section && drawn.faulty === faulty && drawn.currency === currency) return;
    tab.drawn = { section, faulty, currency };
    tab.button.classList.toggle("faulty", faulty);
    fill(tab.name, section.name.trim() || t("org.map.unnamed"));
    const { rows, seats, capacity } = measure(section);
    const { minor } = parsePrice(section.price, currency);
    fill(tab.facts, faulty ? h("strong", `⚠ ${t("org.map.to_correct")}`) : [
      `${number(rows)} × ${number(seats)} · ${t("org.map.seats", { n: capacity })}`,
      minor === undefined ? null : ` · ${money(toMajor(minor, currency), currency)}`,
    ]);
  }

  element.show = (sections, selectedId, faulty, currency) => {
    selected = selectedId;
    for (const section of sections) write(tabOf(section), section, faulty.has(section.id), currency);
    const order = sections.map((section) => section.id);
    const moved = order.length !== shown.length || order.some((id, index) => id !== shown[index]);
    if (moved) {
      shown = order;
      const hadFocus = element.contains(document.activeElement);
      element.replaceChildren(...order.map((id) => tabs.get(id).button));
      const there = new Set(order);
      for (const id of tabs.keys()) if (!there.has(id)) tabs.delete(id);
      if (hadFocus) element.focusSelected();
    }
    intoView(moved);
  };

  let last = null;
  // By hand, because `scrollIntoView` moves the page, too.
  function intoView(moved) {
    const button = tabs.get(selected)?.button;
    if (!button || (!moved && last === selected)) return;
    last = selected;
    const top = button.offsetTop - element.offsetTop;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + button.offsetHeight > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + button.offsetHeight - element.clientHeight;
    }
  }

  element.focusSelected = () => tabs.get(selected)?.button.focus();

  element.addEventListener("keydown", (event) => {
    const at = shown.indexOf(selected);
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step && event.altKey) {
      event.preventDefault();
      on.move(step);
      return;
    }
    const to = step ? at + step : { Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined || !shown[to]) return;
    event.preventDefault();
    on.select(shown[to]);
    element.focusSelected();
  });
  return element;
}
