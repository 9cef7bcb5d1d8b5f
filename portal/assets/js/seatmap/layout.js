// Where everything is: the stage on top, below it the sections in their order, wrapped into shelves so that the whole
// fits the window best. One unit is the distance from one seat to the next. An aisle is as wide as a seat, so that every
// section is a grid of whole units, which is what lets it be drawn from a picture (`tiles.js`).

/** Room beside a section's seats for the letters of its rows, and above them for its name. */
export const SIDE = 2;
export const HEAD = 2.4;
const BETWEEN = 2;
/** The stage's height: of the whole, and at least. */
const STAGE_PART = 0.05;
const STAGE = 1.7;

/**
 * @param {import("./model.js").SeatMap} map
 * @param {number} aspect width by height of the window
 * @returns {{width, height, stage: {x, y, width, height}, sections: Place[]}} a place is
 *   `{x, y, width, height, columns, columnOf, seatAt}`: its seats begin at x, y; `columnOf[i]` is the column of the row's
 *   seat i (from 0), `seatAt[column]` the opposite, -1 for an aisle
 */
export function layOut(map, aspect) {
  const plans = new Map();
  const boxes = map.sections.map((section) => {
    const key = `${section.seatsPerRow}|${section.aisles}`;
    let plan = plans.get(key);
    if (!plan) plans.set(key, (plan = columns(section)));
    return { ...plan, width: plan.columns, height: section.rows, outerWidth: plan.columns + 2 * SIDE, outerHeight: section.rows + HEAD };
  });
  const widest = boxes.reduce((most, box) => Math.max(most, box.outerWidth), 1);
  const area = boxes.reduce((sum, box) => sum + (box.outerWidth + BETWEEN) * (box.outerHeight + BETWEEN), 0);
  let best = null;
  for (let step = 6; step <= 20; step += 1) {
    const limit = Math.max(widest, (Math.sqrt(area * aspect) * step) / 10);
    const shelves = wrap(boxes, limit);
    const width = Math.max(...shelves.map((shelf) => shelf.width), 1);
    const seats = shelves.reduce((sum, shelf) => sum + shelf.height + BETWEEN, BETWEEN);
    const stage = Math.max(STAGE, seats * STAGE_PART);
    const height = stage + seats + 1;
    const scale = Math.min(aspect / width, 1 / height);
    if (!best || scale > best.scale * 1.001) best = { shelves, width, stage, scale };
  }
  const width = best.width + 2;
  let y = best.stage + 1 + BETWEEN;
  for (const shelf of best.shelves) {
    let x = (width - shelf.width) / 2;
    for (const box of shelf.boxes) {
      box.x = x + SIDE;
      box.y = y + HEAD;
      x += box.outerWidth + BETWEEN;
    }
    y += shelf.height + BETWEEN;
  }
  const stageWidth = Math.min(width * 0.6, Math.max(width * 0.4, 12));
  return {
    width,
    height: y,
    stage: { x: (width - stageWidth) / 2, y: 0.8, width: stageWidth, height: best.stage },
    sections: boxes,
  };
}

function wrap(boxes, limit) {
  const shelves = [];
  let shelf = null;
  for (const box of boxes) {
    if (!shelf || shelf.width + BETWEEN + box.outerWidth > limit) {
      shelves.push((shelf = { boxes: [], width: -BETWEEN, height: 0 }));
    }
    shelf.boxes.push(box);
    shelf.width += BETWEEN + box.outerWidth;
    shelf.height = Math.max(shelf.height, box.outerHeight);
  }
  return shelves;
}

function columns({ seatsPerRow, aisles }) {
  const columnOf = new Uint32Array(seatsPerRow);
  const inside = aisles.filter((after) => after >= 1 && after < seatsPerRow);
  const seatAt = new Int32Array(seatsPerRow + inside.length).fill(-1);
  let passed = 0;
  for (let seat = 0; seat < seatsPerRow; seat += 1) {
    while (passed < inside.length && inside[passed] <= seat) passed += 1;
    columnOf[seat] = seat + passed;
    seatAt[seat + passed] = seat;
  }
  return { columns: seatAt.length, columnOf, seatAt };
}

/** The place (index) at a point in units, or -1. */
export function placeAt(map, layout, x, y) {
  for (let i = 0; i < layout.sections.length; i += 1) {
    const box = layout.sections[i];
    if (x < box.x || y < box.y || x >= box.x + box.width || y >= box.y + box.height) continue;
    const seat = box.seatAt[Math.floor(x - box.x)];
    if (seat < 0) return -1;
    const section = map.sections[i];
    return section.first + Math.floor(y - box.y) * section.seatsPerRow + seat;
  }
  return -1;
}

/** The section at a point in units, its name and row letters included; -1 when there is none. */
export function sectionAt(layout, x, y) {
  return layout.sections.findIndex((box) =>
    x >= box.x - SIDE && x < box.x + box.width + SIDE && y >= box.y - HEAD && y < box.y + box.height);
}

/** The upper left corner of a place, in units. */
export function cornerOf(map, layout, index) {
  const { sectionIndex, row, number } = map.placeOf(index);
  const box = layout.sections[sectionIndex];
  return { x: box.x + box.columnOf[number - 1], y: box.y + row };
}
