// Mouse, fingers and wheel on the map: drag to pan, wheel or two fingers to zoom, a press on one place to pick it.

/** A pointer that moves less than this (CSS pixels) is a press. */
const STILL = 7;
/** A wheel that was scrolling the page goes on doing so when the map comes under it. */
const SAME_SCROLL_MS = 300;

/**
 * @param {HTMLElement} element
 * @param {import("./camera.js").Camera} camera
 * @param {{onPress(x, y, touch), onHover(x, y) , onLeave()}} listeners with positions in the element
 */
export function gestures(element, camera, { onPress, onHover, onLeave }, signal) {
  const fingers = new Map();
  let began = null;
  let moved = false;

  const at = (event) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left - element.clientLeft, y: event.clientY - box.top - element.clientTop };
  };
  const listen = (type, listener, options = {}) => element.addEventListener(type, listener, { signal, ...options });

  listen("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    const point = at(event);
    fingers.set(event.pointerId, point);
    if (fingers.size === 1) {
      began = point;
      moved = false;
    } else {
      moved = true;
    }
    camera.stop();
  });

  listen("pointermove", (event) => {
    const point = at(event);
    const before = fingers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") onHover(point.x, point.y);
      return;
    }
    if (!moved && Math.hypot(point.x - began.x, point.y - began.y) < STILL) return;
    if (!moved) {
      moved = true;
      // Only now: a press must stay a click of the element itself.
      element.setPointerCapture(event.pointerId);
      element.classList.add("panning");
      onLeave();
    }
    if (fingers.size === 1) {
      camera.pan(point.x - before.x, point.y - before.y);
    } else {
      const [, other] = [...fingers].find(([id]) => id !== event.pointerId);
      const [was, is] = [distance(before, other), distance(point, other)];
      if (was > 8) camera.zoom(is / was, (point.x + other.x) / 2, (point.y + other.y) / 2);
      camera.pan((point.x - before.x) / 2, (point.y - before.y) / 2);
    }
    fingers.set(event.pointerId, point);
  });

  const end = (event) => {
    const known = fingers.delete(event.pointerId);
    if (fingers.size === 0) element.classList.remove("panning");
    if (!known || moved || event.type !== "pointerup") return;
    const point = at(event);
    onPress(point.x, point.y, event.pointerType !== "mouse");
  };
  listen("pointerup", end);
  listen("pointercancel", end);
  listen("pointerleave", (event) => {
    if (!fingers.has(event.pointerId)) onLeave();
  });

  let elsewhere = -Infinity;
  addEventListener("wheel", (event) => {
    if (!element.contains(event.target)) elsewhere = event.timeStamp;
  }, { signal, passive: true });
  listen("wheel", (event) => {
    if (event.timeStamp - elsewhere < SAME_SCROLL_MS && !event.ctrlKey) {
      elsewhere = event.timeStamp;
      return;
    }
    // When all is in sight, scrolling on is meant for the page.
    if (event.deltaY > 0 && camera.atFit && !event.ctrlKey) return;
    event.preventDefault();
    const { x, y } = at(event);
    if (event.shiftKey) {
      camera.pan(-event.deltaY - event.deltaX, 0);
      return;
    }
    const lines = event.deltaMode === 1 ? 30 : event.deltaMode === 2 ? 300 : 1;
    const turn = Math.max(-240, Math.min(240, event.deltaY * lines)) * (event.ctrlKey ? 4 : 1);
    camera.zoom(Math.exp(-turn / 420), x, y);
  }, { passive: false });
}

const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
