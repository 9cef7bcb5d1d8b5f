// The fields of one section. What was typed stays as it is until one leaves the field: only then is it tidied or complained
// about; what was wrong and is right again is told at once.

import { append, h } from "../dom.js";
import { t } from "../i18n.js";
import { field, input } from "../ui.js";
import { aislesAsText, blockedAsText, changed } from "./plan.js";

/**
 * @param {function(section: Object, words: string, merge: string): void} onChange
 * @param {function(): void} onLeave a field is left: what comes next is a step of its own
 * @returns element with `show(section, faults, told)`: `faults` as `faultsOf` has them for this section, `told` is
 *   `{field: text}` from the server; and `fieldOf(name)`
 */
export function sectionForm(onChange, onLeave) {
  let section = null;
  let faults = {};
  let told = {};
  const fields = {};

  const make = (name, key, control, options) => {
    const one = field(t(`org.section.${key}`), control, { ...options, name: `section-${key}` });
    control.autocomplete = "off";
    control.addEventListener("input", () => {
      const words = t("org.map.did.changed", { field: t(`org.section.${key}`), name: section.name });
      onChange(changed(section, { [name]: control.value }), words, `${section.id}.${name}`);
    });
    control.addEventListener("change", () => {
      onLeave();
      refresh();
    });
    control.addEventListener("blur", () => refresh());
    fields[key] = one;
    return one;
  };
  const whole = () => input("text", { inputmode: "numeric", maxlength: 6 });
  const element = append(h("div.org-section-form"), [
    h("div.fields",
      make("name", "name", input("text", { maxlength: 200 })),
      make("rows", "rows", whole()),
      make("seats", "seats", whole()),
      make("price", "price", input("text", { inputmode: "decimal", maxlength: 20, placeholder: t("org.section.price_hint") }))),
    h("details.org-as-text", h("summary", t("org.section.as_text")),
      make("aislesText", "aisles", input("text", { spellcheck: "false" }), { hint: t("org.section.aisles_hint") }),
      make("blockedText", "blocked", h("textarea", { rows: 3, spellcheck: "false" }), { hint: t("org.section.blocked_hint") })),
  ]);
  const asText = element.querySelector("details");

  const present = {
    name: (one) => one.name, rows: (one) => one.rows, seats: (one) => one.seats, price: (one) => one.price,
    aisles: aislesAsText, blocked: blockedAsText,
  };

  // Writing a large section's places as text takes a while: only for those who look at it.
  asText.addEventListener("toggle", () => section && refresh());
  const unseen = (key) => !asText.open && (key === "aisles" || key === "blocked") && !faults[key] && !told[key];

  function refresh() {
    for (const [key, one] of Object.entries(fields)) {
      if (unseen(key)) continue;
      const { control } = one;
      const typing = control === document.activeElement;
      const text = present[key](section);
      if (!typing && control.value !== text) control.value = text;
      const fault = told[key] ?? (faults[key] ? t(`org.map.error.${faults[key][0]}`, faults[key][1]) : null);
      // Not while the first wrong letter is typed; but what is told stays right.
      if (fault === null || !typing || control.hasAttribute("aria-invalid") || told[key]) one.setError(fault);
    }
    if (faults.aisles || faults.blocked || told.aisles || told.blocked) asText.open = true;
  }

  element.show = (now, itsFaults = {}, itsTold = {}) => {
    const other = now.id !== section?.id;
    section = now;
    faults = itsFaults;
    told = itsTold;
    if (other) {
      for (const [key, one] of Object.entries(fields)) {
        if (!unseen(key)) one.control.value = present[key](section);
        one.setError(null);
      }
    }
    refresh();
  };
  element.fieldOf = (key) => {
    if (key === "aisles" || key === "blocked") {
      asText.open = true;
      refresh();
    }
    return fields[key] ?? null;
  };
  return element;
}
