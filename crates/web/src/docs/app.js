// Browses /api/openapi.json: operations, schemas, and a form to try a request. Everything that comes from the
// document or from an answer is shown as text, never as markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];
const byId = (id) => document.getElementById(id);
let api = null;

/** An element with attributes and children; a child that is no node becomes text. */
function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== undefined && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const refName = (ref) => ref.split("/").pop();
const resolve = (schema) => (schema && schema.$ref ? api.components.schemas[refName(schema.$ref)] : schema) || {};

/** A schema in a few words, with links to the schemas it names. */
function typeOf(schema) {
  if (!schema) return ["cualquiera"];
  if (schema.$ref) return [el("a", { href: "#schema/" + refName(schema.$ref) }, refName(schema.$ref))];
  const choices = schema.oneOf || schema.anyOf || schema.allOf;
  if (choices) return choices.flatMap((choice, index) => (index ? [" | ", ...typeOf(choice)] : typeOf(choice)));
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(" | ")];
  const types = [].concat(schema.type || "cualquiera");
  if (types.includes("array")) return ["lista de ", ...typeOf(schema.items)];
  return [types.join(" | ") + (schema.format ? " (" + schema.format + ")" : "")];
}

/** An example value for a schema, to begin a body with. */
function example(schema, depth = 0) {
  const found = resolve(schema);
  if (found.example !== undefined) return found.example;
  if (found.default !== undefined) return found.default;
  if (found.enum) return found.enum[0];
  const choices = found.oneOf || found.anyOf || found.allOf;
  if (choices) return example(choices.find((choice) => choice.type !== "null") || choices[0], depth);
  const type = [].concat(found.type || "object").find((one) => one !== "null");
  if (depth > 5) return null;
  if (type === "object") {
    const entries = Object.entries(found.properties || {});
    return Object.fromEntries(entries.map(([name, property]) => [name, example(property, depth + 1)]));
  }
  if (type === "array") return [example(found.items, depth + 1)];
  if (type === "integer" || type === "number") return found.minimum || 1;
  if (type === "boolean") return false;
  if (found.format === "uuid") return "00000000-0000-4000-8000-000000000000";
  if (found.format === "date-time") return new Date(Date.now() + 30 * 864e5).toISOString();
  return "texto";
}

function operations() {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, ...item[method] })));
}

const keyOf = (operation) => "op/" + operation.method + operation.path;

function menu() {
  const wanted = byId("filter").value.toLowerCase();
  const groups = new Map();
  for (const operation of operations()) {
    const text = [operation.method, operation.path, operation.summary].join(" ").toLowerCase();
    if (!text.includes(wanted)) continue;
    const tag = (operation.tags || ["otros"])[0];
    groups.set(tag, [...(groups.get(tag) || []), operation]);
  }
  const here = decodeURIComponent(location.hash.slice(1));
  const link = (key, ...children) => el("a", { href: "#" + key, class: key === here ? "here" : undefined }, ...children);
  const parts = [...groups].flatMap(([tag, list]) => [el("h2", {}, tag), ...list.map((operation) =>
    link(keyOf(operation), el("span", { class: "method" }, operation.method.toUpperCase()), operation.path))]);
  const names = Object.keys(api.components.schemas).filter((name) => name.toLowerCase().includes(wanted));
  byId("menu").replaceChildren(...parts, el("h2", {}, "esquemas"), ...names.map((name) => link("schema/" + name, name)));
}

function properties(schema) {
  const required = schema.required || [];
  const rows = Object.entries(schema.properties || {}).map(([name, property]) => el("tr", {},
    el("td", {}, el("code", {}, name), required.includes(name) ? " *" : ""),
    el("td", {}, typeOf(property)), el("td", {}, property.description || resolve(property).description || "")));
  return rows.length ? el("table", {}, rows) : el("p", {}, typeOf(schema));
}

function showSchema(name) {
  const schema = api.components.schemas[name];
  if (!schema) return [el("p", {}, "No existe ese esquema.")];
  return [el("h1", {}, name), el("p", {}, schema.description || ""), properties(schema),
    el("h2", {}, "Ejemplo"), el("pre", {}, JSON.stringify(example(schema), null, 2))];
}

