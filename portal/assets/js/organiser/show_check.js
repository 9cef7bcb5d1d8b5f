// What the API asks of a show, asked here first, so that nobody waits for a refusal.

import { toMajor } from "../currency.js";
import { t } from "../i18n.js";
import { parseLocal } from "./local_time.js";
import { MAX_PLACES, wholeNumber } from "./plan.js";
import { toApi } from "./plan_json.js";
import { parsePrice, priceValues } from "./price.js";

export const LONGEST = { nombre: 200, lugar: 200, categoria: 50, descripcion: 5_000 };

/** What is wrong with the fields as typed: API name → text. The seat map is checked by its editor. */
export function faultsOfShow(fields, now = new Date()) {
  const faults = {};
  const tell = (name, key, values) => {
    if (key) faults[name] = t(`org.show.error.${key}`, values);
  };
  tell("nombre", textFault(fields.nombre, LONGEST.nombre, true), { max: LONGEST.nombre });
  tell("lugar", textFault(fields.lugar, LONGEST.lugar, true), { max: LONGEST.lugar });
  tell("categoria", textFault(fields.categoria, LONGEST.categoria, false), { max: LONGEST.categoria });
  tell("descripcion", descriptionFault(fields.descripcion), { max: LONGEST.descripcion });
  tell("fecha", parseLocal(fields.fecha, now).fault);
  const price = parsePrice(fields.precio, fields.moneda);
  if (price.fault) faults.precio = t(`org.map.error.price.${price.fault}`, priceValues(fields.moneda));
  if (wholeNumber(fields.max_por_usuario, 1, MAX_PLACES) === null) tell("max_por_usuario", "number", { max: MAX_PLACES });
  if (fields.seating === "general" && wholeNumber(fields.aforo_total, 1, MAX_PLACES) === null) {
    tell("aforo_total", "number", { max: MAX_PLACES });
  }
  return faults;
}

// Characters as the API counts them: code points.
function textFault(text, longest, needed) {
  const plain = text.trim();
  if (plain === "") return needed ? "missing" : null;
  if ([...plain].length > longest) return "long";
  return /\p{Cc}/u.test(plain) ? "control" : null;
}

function descriptionFault(text) {
  if ([...text].length > LONGEST.descripcion) return "long";
  return /\p{Cc}/u.test(text.replace(/[\n\r\t]/g, "")) ? "control" : null;
}

/** The body of `POST /api/eventos`. There are no faults. */
export function bodyOf(fields, sections) {
  const { moneda } = fields;
  const body = {
    nombre: fields.nombre.trim(),
    fecha: parseLocal(fields.fecha).date.toISOString(),
    lugar: fields.lugar.trim(),
    precio: toMajor(parsePrice(fields.precio, moneda).minor, moneda),
    moneda,
    max_por_usuario: Number(fields.max_por_usuario),
  };
  if (fields.descripcion.trim() !== "") body.descripcion = fields.descripcion.trim();
  if (fields.categoria.trim() !== "") body.categoria = fields.categoria.trim();
  if (fields.seating === "general") body.aforo_total = Number(fields.aforo_total);
  else body.mapa_asientos = toApi(sections, moneda);
  return body;
}

/**
 * Where the server's field errors belong: `{own: [{campo, mensaje}], sections: Map index → {key: text}, whole: text|null}`.
 */
export function sortErrors(errors) {
  const keys = { nombre: "name", filas: "rows", asientos_por_fila: "seats", precio: "price", pasillos: "aisles", bloqueados: "blocked" };
  const sorted = { own: [], sections: new Map(), whole: null };
  for (const { campo, mensaje } of errors) {
    const found = /^mapa_asientos\.secciones\[(\d+)\](?:\.(\w+))?/.exec(campo);
    if (found) {
      const index = Number(found[1]);
      const told = sorted.sections.get(index) ?? sorted.sections.set(index, {}).get(index);
      told[keys[found[2]] ?? "name"] ??= document.documentElement.lang === "es" ? mensaje : t("org.map.error.server");
    } else if (campo.startsWith("mapa_asientos")) {
      sorted.whole ??= document.documentElement.lang === "es" ? mensaje : t("org.map.error.server");
    } else {
      sorted.own.push({ campo, mensaje });
    }
  }
  return sorted;
}
