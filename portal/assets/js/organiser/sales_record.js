// What happened to a show's sales since its page was first opened in this tab; another language or a step to another page
// and back goes on with it.

/** Points in time that are kept; more are thinned out. */
const MOST_POINTS = 600;

const records = new Map();

/** The record of a show; begun when there is none. */
export function recordOf(id, sold) {
  if (!records.has(id)) records.set(id, new SalesRecord(sold));
  return records.get(id);
}

class SalesRecord {
  constructor(sold) {
    this.openedAt = Date.now();
    this.first = sold;
    this.points = [{ at: this.openedAt, sold }];
    this.lastSaleAt = null;
    this.changedAt = this.openedAt;
    /** Grows with every change. */
    this.version = 0;
  }

  /** Notes how many are sold now. */
  take(sold, now = Date.now()) {
    const last = this.points.at(-1);
    if (last.sold === sold) return;
    if (sold > last.sold) this.lastSaleAt = now;
    this.changedAt = now;
    this.version += 1;
    // Within a second only the outcome counts.
    if (this.points.length > 1 && now - last.at < 1_000) this.points[this.points.length - 1] = { at: last.at, sold };
    else this.points.push({ at: now, sold });
    if (this.points.length > MOST_POINTS) this.points = this.points.filter((_, index) => index % 2 === 0 || index === this.points.length - 1);
  }

  /** Rows for a table: `{at, sold, change}`, at most so many, the latest first; each stands for an equal stretch of time. */
  rows(most, now = Date.now()) {
    const stretch = Math.max(Math.ceil((now - this.openedAt) / most / 10_000) * 10_000, 10_000);
    const rows = [];
    let before = this.first;
    for (const { at, sold } of this.points.slice(1)) {
      const end = this.openedAt + Math.ceil((at - this.openedAt + 1) / stretch) * stretch;
      const row = rows.at(-1)?.end === end ? rows.pop() : { end, from: before };
      rows.push({ ...row, at: Math.min(end, now), sold, change: sold - row.from });
      before = sold;
    }
    return rows.reverse();
  }
}
