// What can be said about a form before it is sent, in the reader's language. The server has the last word.

import { t } from "../i18n.js";

const blank = (text) => text.trim() === "";

/** Each check takes the text of a field and gives what is wrong with it, or null. */
export const CHECKS = {
  nro_documento: (text) => {
    if (blank(text)) return t("form.required");
    return /^[\p{L}\p{N}.-]{3,32}$/u.test(text.trim()) ? null : t("buying.wrong.document");
  },
  nombre: (text) => name(text),
  apellido: (text) => name(text),
  email: (text) => {
    if (blank(text)) return t("form.required");
    return /^\S+@\S+$/.test(text.trim()) && text.trim().length <= 254 ? null : t("buying.wrong.email");
  },
  password: (text) => {
    if (text === "") return t("form.required");
    const length = [...text].length;
    if (length < 10) return t("buying.wrong.password_short", { n: 10 - length });
    return length > 128 ? t("buying.wrong.password_long") : null;
  },
};

function name(text) {
  if (blank(text)) return t("form.required");
  return [...text.trim()].length <= 100 ? null : t("buying.wrong.name");
}

/** What is said when the server refuses a field that seemed right. */
const REFUSED = {
  tipo_documento: "form.invalid",
  nro_documento: "buying.wrong.document",
  nombre: "buying.wrong.name",
  apellido: "buying.wrong.name",
  email: "buying.wrong.email",
  password: "buying.wrong.password",
};

/** Shows what is wrong with the fields (`fields`: name → element of `field`); true when nothing is. The first gets the focus. */
export function check(fields, checks) {
  let first = null;
  for (const [key, element] of Object.entries(fields)) {
    const wrong = checks[key]?.(element.value()) ?? null;
    element.setError(wrong);
    if (wrong) first ??= element.control;
  }
  first?.focus();
  return first === null;
}

/** Shows at their fields what the server found wrong; true when every fault has a field. */
export function showRefused(error, fields) {
  let all = error.fields.length > 0;
  let first = null;
  for (const { campo } of error.fields) {
    const target = fields[campo];
    if (!target) all = false;
    target?.setError(t(REFUSED[campo] ?? "form.invalid"));
    first ??= target?.control ?? null;
  }
  first?.focus();
  return all;
}

/** Takes an error away as soon as what was wrong is right. */
export function forgive(fields, checks) {
  for (const [key, element] of Object.entries(fields)) {
    element.control.addEventListener("input", () => {
      if (element.control.getAttribute("aria-invalid") && !checks[key]?.(element.value())) element.setError(null);
    });
  }
}
