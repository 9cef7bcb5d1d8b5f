// A show in a list: a ticket with its date on the stub.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { href } from "../router.js";
import { tag } from "../ui.js";
import { availability, dateParts, price, showTime } from "./words.js";

/** The date on a stub: for the eye alone, beside it stands the same in words. */
export function dateBlock(value) {
  const { day, month, weekday, year } = dateParts(value);
  return h("div.stub", { "aria-hidden": "true" },
    h("span.stub-month", month),
    h("span.stub-day", day),
    h("span.stub-more", year || weekday));
}

/** A card of the catalogue. */
export function showCard(show) {
  const left = availability(show);
  const isOn = show.estado === "activo";
  return h("li",
    h("article.ticket", { class: isOn ? "" : "off" },
      dateBlock(show.fecha),
      h("div.ticket-body",
        show.categoria ? h("p.ticket-kind", show.categoria) : null,
        h("h2.ticket-name", h("a", { href: href(`/evento/${show.evento_id}`) }, show.nombre)),
        h("p.ticket-where",
          h("time", { datetime: show.fecha }, showTime(show.fecha)),
          h("span", show.lugar)),
        h("p.ticket-foot",
          h("span.ticket-price", isOn && show.numerado && show.precio > 0
            ? t("buying.price_from", { price: price(show.precio, show.moneda) })
            : price(show.precio, show.moneda)),
          tag(left.text, left.kind)))));
}

/** As tall as a card with nothing in it yet. */
export function skeletonCard() {
  return h("li", { "aria-hidden": "true" },
    h("div.ticket.skeleton",
      h("div.stub"),
      h("div.ticket-body", h("span.bone.short"), h("span.bone.tall"), h("span.bone"), h("span.bone.foot"))));
}
