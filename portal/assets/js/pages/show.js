// A show: what it is, what is free, choosing, holding, paying. The parts stand in `show_*.js`; here is how they follow one
// another.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { money, register, t } from "../i18n.js";
import texts from "../i18n/buying_show.js";
import { go, href, show as reopen } from "../router.js";
import { SeatMap } from "../seatmap/model.js";
import { announce, loading, messageOf } from "../ui.js";
import { bestChooser, countChooser, seatChooser } from "./show_choose.js";
import { noteOpen } from "../buyer/open_purchases.js";
import { explain, logIn } from "./show_explain.js";
import { head } from "./show_head.js";
import { heldPanel } from "./show_held.js";
import { againOf, giveBack, hold, pay, reread, wishOf } from "./show_hold.js";
import { followShow } from "./show_live.js";
import { Notes, listed } from "./show_notes.js";
import { closedPanel, selectionPanel } from "./show_panel.js";
import { Visit } from "./show_visit.js";
import * as session from "../session.js";

register(texts);

export default async function page(view, { params, signal }) {
  fill(view, loading());
  const path = `/api/eventos/${params.id}`;
  let answers;
  try {
    answers = await Promise.all([
      get(path, { signal }), get(`${path}/asientos`, { signal, query: { formato: "compacto" } }),
    ]);
  } catch (error) {
    if (error.status !== 404 || signal.aborted) throw error;
    fill(view, h("h1", t("show.missing")), h("p", t("show.missing_more")), h("p", h("a.button", { href: "#/" }, t("nav.back_to_shows"))));
    return;
  }
  const [{ data: show }, { data: seats }] = answers;
  const visit = new Visit(show, show.numerado ? SeatMap.fromCompact(seats) : null);
  const notes = new Notes();
  const desk = new Desk(visit, notes, signal);
  await desk.resume();
  if (signal.aborted) return;
  fill(view, h("article.show", head(visit), notes.element, desk.element));
  followShow(visit, { signal, onOther: () => reopen({ keepFocus: true }) });
}

/** Where one chooses and pays. */
class Desk {
  element = h("div.show-desk");
  #side = h("div.show-side");
  #held = null;
  #shown = null;

