// Copying a text. Without a secure connection the clipboard is out of reach: then a field holds the text, selected.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { announce, ask, busyButton } from "../ui.js";

/** A button that copies what `text()` gives. */
export function copyButton(label, text) {
  const button = busyButton(label, async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = t("audit.copied");
      announce(t("audit.copied"));
      setTimeout(() => {
        button.textContent = label;
      }, 2_500);
    } catch {
      const field = h("textarea", { rows: "10", readonly: true, "aria-label": t("audit.copy.by_hand"), value: text() });
      const asked = ask(t("audit.copy.by_hand"), field, [["close", t("form.close")]]);
      field.select();
      await asked;
    }
  });
  return button;
}
