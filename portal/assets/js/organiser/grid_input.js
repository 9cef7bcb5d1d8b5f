// Hands on the grid of a section: click or tap, drag, shift, and the keyboard. Whatever can be dragged can also be done by
// two taps (`twoCorners`) or with shift and the arrow keys.

/** Pixels that a pointer may move and still be a click. */
const STEADY = 4;
/** This near to the edge a drag scrolls. */
const EDGE = 28;

/**
 * Listens on a `GridView`.
 * @param {import("./grid_view.js").GridView} view
 * @param {Object} hands
 * @param {function(Object): void} hands.apply a span (`Geometry.span`), and the place last touched
 * @param {function(): boolean} hands.ranges whether more than one place can be meant at once
 * @param {function(): boolean} hands.twoCorners whether a tap is the first of two corners
 * @param {function(): void} hands.cornerSet the first corner is chosen
 */
export function listen(view, hands) {
  /** The fixed corner of what is being marked. */
  let anchor = null;
  let drag = null;
  let dragged = false;

  const mark = (a, b) => {
    view.marked = hands.ranges() ? view.geometry.span(a, b) : null;
  };
  const finish = (a, b) => {
    const span = view.geometry.span(a, b);
    anchor = null;
    view.marked = null;
    view.active = b;
    hands.apply(span, b);
    view.draw();
  };

  function tap(place, shift) {
    if (hands.ranges() && anchor && (shift || hands.twoCorners())) return finish(anchor, place);
    if (hands.ranges() && shift) return finish(view.active, place);
    if (hands.ranges() && hands.twoCorners()) {
      anchor = place;
      view.active = place;
      mark(place, place);
      view.draw();
      return hands.cornerSet();
    }
    return finish(place, place);
  }

  view.grid.addEventListener("click", (event) => {
    if (dragged) {
      dragged = false;
      return;
    }
    const cell = event.target.closest("[data-number]");
    if (cell) tap({ row: Number(cell.dataset.row), number: Number(cell.dataset.number) }, event.shiftKey);
  });

  view.grid.addEventListener("pointerdown", (event) => {
    dragged = false;
    // A finger scrolls.
    if (event.button !== 0 || event.pointerType === "touch" || event.shiftKey || !hands.ranges()) return;
    drag = { x: event.clientX, y: event.clientY, id: event.pointerId, from: view.at(event.clientX, event.clientY), moving: false };
  });
  view.grid.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    if (!drag.moving) {
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < STEADY) return;
      drag.moving = true;
      view.grid.setPointerCapture(drag.id);
    }
    scrollNearEdge(event);
    mark(drag.from, view.at(event.clientX, event.clientY));
    view.draw();
  });
  const end = (event, done) => {
    if (!drag || event.pointerId !== drag.id) return;
    const { moving, from } = drag;
    drag = null;
    if (!moving) return;
    dragged = true;
    view.marked = null;
    if (done) finish(from, view.at(event.clientX, event.clientY));
    else view.draw();
  };
  view.grid.addEventListener("pointerup", (event) => end(event, true));
  view.grid.addEventListener("pointercancel", (event) => end(event, false));

  function scrollNearEdge({ clientX, clientY }) {
    const box = view.element.getBoundingClientRect();
    const step = (at, low, high) => (at < low + EDGE ? -EDGE : at > high - EDGE ? EDGE : 0);
    view.element.scrollBy(step(clientX, box.left, box.right), step(clientY, box.top, box.bottom));
  }

  view.grid.addEventListener("keydown", (event) => {
    const to = target(event, view);
    if (to) {
      event.preventDefault();
      if (event.shiftKey && hands.ranges()) {
        anchor ??= view.active;
        mark(anchor, to);
      } else if (!hands.twoCorners()) {
        anchor = null;
        view.marked = null;
      } else if (anchor) {
        mark(anchor, to);
      }
      view.activate(to.row, to.number);
    } else if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      if (anchor) finish(anchor, view.active);
      else tap(view.active, false);
    } else if (event.key === "Escape" && (anchor || view.marked)) {
      event.preventDefault();
      anchor = null;
      view.marked = null;
      view.draw();
    }
  });

  return {
    /** Forgets a corner that was chosen. */
    reset() {
      anchor = null;
      view.marked = null;
      view.draw();
    },
  };
}

/** Where a key leads to; null for other keys. The corner of the two headers is not a place. */
function target(event, view) {
  const { rows, seats, size } = view.geometry;
  const { row, number } = view.active;
  const page = Math.max(Math.floor(view.element.clientHeight / size) - 2, 1);
  const lowest = number < 1 ? 0 : -1;
  const first = row < 0 ? 1 : 0;
  const whole = event.ctrlKey || event.metaKey;
  const to = {
    ArrowUp: [row - 1, number],
    ArrowDown: [row + 1, number],
    ArrowLeft: [row, number - 1],
    ArrowRight: [row, number + 1],
    PageUp: [Math.max(row - page, 0), number],
    PageDown: [row + page, number],
    Home: [whole ? 0 : row, Math.max(first, 1)],
    End: [whole ? rows - 1 : row, seats],
  }[event.key];
  if (!to) return null;
  return {
    row: Math.min(Math.max(to[0], lowest), rows - 1),
    number: Math.min(Math.max(to[1], first), seats),
  };
}
