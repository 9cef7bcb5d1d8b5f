// What is known of a show's sales, kept up to date by what the server tells.

import * as api from "../api.js";
import { toMinor } from "../currency.js";
import { SeatMap } from "../seatmap/model.js";
import { follow } from "../sse.js";
import { tallyOf } from "./tally.js";

const pathOf = (id) => `/api/eventos/${encodeURIComponent(id)}`;

/** Reads the show, and its seats if they are numbered. */
export async function openSales(id, { position, signal }) {
  const query = { posicion: position };
  const { data: show } = await api.get(pathOf(id), { query, signal });
  if (!show.numerado) return new Sales(show, null);
  const { data } = await api.get(`${pathOf(id)}/asientos`, { query: { ...query, formato: "compacto" }, signal });
  return new Sales(show, SeatMap.fromCompact(data));
}

export class Sales {
  constructor(show, map) {
    this.show = show;
    this.map = map;
    this.state = show.estado;
    this.tally = tallyOf(show);
  }

  /** Follows the show until the signal ends it. `onChange(indices)`: the seats that changed, null for all. */
  follow({ onChange, onState, signal }) {
    const from = this.map ? `&desde=${this.map.version}` : "";
    return follow(`${pathOf(this.show.evento_id)}/cambios?formato=compacto${from}`, {
      onEvent: (event) => this.#take(event, onChange), onState, signal,
    });
  }

  #take({ type, data }, onChange) {
    if (type !== "cambio" && type !== "mapa") return;
    this.state = data.estado;
    this.tally = { ...tallyOf(data), total: this.show.aforo_total };
    let changed = [];
    if (this.map && type === "mapa") {
      const fresh = SeatMap.fromCompact(data);
      changed = this.map.become(fresh);
      if (changed === null) this.map = fresh;
    } else if (this.map) {
      changed = this.map.apply(data.cambios ?? []);
      this.map.version = data.version;
    }
    onChange(changed);
  }

  /** What was taken in, in minor units. */
  get revenueMinor() {
    const { moneda, precio } = this.show;
    if (!this.map) return this.tally.sold * toMinor(precio, moneda);
    return this.sections().reduce((sum, section) => sum + section.revenueMinor, 0);
  }

  /** `{name, priceMinor, sold, held, free, total, revenueMinor}` of each section. */
  sections() {
    return this.map.sections.map((section, index) => {
      const priceMinor = toMinor(section.price, this.show.moneda);
      const counts = this.map.counts(index);
      return { name: section.name, priceMinor, ...counts, revenueMinor: counts.sold * priceMinor };
    });
  }
}
