// Messages that stay until they are read: they keep in sight while one scrolls, and say themselves to a screen reader.

import { fill, h } from "../dom.js";
import { t } from "../i18n.js";
import { announce, busyButton } from "../ui.js";

export class Notes {
  element = h("div.show-notes");
  #shown = new Map();

  /**
   * Shows a message in place of the one with the same name. `action` is `[text, act]`.
   * @param {string} name
   * @param {"info"|"good"|"warning"|"bad"} kind
   * @param {string} text
   */
  show(name, kind, text, { action, link } = {}) {
    this.remove(name);
    const close = h("button.quiet.show-close", {
      type: "button", "aria-label": t("form.close"), title: t("form.close"), on: { click: () => this.remove(name) },
    }, h("span", { "aria-hidden": "true" }, "×"));
    const note = h(`div.notice.${kind}`,
      h("p", text),
      action || link ? h("p.show-note-actions",
        action ? busyButton(action[0], async () => {
          this.remove(name);
          await action[1]();
        }) : null,
        link ? h("a.button", { href: link[1] }, link[0]) : null) : null,
      close);
    this.#shown.set(name, note);
    this.element.append(note);
    announce(text, kind === "bad" || kind === "warning");
  }

  remove(name) {
    this.#shown.get(name)?.remove();
    this.#shown.delete(name);
  }

  clear() {
    this.#shown.clear();
    fill(this.element);
  }
}

/** "Platea-A-1, Platea-A-2 y 5 más". */
export function listed(names, most = 8) {
  if (names.length <= most) return names.join(", ");
  return t("show.and_more", { names: names.slice(0, most).join(", "), n: names.length - most });
}
