// A password's field: it can be looked at, pasted into, and filled by a password manager.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { announce, field, input } from "../ui.js";

export function passwordField(label, { autocomplete, hint, ...props }) {
  const control = input("password", {
    name: "password", autocomplete, required: true, maxlength: 128, spellcheck: "false", autocapitalize: "none", ...props,
  });
  const element = field(label, control, { hint });
  const toggle = h("button.quiet.secret-toggle", { type: "button", "aria-pressed": "false" }, t("buying.password.show"));
  toggle.addEventListener("click", () => {
    const isShown = control.type === "password";
    control.type = isShown ? "text" : "password";
    toggle.setAttribute("aria-pressed", String(isShown));
    announce(t(isShown ? "buying.password.shown" : "buying.password.hidden"));
  });
  toggle.setAttribute("aria-label", t("buying.password.show_label"));
  control.replaceWith(h("div.secret"));
  element.querySelector(".secret").append(control, toggle);
  return element;
}
