// The seat map as one sees it: a canvas with its controls, legend and tooltip. Shared by the show's page, the
// organiser's preview and the auditor's look at the past.

import { h, uid } from "../dom.js";
import { t } from "../i18n.js";
import { announce } from "../ui.js";
import { Camera } from "./camera.js";
import { Cursor } from "./cursor.js";
import { NEAR, Renderer } from "./draw.js";
import { gestures } from "./gestures.js";
import { cornerOf, layOut, placeAt, sectionAt } from "./layout.js";
import { legend } from "./legend.js";
import { NONE } from "./model.js";
import { onLook, readPalette } from "./palette.js";
import { Tiles } from "./tiles.js";
import { Tooltip } from "./tooltip.js";
import { kindOf, seatSentence, sectionSentence, seatWords } from "./words.js";

/** The size of a seat (CSS pixels) that a press on something far away comes closer to. */
const CLOSE = 26;

/**
 * @param {Object} options
 * @param {import("./model.js").SeatMap} options.map
 * @param {string} options.currency ISO 4217
 * @param {Set<number>} [options.selected] chosen seats; live: change it, then call `refresh`
 * @param {Set<number>} [options.own] seats that are the reader's already; live, too
 * @param {(index: number) => void} [options.onToggle] a seat that is free or chosen was pressed
 * @param {boolean} [options.readOnly] nothing can be pressed
 * @param {boolean} [options.editing] every place can be pressed, also one without a seat, which is then shown
 * @param {string} options.label what the map is called for a screen reader
 * @returns {{element, refresh(changedIndices?: number[]), focusSection(index), setReadOnly(boolean), setMap(map), destroy()}}
 */
