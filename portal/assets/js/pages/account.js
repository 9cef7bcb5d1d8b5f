// Who somebody is here, what is held about them, and how to be forgotten.

import { LONG_MS, del, get } from "../api.js";
import { fill, h } from "../dom.js";
import { has, register, shortDateTime, t } from "../i18n.js";
import account from "../i18n/buying_account.js";
import { href } from "../router.js";
import * as session from "../session.js";
import { announce, busy, busyButton, facts, field, input, notice, problem, tag } from "../ui.js";
import { forgetOpen } from "../buyer/open_purchases.js";
import { offer } from "../buyer/offer.js";

register(account);

/** Somebody was forgotten just now: the page says so once there is nobody any more. */
let farewell = false;
/** What was typed to confirm it, over a change of language. */
let isAsking = false;

export default async function page(view, { signal }) {
  if (!session.loggedIn()) {
    if (farewell) gone(view);
    else if (session.operating()) operator(view);
    else offer(view, { title: t("buying.account.offer"), text: t("buying.account.offer_text") });
    return;
  }
  farewell = false;
  const { userId, roles } = session.current();
  const path = `/api/usuarios/${userId}`;
  fill(view, h("h1", t("nav.account")),
    h("div.account", { "aria-hidden": "true" }, [1, 2].map(() =>
      h("div.card", h("p", h("span.bone.tall")), h("p", h("span.bone")), h("p", h("span.bone.foot"))))));
  const { data } = await get(path, { signal });

  fill(view,
    h("h1", t("nav.account")),
    h("div.account",
      h("section.card",
        h("h2", t("buying.account.mine")),
        facts([
          [t("buying.account.name"), `${data.nombre} ${data.apellido}`],
          [t("buying.email"), data.email],
          [t("buying.account.document"), `${documentName(data.tipo_documento)} ${data.nro_documento}`],
          [t("buying.account.since"), shortDateTime(data.fecha_registro)],
          [t("buying.account.roles"), h("span.tags", roles.map((role) => tag(t(`buying.role.${role}`))))],
        ]),
        h("div.actions", h("a.button", { href: "#/mis-compras" }, t("nav.purchases")))),
      h("section.card",
        h("h2", t("buying.account.data")),
        h("p", t("buying.account.data_text")),
        download(path, signal)),
      forgetting(view, path, signal)));
}

function documentName(kind) {
  return has(`buying.document.${kind}`) ? t(`buying.document.${kind}`) : kind;
}

/** Everything that is held about the person, as a file. */
function download(path, signal) {
  const told = h("div");
  return [
    h("div.actions", busyButton(t("buying.account.download"), async () => {
      fill(told);
      try {
        const { data } = await get(`${path}/datos`, { signal, attempts: 1, patience: LONG_MS });
        const file = new Blob([JSON.stringify(data, null, 2)], { type: "application/json" });
        const address = URL.createObjectURL(file);
        const link = h("a", { href: address, download: `eventflow-${new Date().toISOString().slice(0, 10)}.json`, hidden: true });
        document.body.append(link);
        link.click();
        link.remove();
        setTimeout(() => URL.revokeObjectURL(address), 60_000);
        fill(told, notice("good", h("p", t("buying.account.downloaded"))));
      } catch (error) {
        if (!signal.aborted) fill(told, problem(error));
      }
    })),
    told,
  ];
}

/** Being forgotten: what it means, and a word to type, because it cannot be undone. */
function forgetting(view, path, signal) {
  const word = t("buying.forget.word");
  const typed = field(t("buying.forget.type", { word }), input("text", {
    name: "olvidar", autocomplete: "off", autocapitalize: "characters", spellcheck: "false",
  }));
  const failure = h("div");
  const button = h("button.danger.solid", { type: "submit" }, t("buying.forget.button"));
  const form = h("form", { novalidate: true }, typed, failure, button);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const isSure = typed.value().trim().toLocaleUpperCase() === word;
    typed.setError(isSure ? null : t("buying.forget.wrong", { word }));
    if (!isSure) {
      typed.control.focus();
      return;
    }
    busy(button, async () => {
      fill(failure);
      try {
        await del(path, { signal });
      } catch (error) {
        // 410: an answer that was lost said so before.
        if (signal.aborted) return;
        if (error.status !== 410) {
          fill(failure, problem(error));
          return;
        }
      }
      farewell = true;
      isAsking = false;
      forgetOpen();
      await session.end();
      announce(t("buying.forget.done"));
    });
  });
  const details = h("details.forget", { open: isAsking },
    h("summary", t("buying.forget.title")),
    h("p", t("buying.forget.what")),
    h("ul", ["sealed", "purchases", "document", "access"].map((one) => h("li", t(`buying.forget.stays.${one}`)))),
    h("p", h("strong", t("buying.forget.tickets")), " ", h("a", { href: "#/mis-compras" }, t("nav.purchases"))),
    form);
  details.addEventListener("toggle", () => {
    if (!signal.aborted) isAsking = details.open;
  });
  return h("section.card.risky", details);
}

function gone(view) {
  fill(view, h("div.narrow.centred", h("section.card",
    h("h1", t("buying.forget.done")), h("p", t("buying.forget.done_text")),
    h("div.actions", h("a.button.primary", { href: "#/" }, t("nav.back_to_shows"))))));
}

function operator(view) {
  fill(view, h("div.narrow.centred", h("section.card",
    h("h1", t("buying.operator.title")), h("p", t("buying.operator.text")), h("p", t("buying.operator.buy")),
    h("div.actions",
      h("a.button.primary", { href: href("/registro", { volver: "/cuenta" }) }, t("nav.register")),
      h("a.button", { href: href("/entrar", { volver: "/cuenta" }) }, t("nav.login")),
      h("a.button", { href: "#/organizar" }, t("nav.organise"))))));
}
