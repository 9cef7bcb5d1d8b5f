// The time slider: one step is one event. Moves with the keyboard, by buttons, by itself, to a time or to a position.

import { h } from "../dom.js";
import { number, t } from "../i18n.js";
import { announce, field } from "../ui.js";

/** How many events PageUp and PageDown go. */
const PAGE = 50;
/** Playing takes so long from end to end, unless there are few events: then each is seen for a while. */
const WHOLE_MS = 30_000;
const EACH_MS = 400;
/** Whoever wants less motion sees a new state once in this time, and no other. */
const CALM_MS = 1_500;

/**
 * @param {{words: (index: number) => string, onMove: (index: number) => void, onTime: (ms: number) => number,
 *   onPosition: (position: number) => number, signal: AbortSignal}} options `words` says an event for a screen reader;
 *   `onTime` and `onPosition` find the event at a moment, -1 for one before the first
 * @returns {{element, jumps, set(index), setLength(count), at(): number, stop()}}
 */
export function timeSlider({ words, onMove, onTime, onPosition, signal }) {
  let length = 1;
  let playing = null;
  let cancelNext = () => {};

  const range = h("input.audit-range", { type: "range", min: "0", max: "0", step: "1", value: "0", "aria-label": t("audit.slider.label") });
  const where = h("p.audit-where", { "aria-hidden": "true" });
  const button = (key, sign, act) => h("button.audit-step", { type: "button", title: t(key), "aria-label": t(key), on: { click: act } },
    h("span", { "aria-hidden": "true" }, sign));
  const by = (step) => () => {
    stop();
    go(at() + step);
    announce(words(at()));
  };
  const playSign = h("span", { "aria-hidden": "true" });
  const playWord = h("span.audit-play-word");
  const play = h("button.audit-play", { type: "button", on: { click: () => (playing === null ? start() : stop()) } }, playSign, playWord);
  const buttons = {
    first: button("audit.slider.first", "«", by(-Infinity)), previous: button("audit.slider.previous", "‹", by(-1)),
    next: button("audit.slider.next", "›", by(1)), last: button("audit.slider.last", "»", by(Infinity)),
  };
  const notFound = h("p.field-error", { role: "alert", hidden: true });
  const element = h("div.audit-slider.card", { role: "group", "aria-label": t("audit.slider.title") },
    range, where, h("div.audit-keys", buttons.first, buttons.previous, buttons.next, buttons.last, play));
  const jumps = h("div.audit-jumps", jump("time", timeInput(), (value) => onTime(new Date(value).getTime())),
    jump("position", positionInput(), onPosition), notFound);

  range.addEventListener("input", () => {
    stop();
    moved();
  });
  range.addEventListener("keydown", (event) => {
    const step = { PageUp: PAGE, PageDown: -PAGE }[event.key];
    if (step === undefined) return;
    // The browser's own step would be a tenth of everything.
    event.preventDefault();
    stop();
    go(at() + step);
  });
  signal.addEventListener("abort", stop, { once: true });
  label();

  function timeInput() {
    return h("input", { type: "datetime-local", step: "0.001", required: true });
  }

  function positionInput() {
    return h("input", { type: "text", inputmode: "numeric", pattern: "[0-9]+", required: true, autocomplete: "off" });
  }

  function jump(name, control, find) {
    const labelled = field(t(`audit.slider.${name}`), control);
    const send = h("button", { type: "submit" }, t("audit.slider.go"));
    return h("form.audit-jump-form", {
      novalidate: true,
      on: {
        submit: (event) => {
          event.preventDefault();
          const value = name === "position" ? (/^\d{1,15}$/.test(control.value.trim()) ? Number(control.value) : NaN) : control.value;
          const bad = name === "position" ? Number.isNaN(value) : !value;
          labelled.setError(bad ? t(`audit.slider.${name}_bad`) : null);
          if (bad) return control.focus();
          stop();
          const index = find(value);
          notFound.hidden = index >= 0;
          notFound.textContent = index < 0 ? t("audit.slider.before") : "";
          go(Math.max(0, index));
          announce(words(at()));
        },
      },
    }, labelled, send);
  }

  function at() {
    return Number(range.value);
  }

  function go(index) {
    range.value = String(Math.min(Math.max(index, 0), length - 1));
    moved();
  }

  function moved() {
    label();
    onMove(at());
  }

  function label() {
    range.setAttribute("aria-valuetext", length > 0 ? words(at()) : "");
    where.textContent = t("audit.slider.where", { n: number(at() + 1), of: number(length) });
    // Not `disabled`: whoever has just come to an end would lose the focus.
    for (const one of [buttons.first, buttons.previous]) one.setAttribute("aria-disabled", String(at() <= 0));
    for (const one of [buttons.next, buttons.last]) one.setAttribute("aria-disabled", String(at() >= length - 1));
    playSign.textContent = playing === null ? "▶" : "❚❚";
    playWord.textContent = t(playing === null ? "audit.slider.play" : "audit.slider.pause");
  }

  function start() {
    if (at() >= length - 1) go(0);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const begun = { at: at(), time: performance.now() };
    const each = calm ? CALM_MS : Math.min(EACH_MS, WHOLE_MS / length);
    const stride = calm ? Math.max(1, Math.ceil((length * CALM_MS) / WHOLE_MS)) : 1;
    const tick = () => {
      const steps = Math.floor((performance.now() - begun.time) / each) * stride;
      if (begun.at + steps !== at()) go(begun.at + steps);
      if (at() >= length - 1) stop();
      else if (calm) {
        const next = (playing = setTimeout(tick, CALM_MS));
        cancelNext = () => clearTimeout(next);
      } else {
        const next = (playing = requestAnimationFrame(tick));
        cancelNext = () => cancelAnimationFrame(next);
      }
    };
    playing = -1;
    tick();
    label();
  }

  function stop() {
    if (playing === null) return;
    cancelNext();
    playing = null;
    if (signal.aborted) return;
    label();
    announce(words(at()));
  }

  return {
    element,
    jumps,
    at,
    stop,
    set: go,
    setLength(count) {
      length = count;
      range.max = String(Math.max(0, count - 1));
      label();
    },
  };
}
