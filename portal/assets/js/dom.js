// Elements without markup in strings: what comes from the server only ever becomes text, so nothing has to be escaped
// and nothing can be forgotten. (The Content-Security-Policy asks for Trusted Types: assigning HTML would throw.)

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element.
 * @param {string} tag such as `button`, `p.muted`, `input#name`
 * @param {Object} [props] attributes; `on` has listeners, `class` and `dataset` are themselves, `null`, `undefined` and
 *   `false` leave an attribute out, `true` sets it empty; `value`, `checked`, `indeterminate` are set as properties.
 *   May be left out.
 * @param {...(Node|string|number|null|undefined|false|Array)} children text or nodes; nothing for null and false
 */
export function h(tag, props, ...children) {
  return make(document.createElement(nameOf(tag)), tag, props, children);
}

/** An SVG element; as `h`. */
export function s(tag, props, ...children) {
  return make(document.createElementNS(SVG, nameOf(tag)), tag, props, children);
}

function nameOf(tag) {
  return tag.split(/[.#]/, 1)[0];
}

function make(element, tag, props, children) {
  for (const part of tag.match(/[.#][^.#]+/g) ?? []) {
    if (part[0] === "#") element.id = part.slice(1);
    else element.classList.add(part.slice(1));
  }
  if (props !== null && props !== undefined && !isProps(props)) {
    children.unshift(props);
    props = null;
  }
  for (const [name, value] of Object.entries(props ?? {})) set(element, name, value);
  append(element, children);
  return element;
}

function isProps(value) {
  return typeof value === "object" && !(value instanceof Node) && !Array.isArray(value);
}

const AS_PROPERTY = new Set(["value", "checked", "indeterminate", "selected", "disabled", "open"]);

function set(element, name, value) {
  if (name === "on") {
    for (const [type, listener] of Object.entries(value)) if (listener) element.addEventListener(type, listener);
  } else if (name === "dataset") {
    for (const [key, text] of Object.entries(value)) if (text !== undefined && text !== null) element.dataset[key] = text;
  } else if (name === "class") {
    for (const word of String(value || "").split(/\s+/)) if (word) element.classList.add(word);
  } else if (AS_PROPERTY.has(name) && name in element) {
    if (value !== undefined && value !== null) element[name] = value;
  } else if (value === true) {
    element.setAttribute(name, "");
  } else if (value !== false && value !== null && value !== undefined) {
    element.setAttribute(name, String(value));
  }
}

/** Appends children as `h` takes them. */
export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

/** Replaces what is in an element. */
export function fill(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

let counter = 0;
/** An id that nothing else on the page has, for labels and descriptions. */
export function uid(prefix = "id") {
  counter += 1;
  return `${prefix}-${counter}`;
}
