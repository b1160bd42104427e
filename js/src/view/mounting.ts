/** Which rows of a long list are mounted, how high what is not stands in for it, and where the list is when nothing may move. */

export interface Row {
  readonly key: string;
  /** About how high it is, until it has been measured. */
  readonly guess: number;
  /** Whether it stays mounted wherever the person is. */
  readonly pinned: boolean;
}

/** A mounted row, or the rows between two of them. */
export type Segment =
  | { readonly kind: "row"; readonly index: number }
  | { readonly kind: "gap"; readonly from: number; readonly to: number; readonly height: number };

/** The row at the top of what is seen, and how far of it is above. */
interface Anchor {
  readonly key: string;
  readonly index: number;
  readonly offset: number;
}

/** Guesses are corrected by what was measured when so many rows were, and twice as many, and so on. */
const FIRST_CORRECTION = 8;

/**
 * All positions are pixels from the top of the first row. The anchor stays where it is on the screen, whatever is measured,
 * joins or leaves: `top` then says where the list has to be scrolled.
 *
 * @example
 * const mounting = new Mounting(14);
 * mounting.rows = messages.map(({ id }) => ({ key: id, guess: 80, pinned: false }));
 * mounting.scrolled(12_000);
 * mounting.segments(600, 600); // the rows from 11,400 to 13,200, and two gaps
 */
export class Mounting {
  /** Between two rows. */
  readonly gap: number;
  #rows: readonly Row[] = [];
  readonly #heights = new Map<string, number>();
  #tops: Float64Array | null = null;
  #anchor: Anchor | null = null;
  /** How much higher rows are than was guessed. */
  #ratio = 1;
  #corrected = 0;

  constructor(gap: number) {
    this.gap = gap;
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** The row at the top of what is seen may have gone: then the one in its place stays. */
  set rows(rows: readonly Row[]) {
    this.#rows = rows;
    this.#tops = null;
    const anchor = this.#anchor;
    if (anchor === null || rows[anchor.index]?.key === anchor.key) return;
    const found = rows.findIndex(({ key }) => key === anchor.key);
    const index = found === -1 ? Math.min(anchor.index, rows.length - 1) : found;
    const key = rows[index]?.key;
    this.#anchor = key === undefined ? null : { key, index, offset: anchor.offset };
  }

  /** Remembers how high a mounted row is. Returns whether that is news. */
  measured(key: string, height: number): boolean {
    if (this.#heights.get(key) === height) return false;
    this.#heights.set(key, height);
    this.#tops = null;
    return true;
  }

  /** The list has another width: only what is mounted is as high as was measured. */
  forget(mounted: ReadonlySet<string>): void {
    for (const key of this.#heights.keys()) if (!mounted.has(key)) this.#heights.delete(key);
    this.#tops = null;
  }

  /** The person, or the browser, has scrolled. */
  scrolled(top: number): void {
    const index = this.#at(top);
    const key = this.#rows[index]?.key;
    this.#anchor = key === undefined ? null : { key, index, offset: top - this.top(index) };
  }

  /** Where a row begins; by default where the list has to be scrolled so that the anchor is where it was. */
  top(index?: number): number {
    if (index !== undefined) return this.#measure()[index] ?? 0;
    if (this.#anchor === null) return 0;
    const { index: at, offset } = this.#anchor;
    // It may have become shorter than what was above.
    return Math.min(this.top(at) + offset, this.top(at + 1));
  }

  /** The height of all rows. */
  get height(): number {
    return Math.max(0, this.top(this.#rows.length) - this.gap);
  }

  /** The rows within `margin` of what is seen, the pinned ones, and what stands in for the others. */
  segments(seen: number, margin: number): readonly Segment[] {
    const { from, to } = this.within(this.top() - margin, this.top() + seen + margin);
    const made: Segment[] = [];
    let hidden = 0;
    for (const [index, row] of this.#rows.entries()) {
      if (!row.pinned && (index < from || index >= to)) continue;
      if (index > hidden) made.push(this.#between(hidden, index));
      made.push({ kind: "row", index });
      hidden = index + 1;
    }
    if (hidden < this.#rows.length) made.push(this.#between(hidden, this.#rows.length));
    return made;
  }

  /** The rows that have a part between two positions. */
  within(top: number, bottom: number): { readonly from: number; readonly to: number } {
    const { length } = this.#rows;
    const from = Math.min(this.#at(top), Math.max(0, length - 1));
    return { from, to: Math.min(length, Math.max(from, this.#at(bottom)) + 1) };
  }

  /** It takes the place of its rows and of what is between them. */
  #between(from: number, to: number): Segment {
    return { kind: "gap", from, to, height: this.top(to) - this.top(from) - this.gap };
  }

  /** The last row that begins at a position or above. */
  #at(position: number): number {
    const tops = this.#measure();
    let [low, high] = [0, this.#rows.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((tops[middle] ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  #measure(): Float64Array {
    if (this.#tops !== null) return this.#tops;
    this.#correct();
    const tops = new Float64Array(this.#rows.length + 1);
    for (const [index, { key, guess }] of this.#rows.entries()) {
      tops[index + 1] = (tops[index] ?? 0) + (this.#heights.get(key) ?? guess * this.#ratio) + this.gap;
    }
    this.#tops = tops;
    return tops;
  }

  /** Seldom, for the list's length changes with it. */
  #correct(): void {
    if (this.#heights.size < Math.max(FIRST_CORRECTION, 2 * this.#corrected)) return;
    this.#corrected = this.#heights.size;
    let [measured, guessed] = [0, 0];
    for (const { key, guess } of this.#rows) {
      const height = this.#heights.get(key);
      if (height !== undefined) [measured, guessed] = [measured + height, guessed + guess];
    }
    if (measured > 0 && guessed > 0) this.#ratio = measured / guessed;
  }
}
