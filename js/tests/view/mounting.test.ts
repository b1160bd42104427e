import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Mounting, type Row, type Segment } from "../../src/view/mounting.ts";

const GAP = 14;
const SEEN = 600;
const MARGIN = 300;

/** A list as a browser lays it out: it knows how high each row truly is, and measures what is mounted. */
class Screen {
  readonly mounting = new Mounting(GAP);
  keys: number[];
  readonly heights = new Map<number, number>();
  pinned = new Set<number>();
  scrollTop = 0;
  mounted: readonly Segment[] = [];
  /** Whether the last drawing came to the end of the list, which cannot be scrolled further. */
  clamped = false;

  constructor(heights: readonly number[]) {
    this.keys = heights.map((_, index) => index);
    heights.forEach((height, key) => this.heights.set(key, height));
    this.draw();
  }

  /** Draws until all that is near is mounted and measured. */
  draw(): void {
    this.mounting.rows = this.keys.map((key): Row => ({ key: String(key), guess: 90, pinned: this.pinned.has(key) }));
    this.clamped = false;
    for (let news = true; news; ) {
      this.mounted = this.mounting.segments(SEEN, MARGIN);
      news = false;
      for (const one of this.mounted) {
        const key = one.kind === "row" ? this.keys[one.index] : undefined;
        if (key !== undefined && this.mounting.measured(String(key), this.heights.get(key) ?? 0)) news = true;
      }
      this.scrollTop = Math.max(0, Math.min(this.mounting.top(), this.length() - SEEN));
      if (this.scrollTop === this.mounting.top()) continue;
      // A list that has become shorter ends earlier, and the browser says so.
      this.mounting.scrolled(this.scrollTop);
      [news, this.clamped] = [true, true];
    }
  }

  scroll(to: number): void {
    this.scrollTop = Math.max(0, Math.min(to, this.length() - SEEN));
    this.mounting.scrolled(this.scrollTop);
  }

  /** Where a mounted row is on the screen, by adding up what is above it. */
  place(key: number): number | null {
    let top = -this.scrollTop;
    for (const one of this.mounted) {
      if (one.kind === "row" && this.keys[one.index] === key) return top;
      top += GAP + (one.kind === "gap" ? one.height : (this.heights.get(this.keys[one.index] ?? -1) ?? 0));
    }
    return null;
  }

  length(): number {
    return this.mounted.reduce((sum, one) => sum + GAP + (one.kind === "gap" ? one.height : (this.heights.get(this.keys[one.index] ?? -1) ?? 0)), -GAP);
  }

  /** The row at the top of what is seen. */
  first(): number | null {
    let top = -this.scrollTop;
    for (const one of this.mounted) {
      const height = one.kind === "gap" ? one.height : (this.heights.get(this.keys[one.index] ?? -1) ?? 0);
      if (top + height + GAP > 0) return one.kind === "gap" ? null : (this.keys[one.index] ?? null);
      top += height + GAP;
    }
    return null;
  }
}

type Step =
  | { readonly do: "scroll"; readonly to: number }
  | { readonly do: "grow"; readonly row: number; readonly by: number }
  | { readonly do: "join"; readonly height: number }
  | { readonly do: "leave"; readonly row: number }
  | { readonly do: "pin"; readonly row: number };

const height = fc.integer({ min: 20, max: 2500 });
const row = fc.nat(10_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("scroll" as const), to: fc.nat(120_000) }),
  fc.record({ do: fc.constant("grow" as const), row, by: fc.integer({ min: -400, max: 900 }) }),
  fc.record({ do: fc.constant("join" as const), height }),
  fc.record({ do: fc.constant("leave" as const), row }),
  fc.record({ do: fc.constant("pin" as const), row }),
);

describe("what is mounted", () => {
  it("leaves what is read where it is, whatever is measured, grows, joins or leaves", () => {
    fc.assert(
      fc.property(fc.array(height, { minLength: 1, maxLength: 120 }), fc.array(step, { maxLength: 40 }), (heights, steps) => {
        const screen = new Screen(heights);
        for (const one of steps) {
          const { keys } = screen;
          const key = keys[("row" in one ? one.row : 0) % keys.length] ?? 0;
          if (one.do === "scroll") {
            screen.scroll(one.to);
            screen.draw();
            // As a scroll of the browser's own: from here on, nothing may move.
            screen.scroll(screen.scrollTop);
            continue;
          }
          const first = screen.first();
          const before = first === null ? null : screen.place(first);
          if (one.do === "grow") screen.heights.set(key, Math.max(10, (screen.heights.get(key) ?? 0) + one.by));
          else if (one.do === "pin") screen.pinned.add(key);
          else if (one.do === "join") {
            const next = Math.max(...screen.heights.keys()) + 1;
            screen.heights.set(next, one.height);
            screen.keys = [...keys, next];
          } else if (key !== first && keys.length > 1) screen.keys = keys.filter((other) => other !== key);
          screen.draw();
          if (first === null || before === null || screen.clamped) continue;
          // A row that ends above by now is left at its end.
          expect(screen.place(first)).toBeCloseTo(Math.max(before, -GAP - (screen.heights.get(first) ?? 0)), 6);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("is all that is seen, with its surroundings, and little more", () => {
    fc.assert(
      fc.property(fc.array(height, { minLength: 1, maxLength: 300 }), fc.nat(200_000), (heights, to) => {
        const screen = new Screen(heights);
        screen.scroll(to);
        screen.draw();
        let top = -screen.scrollTop;
        for (const one of screen.mounted) {
          const high = one.kind === "gap" ? one.height : (screen.heights.get(screen.keys[one.index] ?? -1) ?? 0);
          const isNear = top + high > -MARGIN && top < SEEN + MARGIN;
          if (one.kind === "gap") expect(isNear).toBe(false);
          else expect(top + high + GAP >= -MARGIN && top <= SEEN + MARGIN + GAP).toBe(true);
          top += high + GAP;
        }
      }),
      { numRuns: 300 },
    );
  });

  it("holds every row once and in order, mounted or in a gap, and a pinned one mounted", () => {
    fc.assert(
      fc.property(fc.array(height, { maxLength: 80 }), fc.nat(60_000), fc.array(fc.nat(79), { maxLength: 5 }), (heights, to, pinned) => {
        const mounting = new Mounting(GAP);
        mounting.rows = heights.map((guess, key) => ({ key: String(key), guess, pinned: pinned.includes(key) }));
        mounting.scrolled(to);
        const rows = mounting.segments(SEEN, MARGIN).flatMap((one) =>
          one.kind === "row" ? [one.index] : Array.from({ length: one.to - one.from }, (_, index) => one.from + index),
        );
        expect(rows).toEqual(heights.map((_, index) => index));
        const mounted = mounting.segments(SEEN, MARGIN).flatMap((one) => (one.kind === "row" ? [one.index] : []));
        for (const one of pinned) if (one < heights.length) expect(mounted).toContain(one);
      }),
    );
  });
});