  constructor(visit, notes, signal) {
    this.visit = visit;
    this.notes = notes;
    this.signal = signal;
    this.title = h("h2");
    this.chooser = visit.numbered ? h("div.show-main", this.title,
      (this.best = bestChooser(visit, () => this.#hold(wishOf(visit, { best: true })))), seatChooser(visit, notes, signal)) : null;
    visit.on("mode", () => this.#draw());
    visit.on("lost", (names) => this.#lost(names));
    signal.addEventListener("abort", () => this.#held?.stop());
    // Another machine's sleep, a clock that was set: when somebody looks again, the server is asked what still holds.
    document.addEventListener("visibilitychange", () => !document.hidden && this.#recheck(), { signal });
  }

  /** Takes up what was there before a reload, another language, or logging in. */
  async resume() {
    const { visit } = this;
    const kept = visit.keptHold();
    if (kept && (await this.#finishPaying(kept))) return;
    if (kept && visit.keptHold()) {
      const state = await reread(visit, kept, this.signal);
      if (state === "over") this.#timeIsUp(kept);
      if (state === "sold") this.#bought();
      if (state === "unknown") visit.held(kept, null);
    } else if (visit.heldByStranger()) {
      this.notes.show("held", "info", t("show.held_log_in"), {
        link: [t("nav.login"), href("/entrar", { volver: `/evento/${visit.show.evento_id}` })],
      });
    }
    await this.#finishHolding();
    const lost = visit.resume();
    if (lost.length > 0) this.#lost(lost);
    this.#draw();
  }

  /** A payment whose answer never came is asked for again: under the same key, so it is done once. True when it is. */
  async #finishPaying(kept) {
    const { paying } = this.visit.kept.get();
    if (paying?.body.bloqueo_id !== kept.bloqueo_id) return false;
    this.visit.hold = kept;
    try {
      return await this.#pay(paying.body.pago.token);
    } catch (error) {
      this.notes.show("hold", "bad", messageOf(error));
      return false;
    } finally {
      this.visit.hold = null;
    }
  }

  /** The same for a hold. */
  async #finishHolding() {
    const { holding } = this.visit.kept.get();
    if (!holding || this.visit.hold || holding.body.usuario_id !== session.current().userId) return;
    const { usuario_id: _, ...wish } = holding.body;
    await this.#hold(wish);
  }

  #draw() {
    const { visit } = this;
    const shown = visit.mode === "held" ? visit.hold : visit.mode;
    if (shown === this.#shown) return;
    const first = this.#shown === null;
    this.#shown = shown;
    this.#held?.stop();
    this.#held = null;
    if (this.best) this.best.hidden = visit.mode !== "choosing";
    this.title.textContent = t(visit.mode === "choosing" ? "show.choose" : "show.room");
    const focused = this.#side.contains(document.activeElement);
    const parts = this.#parts();
    fill(this.#side, parts.panel, parts.bar);
    // Paying comes first where there is only one column.
    fill(this.element, visit.mode === "choosing" ? [this.chooser, this.#side] : [this.#side, this.chooser]);
    this.element.classList.toggle("alone", !this.chooser);
    if (first) return;
    if (visit.mode === "closed") {
      announce(t(`show.closed_title.${visit.show.estado}`), true);
    }
    if (focused || visit.mode === "held") {
      const title = this.#side.querySelector("h2");
      title.tabIndex = -1;
      title.focus();
    }
  }

  #parts() {
    const { visit } = this;
    if (visit.mode === "closed") return closedPanel(visit);
    if (visit.mode === "choosing") {
      return selectionPanel(visit, visit.numbered ? null : countChooser(visit), () => this.#hold(wishOf(visit)));
    }
    this.#held = heldPanel(visit, {
      onPay: (token) => this.#pay(token),
      onGiveBack: () => this.#giveBack(),
      onOver: () => this.#recheck(true),
    });
    return this.#held;
  }

  #lost(names) {
    const left = this.visit.selected.size;
    this.notes.show("lost", "warning", [t("show.lost", { n: names.length, names: listed(names) }),
      left > 0 ? t("show.lost_rest", { n: left }) : ""].filter(Boolean).join(" "));
  }

  /** Holds what is wished, or says why not and what else can be done. */
  async #hold(wish) {
    const { visit, notes } = this;
    notes.clear();
    if (!session.loggedIn()) {
      await logIn(visit);
      return;
    }
    try {
      const held = await hold(visit, wish);
      announce(t("show.held_said", { n: held.cantidad, total: money(held.monto_total, held.moneda), minutes: Math.round((visit.deadline - Date.now()) / 60_000) }), true);
    } catch (error) {
      if (this.signal.aborted) return;
      await explain(error, { visit, notes, wish, again: (other) => this.#hold(other) });
    }
  }

  /** True when the reservation exists; its page shows what becomes of it. */
  async #pay(token) {
    const { visit } = this;
    try {
      const reservation = await pay(visit, token);
      this.#held?.stop();
      visit.over({ paid: true });
      noteOpen(reservation);
      // Whoever has gone elsewhere meanwhile finds it among their purchases.
      if (!this.signal.aborted) go(`/compra/${reservation}`, { nueva: 1 });
      return true;
    } catch (error) {
      if (error.code === "BLOQUEO_VENCIDO" || error.code === "BLOQUEO_NO_ENCONTRADO") this.#timeIsUp(visit.hold);
      else if (error.code === "BLOQUEO_EN_USO") this.#bought();
      else throw error;
      return false;
    }
  }

  #bought() {
    this.visit.over({ paid: true });
    this.notes.show("bought", "info", t("show.already_bought"), { link: [t("nav.purchases"), "#/mis-compras"] });
  }

  async #giveBack() {
    try {
      await giveBack(this.visit);
      announce(t("show.given_back"));
    } catch (error) {
      if (error.code !== "BLOQUEO_NO_ENCONTRADO") throw error;
      this.visit.over();
    }
  }

  /** Asks what became of the hold. `late`: its time is up by this clock. */
  async #recheck(late = false) {
    const { visit } = this;
    const { hold: was } = visit;
    if (!was) return;
    const state = await reread(visit, was, this.signal).catch(() => "unknown");
    if (this.signal.aborted || visit.hold?.bloqueo_id !== was.bloqueo_id) return;
    if (state === "over" || (late && state === "unknown")) this.#timeIsUp(was);
    if (state === "sold") this.#bought();
  }

  #timeIsUp(was) {
    const { visit, notes } = this;
    visit.over();
    notes.show("over", "warning", t("show.time_is_up", { n: was.cantidad, names: listed(was.asientos ?? []) }), {
      action: [t("show.hold_again"), async () => {
        const wish = againOf(visit, was);
        if (wish.asientos?.length === 0) notes.show("over", "warning", t("show.all_gone"));
        else await this.#hold(wish);
      }],
    });
  }
}
