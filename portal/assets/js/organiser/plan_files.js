// A room goes into a file and comes from one, or from what somebody pastes.

import { append, fill, h, uid } from "../dom.js";
import { t } from "../i18n.js";
import { announce, field, notice } from "../ui.js";
import { faultsOf } from "./plan.js";
import { fromFile, toFile } from "./plan_json.js";
import { fileName, save } from "./save.js";

/** Saves the room, if it has no faults: a file that nobody can read again helps nobody. */
export function exportRoom(sections, { currency, baseMinor, name }, complain) {
  const { bySection, whole } = faultsOf(sections, currency);
  if (bySection.size > 0 || whole.length > 0) {
    complain(t("org.file.not_yet"));
    return;
  }
  const blob = new Blob([toFile(sections, currency, baseMinor)], { type: "application/json" });
  const file = `${fileName(name, t("org.file.default_name"))}.json`;
  save(blob, file);
  announce(t("org.file.saved", { file }));
}

/** Asks for a file or a text; `onRead` gets `{sections, priceMinor}` and words, when everything in it is right. */
export function importRoom({ currency }, onRead) {
  const titleId = uid("title");
  const file = h("input", { type: "file", accept: ".json,application/json" });
  const text = h("textarea", { rows: 8, spellcheck: "false", class: "org-json" });
  const result = h("div", { tabindex: "-1" });
  const textField = field(t("org.file.paste"), text, { hint: t("org.file.hint") });
  const dialog = h("dialog.org-import", { "aria-labelledby": titleId });
  const close = () => {
    removeEventListener("hashchange", close);
    dialog.close();
    dialog.remove();
  };
  // Whoever goes back to another page imports nothing.
  addEventListener("hashchange", close);
  const take = () => {
    const read = fromFile(text.value, currency);
    if (read.faults) {
      fill(result, faultList(read));
      result.focus();
      return;
    }
    close();
    onRead(read, t("org.map.did.imported", { n: read.sections.length }));
  };
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    try {
      text.value = await chosen.text();
    } catch {
      fill(result, notice("bad", h("p", t("org.file.unreadable"))));
      return;
    }
    take();
  });
  append(dialog, [
    h("h2", { id: titleId }, t("org.file.import_title")),
    h("div.dialog-body", h("p", t("org.file.about")), field(t("org.file.choose"), file), textField, result),
    h("div.actions",
      h("button", { type: "button", on: { click: close } }, t("form.cancel")),
      h("button.primary", { type: "button", on: { click: take } }, t("org.file.import_now"))),
  ]);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  document.body.append(dialog);
  dialog.showModal();
}

function faultList({ faults, more }) {
  return notice("bad",
    h("p", t("org.file.faults", { n: faults.length + more })),
    h("ul.org-fault-list", faults.map(([place, key, values]) =>
      h("li", place ? h("code", place) : null, place ? ": " : null, t(`org.map.error.${key}`, values)))),
    more > 0 ? h("p", t("org.file.more_faults", { n: more })) : null);
}