export function seatMapView({ map, currency, selected = new Set(), own, onToggle = () => {}, readOnly = false, editing = false, label }) {
  const ended = new AbortController();
  const { signal } = ended;
  const instructions = h("p.seatmap-keys", { id: uid("keys") });
  const canvas = h("canvas.seatmap-canvas", {
    tabindex: "0", role: "application", "aria-label": label, "aria-describedby": instructions.id,
  }, t("seatmap.fallback"));
  const probe = h("span.seatmap-probe", { "aria-hidden": "true" });
  const tooltip = new Tooltip();
  const button = (name, sign, act) =>
    h("button", { type: "button", "aria-label": t(name), title: t(name), on: { click: act } }, h("span", { "aria-hidden": "true" }, sign));
  const buttons = {
    closer: button("seatmap.zoom_in", "+", () => camera.show(...centre(), camera.k * 1.7)),
    further: button("seatmap.zoom_out", "−", () => camera.show(...centre(), camera.k / 1.7)),
    all: button("seatmap.fit", "⤢", () => camera.fit()),
  };
  const pad = h("div.seatmap-stage", canvas, tooltip.element);
  const key = legend({ own: own !== undefined, selectable: !readOnly, editing });
  const foot = h("div.seatmap-foot", key.element, h("div.seatmap-zoom", Object.values(buttons)));
  const element = h("div.seatmap", probe, pad, foot, instructions);

  const context = canvas.getContext("2d", { alpha: false });
  const renderer = new Renderer(context);
  const camera = new Camera(() => {
    pad.classList.toggle("whole", camera.atFit);
    buttons.closer.disabled = camera.atLargest;
    buttons.further.disabled = camera.atFit;
    tooltip.hide();
    invalidate();
  });
  const scene = {
    map, camera, currency, selected, own, editing, cursor: -1, hover: -1,
    layout: null, tiles: null, palette: null, density: 1, font: "sans-serif",
  };
  let cursor = null;
  let aspect = 0;
  let [frame, drawn] = [0, null];
  say();

  function say() {
    instructions.textContent = t(readOnly ? "seatmap.instructions_read_only" : "seatmap.instructions");
  }

  const invalidate = () => {
    if (frame || signal.aborted || !scene.layout) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      renderer.draw(scene);
      if (!drawn) drawn = performance.mark("seatmap-drawn");
    });
  };

  function look() {
    scene.palette = readPalette(probe);
    scene.font = getComputedStyle(element).fontFamily;
    scene.density = devicePixelRatio || 1;
    scene.tiles?.clear(scene.palette);
    renderer.forget();
    key.draw(scene);
    measure();
  }

  /** The canvas has another size: as wide as there is room, as high as is needed, up to what the style sheet allows. */
  function measure() {
    const width = pad.clientWidth;
    const most = parseFloat(getComputedStyle(pad).maxHeight);
    if (width === 0 || !(most > 0) || !scene.palette) return;
    // Another arrangement only for a really different window: nobody likes to search anew.
    if (!scene.layout || Math.abs(Math.log(width / most / aspect)) > 0.3) {
      aspect = width / most;
      arrange();
    }
    pad.style.height = `${Math.ceil(camera.heightFor(width, most, scene.layout))}px`;
    const height = pad.clientHeight;
    const [across, down] = [Math.round(width * scene.density), Math.round(height * scene.density)];
    if (canvas.width !== across || canvas.height !== down) {
      canvas.width = across;
      canvas.height = down;
    }
    camera.resize({ width, height }, scene.layout);
  }

  function arrange() {
    const at = cursor?.index ?? -1;
    scene.layout = layOut(scene.map, aspect);
    scene.tiles = new Tiles(scene.map, scene.layout, editing);
    scene.tiles.clear(scene.palette);
    cursor = new Cursor(scene.map, scene.layout, () => editing);
    if (at < scene.map.length) cursor.index = at;
  }

  const centre = () => {
    const middle = camera.toUnits(camera.window.width / 2, camera.window.height / 2);
    return [middle.x, middle.y];
  };
  const kind = (index) => kindOf(scene.map, index, selected, own);
  const isPlace = (index) => index >= 0 && (editing || scene.map.states[index] !== NONE);

  function toggle(index) {
    const what = kind(index);
    if (readOnly) return;
    if (editing || what === "free" || what === "selected") onToggle(index);
    else if (what !== "own") announce(t("seatmap.taken", { seat: seatWords(scene.map, index) }), true);
  }

  /** The place at a position in the window, -1 for none; `near` also takes what is next to it. */
  function pick(x, y, near = false) {
    const point = camera.toUnits(x, y);
    const exact = placeAt(scene.map, scene.layout, point.x, point.y);
    if (isPlace(exact) || !near) return isPlace(exact) ? exact : -1;
    const aside = Math.min(0.8, 14 / camera.k);
    for (const [dx, dy] of [[-1, 0], [1, 0], [0, -1], [0, 1]]) {
      const other = placeAt(scene.map, scene.layout, point.x + dx * aside, point.y + dy * aside);
      if (isPlace(other)) return other;
    }
    return -1;
  }

  function showTooltip(index, sectionIndex = -1) {
    if (index >= 0) tooltip.seat(scene, index, kind(index));
    else if (sectionIndex >= 0) tooltip.section(scene, sectionIndex);
    else tooltip.hide();
  }

  function hover(x, y) {
    if (!scene.layout) return;
    const index = camera.k >= NEAR ? pick(x, y) : -1;
    const point = camera.toUnits(x, y);
    const section = camera.k < NEAR ? sectionAt(scene.layout, point.x, point.y) : -1;
    if (index !== scene.hover) {
      scene.hover = index;
      invalidate();
    }
    pad.classList.toggle("pointing", section >= 0 || (index >= 0 && !readOnly && ["free", "selected"].includes(kind(index))));
    showTooltip(index, section);
  }

  gestures(canvas, camera, {
    onHover: hover,
    onLeave() {
      tooltip.hide();
      pad.classList.remove("pointing");
      if (scene.hover < 0) return;
      scene.hover = -1;
      invalidate();
    },
    onPress(x, y, touch) {
      if (!scene.layout) return;
      scene.cursor = -1;
      if (camera.k < NEAR) {
        const point = camera.toUnits(x, y);
        if (sectionAt(scene.layout, point.x, point.y) >= 0) camera.show(point.x, point.y, CLOSE);
        return;
      }
      const index = pick(x, y, touch);
      if (index < 0) {
        tooltip.hide();
        return;
      }
      cursor.index = index;
      toggle(index);
      showTooltip(index);
      invalidate();
    },
  }, signal);

  /** Brings the cursor into sight and says where it is. */
  function arrived(entered) {
    scene.cursor = cursor.index;
    const corner = cornerOf(scene.map, scene.layout, cursor.index);
    if (camera.k < NEAR) camera.show(corner.x + 0.5, corner.y + 0.5, CLOSE);
    else camera.reveal(corner.x, corner.y, 1, 1, Math.min(64, camera.window.width / 4, camera.window.height / 4));
    invalidate();
    showTooltip(cursor.index);
    const seat = seatSentence(scene.map, cursor.index, currency, kind(cursor.index));
    announce(entered ? `${sectionSentence(scene.map, scene.map.sectionOf(cursor.index), currency)}. ${seat}` : seat);
  }

  const KEYS = {
    ArrowLeft: () => cursor.along(-1), ArrowRight: () => cursor.along(1),
    ArrowUp: () => cursor.across(-1), ArrowDown: () => cursor.across(1),
    PageUp: () => cursor.section(-1), PageDown: () => cursor.section(1),
    Home: () => cursor.edge(false), End: () => cursor.edge(true),
  };
  const PANS = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] };

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !scene.layout) return;
    if (event.shiftKey && PANS[event.key]) camera.pan(...PANS[event.key]);
    else if (KEYS[event.key]) moveCursor(KEYS[event.key]);
    else if (event.key === "Enter" || event.key === " ") pressCursor(event.repeat);
    else if (event.key === "+" || event.key === "=") buttons.closer.click();
    else if (event.key === "-") buttons.further.click();
    else if (event.key === "0") camera.fit();
    else if (event.key === "Escape" && tooltip.shown) tooltip.hide();
    else return;
    event.preventDefault();
  }, { signal });

  function moveCursor(move) {
    const shown = scene.cursor >= 0;
    cursor.begin();
    if (cursor.index < 0) return;
    const before = scene.map.sectionOf(cursor.index);
    // The first key only shows where one is.
    if (shown) move();
    arrived(!shown || scene.map.sectionOf(cursor.index) !== before);
  }

  function pressCursor(repeated) {
    if (repeated) return;
    if (scene.cursor < 0) {
      moveCursor(() => {});
      return;
    }
    toggle(cursor.index);
    showTooltip(cursor.index);
    invalidate();
  }

  canvas.addEventListener("blur", () => {
    scene.cursor = -1;
    tooltip.hide();
    invalidate();
  }, { signal });

  onLook(look, signal);
  const observer = new ResizeObserver(() => (scene.palette ? measure() : look()));
  observer.observe(pad);

  return {
    element,
    refresh(changed) {
      if (changed) scene.tiles?.change(changed);
      else scene.tiles?.clear(scene.palette);
      invalidate();
      if (tooltip.shown && scene.hover >= 0) showTooltip(scene.hover);
    },
    focusSection(index) {
      const box = scene.layout?.sections[index];
      if (!box) return;
      const whole = Math.min(camera.window.width / (box.width + 4), camera.window.height / (box.height + 4));
      camera.show(box.x + box.width / 2, box.y + box.height / 2, Math.max(whole, NEAR));
      cursor.intoSection(index);
    },
    setReadOnly(value) {
      readOnly = value;
      say();
    },
    setMap(other) {
      scene.map = other;
      scene.hover = -1;
      scene.cursor = -1;
      if (cursor) cursor.index = -1;
      if (!scene.palette || !aspect) return;
      arrange();
      measure();
      camera.fit();
    },
    destroy() {
      ended.abort();
      observer.disconnect();
      camera.stop();
      cancelAnimationFrame(frame);
    },
  };
}
