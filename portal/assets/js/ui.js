// What several pages show alike: fields, notices, problems, dialogs, what a screen reader is told.

import { append, fill, h, uid } from "./dom.js";
import { errorText, number, t } from "./i18n.js";

/** Says something to a screen reader without moving the focus. `urgent` interrupts it. */
export function announce(text, urgent = false) {
  const region = document.getElementById(urgent ? "said-now" : "said");
  if (!region) return;
  // Emptied first, so that the same words are said again.
  region.textContent = "";
  requestAnimationFrame(() => {
    region.textContent = text;
  });
}

/** A box with a message. `kind`: `info`, `good`, `warning`, `bad`. */
export function notice(kind, ...children) {
  return h(`div.notice.${kind}`, { role: kind === "bad" ? "alert" : "status" }, children);
}

/** What went wrong, in the reader's language. */
export function problem(error) {
  return notice("bad", h("p", messageOf(error)), error.code ? h("p.code", error.code) : null);
}

/** One sentence about an error. */
export function messageOf(error) {
  if (error?.code) return errorText(error.code, error.detail || error.message);
  return t("error.unknown");
}

/**
 * A labelled field. `control` is the element; `hint` and `error` are described to assistive technology.
 * Returns an element with `.control`, `.setError(text|null)` and `.value()`.
 */
export function field(label, control, { hint, optional = false, name } = {}) {
  if (!control.id) control.id = uid("field");
  if (name) control.name = name;
  const hintId = hint ? uid("hint") : null;
  const errorElement = h("p.field-error", { id: uid("error"), hidden: true });
  const element = h(
    "div.field",
    h("label", { for: control.id }, label, optional ? h("span.muted", ` (${t("form.optional")})`) : null),
    hint ? h("p.hint", { id: hintId }, hint) : null,
    control,
    errorElement,
  );
  const describe = (...ids) => {
    const text = ids.filter(Boolean).join(" ");
    if (text) control.setAttribute("aria-describedby", text);
    else control.removeAttribute("aria-describedby");
  };
  describe(hintId);
  element.control = control;
  element.value = () => control.value;
  element.setError = (text) => {
    errorElement.textContent = text ?? "";
    errorElement.hidden = !text;
    if (text) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
    describe(hintId, text ? errorElement.id : null);
  };
  return element;
}

/** An `input` with sensible attributes. */
export function input(type, props = {}) {
  return h("input", { type, ...props });
}

/** A `select`; options are `[value, text]`. */
export function select(options, { value, ...props } = {}) {
  const element = h("select", props, options.map(([key, text]) => h("option", { value: key }, text)));
  if (value !== undefined) element.value = value;
  return element;
}

/**
 * Shows the field errors of a 422 beside their fields (`fields`: API name → element of `field`) and gives the focus to
 * the first. True when every error found its field; the rest is for a notice.
 */
export function showFieldErrors(error, fields) {
  let first = null;
  let all = error.fields.length > 0;
  for (const one of Object.values(fields)) one.setError(null);
  for (const { campo, mensaje } of error.fields) {
    const target = fields[campo];
    if (!target) {
      all = false;
      continue;
    }
    target.setError(fieldMessage(mensaje));
    first ??= target.control;
  }
  first?.focus();
  return all;
}

/** The server speaks Spanish about fields. What its rules are, pages check and say in both languages before they ask. */
function fieldMessage(message) {
  return document.documentElement.lang === "es" ? message : t("form.invalid");
}

/**
 * A button that does something that takes a while: it says so and takes no second press meanwhile.
 * @param {function(Event): Promise<void>} act
 */
export function busyButton(label, act, { kind = "", ...props } = {}) {
  const button = h("button", { type: "button", class: kind, ...props }, label);
  button.addEventListener("click", (event) => busy(button, () => act(event)));
  return button;
}

/** Runs `act` while the button says that it is busy. `aria-disabled` instead of `disabled` keeps the focus on it. */
export async function busy(button, act) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  button.classList.add("busy");
  try {
    return await act();
  } finally {
    button.removeAttribute("aria-disabled");
    button.classList.remove("busy");
  }
}

/**
 * A form: `submit` is called with the event when it is sent, once at a time; what it throws is shown in the form, field
 * errors at their fields.
 */
export function form(props, fields, submit, ...children) {
  const failure = h("div.form-failure");
  const element = h("form", { novalidate: true, ...props }, children, failure);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter ?? element.querySelector("button[type=submit]");
    busy(button, async () => {
      fill(failure);
      try {
        await submit(event);
      } catch (error) {
        if (error?.name === "AbortError") return;
        if (!error?.code) console.error(error);
        if (!showFieldErrors({ fields: error.fields ?? [] }, fields)) fill(failure, problem(error));
      }
    });
  });
  return element;
}

/**
 * A modal dialog that asks something. Resolves to the value of the button that was pressed, or null (Escape).
 * `actions`: `[value, text, kind]`, the safe one first.
 */
export function ask(title, body, actions) {
  return new Promise((resolve) => {
    const titleId = uid("title");
    const dialog = h("dialog", { "aria-labelledby": titleId });
    const end = (value) => {
      removeEventListener("hashchange", leave);
      dialog.close();
      dialog.remove();
      resolve(value);
    };
    // Whoever goes back to another page has not answered.
    const leave = () => end(null);
    addEventListener("hashchange", leave);
    append(dialog, [
      h("h2", { id: titleId }, title),
      h("div.dialog-body", body),
      h("div.actions", actions.map(([value, text, kind = ""]) =>
        h("button", { type: "button", class: kind, on: { click: () => end(value) } }, text))),
    ]);
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      end(null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A table that scrolls by itself where it is too wide. `columns`: `[heading, cell(row) , {numeric}]`. */
export function table(caption, columns, rows, { empty } = {}) {
  if (rows.length === 0 && empty) return h("p.muted", empty);
  return h(
    "div.table-scroll",
    { tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      h("caption", caption),
      h("thead", h("tr", columns.map(([heading, , options = {}]) =>
        h("th", { scope: "col", class: options.numeric ? "numeric" : "" }, heading)))),
      h("tbody", rows.map((row) =>
        h("tr", columns.map(([, cell, options = {}]) =>
          h("td", { class: options.numeric ? "numeric" : "" }, cell(row)))))),
    ),
  );
}

/** A list of names and values. Entries without a value are left out. */
export function facts(entries) {
  return h("dl.facts", entries
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => h("div", h("dt", name), h("dd", value))));
}

/** A coloured word: `kind` as in `notice`, or "". */
export function tag(text, kind = "") {
  return h(`span.tag${kind ? `.${kind}` : ""}`, text);
}

/** Something is being fetched. */
export function loading() {
  return h("p.loading", { role: "status" }, t("page.loading"));
}

/** How much of the whole, as a bar with words. */
export function meter(label, value, max) {
  return h("div.meter",
    h("span", label),
    h("meter", { min: 0, max: Math.max(max, 1), value, "aria-label": label }),
    h("span.numeric", `${number(value)} / ${number(max)}`));
}