function showOperation(operation) {
  const inputs = new Map();
  const rows = (operation.parameters || []).map((parameter) => {
    const input = el("input", { "aria-label": parameter.name });
    inputs.set(parameter, input);
    return el("tr", {}, el("td", {}, el("code", {}, parameter.name), parameter.required ? " *" : ""),
      el("td", {}, parameter.in), el("td", {}, typeOf(parameter.schema)),
      el("td", {}, parameter.description || ""), el("td", {}, input));
  });
  const media = operation.requestBody && operation.requestBody.content["application/json"];
  const body = media && el("textarea", { "aria-label": "cuerpo", spellcheck: "false" });
  if (body) body.value = JSON.stringify(media.example || example(media.schema), null, 2);
  const output = el("pre", { "aria-live": "polite" }, "");
  const send = () => tryOut(operation, inputs, body, output);
  const answers = Object.entries(operation.responses || {}).map(([status, response]) => el("tr", {},
    el("td", {}, status), el("td", {}, response.description || ""),
    el("td", {}, Object.values(response.content || {}).flatMap((content) => typeOf(content.schema)))));
  return [el("h1", {}, el("span", { class: "method" }, operation.method.toUpperCase()), operation.path),
    el("p", {}, operation.summary || ""), el("p", {}, operation.description || ""),
    rows.length ? el("h2", {}, "Parámetros") : null, rows.length ? el("table", {}, rows) : null,
    media ? el("h2", {}, "Cuerpo") : null, media ? el("p", {}, typeOf(media.schema)) : null, body || null,
    el("h2", {}, "Respuestas"), el("table", {}, answers),
    el("h2", {}, "Probar"), el("button", { click: send }, "Enviar"), output];
}

async function tryOut(operation, inputs, body, output) {
  let path = operation.path;
  const query = new URLSearchParams();
  const headers = {};
  for (const [parameter, input] of inputs) {
    if (parameter.in === "path") path = path.replace("{" + parameter.name + "}", encodeURIComponent(input.value));
    else if (input.value && parameter.in === "query") query.set(parameter.name, input.value);
    else if (input.value && parameter.in === "header") headers[parameter.name] = input.value;
  }
  if (body) headers["Content-Type"] = "application/json";
  const address = path + (query.size ? "?" + query : "");
  output.textContent = "…";
  try {
    const response = await fetch(address, { method: operation.method.toUpperCase(), headers, body: body ? body.value : undefined });
    const shown = ["location", "x-posicion", "etag", "retry-after"].filter((name) => response.headers.has(name));
    const head = "HTTP " + response.status + "\n" + shown.map((name) => name + ": " + response.headers.get(name) + "\n").join("");
    output.textContent = head + "\n";
    await showBody(response, output, head);
  } catch (error) {
    output.textContent = "No hubo respuesta: " + error.message;
  }
}

/** JSON is laid out; an event stream is shown as it comes. */
async function showBody(response, output, head) {
  const type = response.headers.get("content-type") || "";
  if (!type.startsWith("text/event-stream")) {
    const text = await response.text();
    output.textContent = head + "\n" + (type.includes("json") && text ? JSON.stringify(JSON.parse(text), null, 2) : text);
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) output.textContent += part.value;
}

function route() {
  const here = decodeURIComponent(location.hash.slice(1));
  const operation = operations().find((one) => keyOf(one) === here);
  const content = operation ? showOperation(operation)
    : here.startsWith("schema/") ? showSchema(here.slice(7))
    : [el("h1", {}, api.info.title), el("p", {}, api.info.description || ""),
       el("p", {}, el("a", { href: "/docs/errors" }, "Códigos de error"), " · ", el("a", { href: "/api/openapi.json" }, "openapi.json"))];
  byId("main").replaceChildren(...content.filter((part) => part !== null));
  menu();
}

fetch("/api/openapi.json").then((response) => response.json()).then((document) => {
  api = document;
  window.addEventListener("hashchange", route);
  byId("filter").addEventListener("input", menu);
  route();
}).catch((error) => { byId("main").textContent = "No se pudo leer la descripción de la API: " + error.message; });
