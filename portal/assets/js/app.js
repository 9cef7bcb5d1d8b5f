// The portal's beginning: the frame around the pages, and which page is at which address.

import { fill, h, s } from "./dom.js";
import { LANGUAGES, currentLanguage, onLanguage, setLanguage, t } from "./i18n.js";
import { onWaiting, sleep } from "./api.js";
import { go, prepare, route, show, start } from "./router.js";
import * as session from "./session.js";
import { busyButton } from "./ui.js";

route("/", () => import("./pages/catalogue.js"));
route("/evento/:id", () => import("./pages/show.js"));
route("/compra/:id", () => import("./pages/purchase.js"));
route("/entrar", () => import("./pages/login.js"));
route("/registro", () => import("./pages/register.js"));
route("/cuenta", () => import("./pages/account.js"));
route("/mis-compras", () => import("./pages/purchases.js"));
route("/organizar", () => import("./pages/organise.js"));
route("/organizar/nuevo", () => import("./pages/schedule.js"));
route("/organizar/:id", () => import("./pages/sales.js"));
route("/auditoria", () => import("./pages/audit.js"));
route("/auditoria/reserva/:id", () => import("./pages/audit_purchase.js"));
route("/auditoria/evento/:id", () => import("./pages/audit_show.js"));
route("/operaciones", () => import("./pages/operations.js"));

const header = document.getElementById("header");
const footer = document.getElementById("footer");
const main = document.getElementById("main");
const connection = document.getElementById("connection");

function links() {
  const found = [["/", t("nav.shows")]];
  if (session.loggedIn()) found.push(["/mis-compras", t("nav.purchases")]);
  if (session.may("organizador")) found.push(["/organizar", t("nav.organise")]);
  if (session.may("auditor")) found.push(["/auditoria", t("nav.audit")], ["/operaciones", t("nav.operations")]);
  return found;
}

/** The frame. On a narrow screen everything but the brand and the way to one's account is behind the menu's button. */
function frame() {
  const menu = h("div.menu#menu",
    h("nav", { "aria-label": t("nav.main") },
      h("ul", links().map(([path, text]) => h("li", h("a", { href: `#${path}` }, text))))),
    h("div.menu-more", session.loggedIn() ? logOut() : h("a.menu-register", { href: "#/registro" }, t("nav.register")), language()),
  );
  const toggle = h("button.menu-toggle", {
    type: "button", "aria-expanded": "false", "aria-controls": "menu", "aria-label": t("nav.menu"),
    on: { click: () => openMenu(toggle.getAttribute("aria-expanded") !== "true") },
  }, h("span.menu-bars", { "aria-hidden": "true" }));
  fill(
    header,
    h("div.bar",
      toggle,
      h("a.brand", { href: "#/", "aria-label": t("nav.home") }, h("span.brand-mark", { "aria-hidden": "true" }), "EventFlow"),
      menu,
      h("div.who", session.loggedIn()
        ? h("a.button.to-account", { href: "#/cuenta" }, person(), h("span", t("nav.account")))
        : [h("a.button.log-in", { href: "#/entrar" }, t("nav.login")), h("a.button.primary.register", { href: "#/registro" }, t("nav.register"))])),
  );
  fill(
    footer,
    h("div.bar",
      h("p", h("strong", "EventFlow"), " · ", t("footer.promise")),
      h("p", h("a", { href: "/docs" }, t("footer.api")), h("a", { href: "/docs/errors" }, t("footer.errors"))),
      session.operating() ? h("p.footer-dev", t("dev.operator")) : null),
  );
  mark();
}

/** Which of the links leads to where one is. */
function mark() {
  const here = location.hash.replace(/^#/, "").split("?")[0] || "/";
  for (const link of header.querySelectorAll("a[href]")) {
    const path = link.getAttribute("href").slice(1);
    const isHere = path === "/" ? here === "/" && !link.classList.contains("brand") : here === path || here.startsWith(`${path}/`);
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function openMenu(isOpen) {
  header.querySelector(".menu-toggle")?.setAttribute("aria-expanded", String(isOpen));
  header.classList.toggle("menu-open", isOpen);
}

addEventListener("hashchange", () => {
  openMenu(false);
  mark();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !header.classList.contains("menu-open")) return;
  openMenu(false);
  header.querySelector(".menu-toggle").focus();
});
document.addEventListener("click", (event) => {
  if (!header.contains(event.target) || event.target.closest("#menu a")) openMenu(false);
});
header.addEventListener("focusout", (event) => {
  if (event.relatedTarget && !header.contains(event.relatedTarget)) openMenu(false);
});

function person() {
  return s("svg", { viewBox: "0 0 20 20", width: 18, height: 18, "aria-hidden": "true" },
    s("circle", { cx: 10, cy: 6.5, r: 3.5, fill: "currentColor" }),
    s("path", { d: "M3 18a7 7 0 0 1 14 0z", fill: "currentColor" }));
}

function logOut() {
  return busyButton(t("nav.logout"), async () => {
    go("/");
    await session.end();
  }, { kind: "quiet log-out" });
}

function language() {
  const choose = h("select.language", {
    "aria-label": t("nav.language"),
    on: { change: (event) => setLanguage(event.target.value) },
  }, Object.entries(LANGUAGES).map(([code, name]) => h("option", { value: code, lang: code }, name)));
  choose.value = currentLanguage();
  return choose;
}

function skip() {
  const link = document.getElementById("skip");
  link.textContent = t("nav.skip");
  link.onclick = (event) => {
    event.preventDefault();
    const target = main.querySelector("h1") ?? main;
    target.tabIndex = -1;
    target.focus();
  };
}

onLanguage(() => {
  const wasOpen = header.classList.contains("menu-open");
  skip();
  frame();
  openMenu(wasOpen);
  document.querySelector(".language")?.focus();
  show({ keepFocus: true });
});
session.onSession(() => {
  openMenu(false);
  frame();
  show({ keepFocus: true });
});

// Only what lasts is worth a word: most waits are over before anybody could read it.
let patience = null;
onWaiting((count) => {
  clearTimeout(patience);
  if (count === 0) fill(connection);
  else patience = setTimeout(() => fill(connection, h("p", t("connection.waiting"))), 700);
});

skip();
prepare();
// A server that takes long to say who is here does not keep the pages waiting: they are shown anew when it has.
await Promise.race([session.identify(), sleep(1_500)]);
frame();
await start(main);
