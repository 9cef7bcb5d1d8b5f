// General admission or numbered seats, and what belongs to either.

import { append, h } from "../dom.js";
import { t } from "../i18n.js";

/**
 * @param {Object} values the draft's fields; `seating` is kept there
 * @param {{general: HTMLElement, numbered: HTMLElement}} parts shown with its choice
 * @param {function(): void} onChange
 */
export function seating(values, parts, onChange) {
  const show = () => {
    for (const [kind, part] of Object.entries(parts)) part.hidden = values.seating !== kind;
  };
  const choice = (kind) => h("label.org-choice.wide",
    h("input", {
      type: "radio", name: "seating", value: kind, checked: values.seating === kind,
      "aria-labelledby": `seating-${kind}`, "aria-describedby": `seating-${kind}-about`,
      on: {
        change: () => {
          values.seating = kind;
          show();
          onChange();
        },
      },
    }),
    h("span", h("strong", { id: `seating-${kind}` }, t(`org.show.${kind}`)),
      h("span.muted", { id: `seating-${kind}-about` }, t(`org.show.${kind}_about`))));
  show();
  return append(h("fieldset.org-group", h("legend", h("h2", t("org.show.seats")))), [
    h("div.org-choices.wide", { role: "radiogroup", "aria-label": t("org.show.seating") }, Object.keys(parts).map(choice)),
    Object.values(parts),
  ]);
}
