// Ready-made rooms, to begin with or to begin again.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { totals } from "./plan.js";
import { ROOM_KEYS, room } from "./rooms.js";

/**
 * @param {function(sections: Object[], words: string): void} onChoose
 * @returns {{button, element, show(empty: boolean)}} the button opens the choice; an empty room shows it by itself
 */
export function roomChoice(onChoose) {
  const cards = ROOM_KEYS.map((key) => {
    const { capacity, sections } = totals(room(key), "USD", null);
    return h("button.org-room", { type: "button", on: { click: () => choose(key) } },
      h("strong", t(`org.room.name.${key}`)),
      h("span.muted", `${t("org.map.seats", { n: capacity })} · ${t("org.map.n_sections", { n: sections })}`));
  });
  const blank = h("button.org-room", { type: "button", on: { click: () => choose("blank") } },
    h("strong", t("org.room.name.blank")), h("span.muted", t("org.room.blank_about")));
  const replaces = h("p.hint", t("org.room.replaces"));
  const element = h("div.org-rooms", { role: "group", "aria-label": t("org.room.title") }, replaces,
    h("div.org-room-cards", cards, blank));
  const button = h("button", { type: "button", "aria-expanded": "false", on: { click: toggle } }, t("org.room.title"));
  let empty = true;
  let open = false;

  function toggle() {
    open = !open;
    draw();
    if (open || empty) cards[0].focus();
  }

  function choose(key) {
    open = false;
    const sections = room(key);
    onChoose(sections, t("org.map.did.room", { name: t(`org.room.name.${key}`) }));
  }

  function draw() {
    element.hidden = !empty && !open;
    replaces.hidden = empty;
    button.setAttribute("aria-expanded", String(!element.hidden));
  }
  return {
    button,
    element,
    show(isEmpty) {
      empty = isEmpty;
      draw();
    },
  };
}
