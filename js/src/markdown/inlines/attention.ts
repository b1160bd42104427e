/** Runs of `*`, `_` and `~` to emphasis and strikethrough, in the order in which the reference parser pairs them. */

import type { Delimiter, Inline, Item } from "./tree.ts";

export type Order = "attention" | "strike" | null;

export interface Resolved {
  readonly inlines: Inline[];
  /** A place in plain text, outside of everything, before which no later text changes the result; 0 where there is none. */
  readonly stop: number;
}

/** Items without brackets to inlines; `hope` shows an opened run as if it were closed at the end. Settled before `most`. */
export function resolve(items: Item[], order: Order, hope: boolean, most: number): Resolved {
  let list = items;
  let settled = most;
  for (const pass of order === "strike" ? [strike, attention] : [attention, strike]) {
    const { items: next, waiting } = pass(list, hope);
    list = next;
    if (waiting !== null) settled = Math.min(settled, waiting);
  }
  return { inlines: joined(list), stop: hope ? lastStop(list, settled) : 0 };
}

/** Between words; a text that is written without spaces may be cut between any two of its characters. */
const STOP = /^[\s\S]*[^\s](?= [^\s])|^[\s\S]*[\u2e80-\ud7ff](?=[\u2e80-\ud7ff])/;

function lastStop(items: readonly Item[], settled: number): number {
  for (let index = items.length - 1; index >= 0; index -= 1) {
    const item = items[index];
    if (item === undefined || item.from >= settled || item.value.type !== "text") continue;
    // What was written in another way than it reads has no place for each character.
    if (item.value.value.length !== item.to - item.from) continue;
    const found = STOP.exec(item.value.value.slice(0, Math.max(0, settled - item.from)));
    if (found !== null) return item.from + found[0].length;
  }
  return 0;
}

/** The inside of a link, an emphasis or a strikethrough: what has no partner there has none at all. */
export function resolveInside(items: Item[]): Inline[] {
  return joined(attention(strike(items, false).items, false).items);
}

interface Passed {
  readonly items: Item[];
  /** Where the first run begins that a later one may still close. */
  readonly waiting: number | null;
}

const isDelimiter = (item: Item, strikes: boolean): item is Item & { value: Delimiter } =>
  item.value.type === "delimiter" && (item.value.marker === "~") === strikes;

function attention(items: Item[], hope: boolean): Passed {
  if (!items.some((item) => isDelimiter(item, false))) return { items, waiting: null };
  const out: Item[] = [];
  /** Indexes in `out` of the runs that may open. */
  const openers: number[] = [];
  /** For each sort of closer, how many openers at the bottom are known not to fit. */
  const bottoms = new Map<string, number>();
  for (const item of items) {
    if (!isDelimiter(item, false)) {
      out.push(item);
      continue;
    }
    const closer: Delimiter = { ...item.value };
    let from = item.from;
    while (closer.close && closer.size > 0) {
      const sort = `${closer.marker}${closer.open}${closer.size % 3}`;
      const bottom = Math.min(bottoms.get(sort) ?? 0, openers.length);
      let found = openers.length - 1;
      while (found >= bottom && !fits(delimiterAt(out, openers[found]), closer)) found -= 1;
      if (found < bottom) {
        bottoms.set(sort, openers.length);
        break;
      }
      const place = openers[found] ?? 0;
      const opener = out[place] as Item & { value: Delimiter };
      const use = opener.value.size > 1 && closer.size > 1 ? 2 : 1;
      const inside = resolveInside(out.splice(place + 1));
      opener.value.size -= use;
      opener.to -= use;
      closer.size -= use;
      out.push({ value: { type: use === 2 ? "strong" : "em", children: inside }, from: opener.to, to: from + use });
      from += use;
      openers.length = found + 1;
      for (const [key, value] of bottoms) if (value > found) bottoms.set(key, found);
      if (opener.value.size === 0) {
        openers.length = found;
        out.splice(place, 1);
      }
    }
    if (closer.size === 0) continue;
    if (closer.open) openers.push(out.length);
    out.push({ value: closer, from, to: item.to });
  }
  const first = openers[0];
  const waiting = first === undefined ? null : (out[first]?.from ?? null);
  if (hope) wrapHopeful(out, openers, (size) => (size === 1 ? ["em"] : size === 2 ? ["strong"] : size === 3 ? ["strong", "em"] : null));
  return { items: out.map((item) => (isDelimiter(item, false) ? written(item) : item)), waiting };
}

function fits(opener: Delimiter | null, closer: Delimiter): boolean {
  if (opener === null || opener.marker !== closer.marker) return false;
  // Clauses 9 and 10 of the specification's rules for emphasis, with the sizes that are left of the runs.
  return !((opener.close || closer.open) && closer.size % 3 !== 0 && (opener.size + closer.size) % 3 === 0);
}

function strike(items: Item[], hope: boolean): Passed {
  if (!items.some((item) => isDelimiter(item, true))) return { items, waiting: null };
  const out: Item[] = [];
  const openers: number[] = [];
  /** For each size, how many openers at the bottom are known to be of the other. */
  const bottoms = [0, 0, 0];
  for (const item of items) {
    if (!isDelimiter(item, true)) {
      out.push(item);
      continue;
    }
    const { value } = item;
    const bottom = Math.min(bottoms[value.size] ?? 0, openers.length);
    let found = value.close ? openers.length - 1 : -1;
    while (found >= bottom && delimiterAt(out, openers[found])?.size !== value.size) found -= 1;
    if (value.close && found < bottom) bottoms[value.size] = openers.length;
    if (value.close && found >= bottom) {
      const place = openers[found] ?? 0;
      const opener = out[place];
      const children = resolveInside(out.splice(place + 1));
      out[place] = { value: { type: "del", children }, from: opener?.from ?? item.from, to: item.to };
      openers.length = found;
      continue;
    }
    if (value.open) openers.push(out.length);
    out.push({ value: { ...value }, from: item.from, to: item.to });
  }
  const first = openers[0];
  const waiting = first === undefined ? null : (out[first]?.from ?? null);
  if (hope) wrapHopeful(out, openers, (size) => (size === 2 ? ["del"] : null));
  return { items: out.map((item) => (isDelimiter(item, true) ? written(item) : item)), waiting };
}

function delimiterAt(items: readonly Item[], index: number | undefined): Delimiter | null {
  const value = index === undefined ? undefined : items[index]?.value;
  return value?.type === "delimiter" ? value : null;
}

type Tag = "em" | "strong" | "del";

/** Show runs that wait for their partner as if it came at the end; hold back those in whose word the text ends. */
function wrapHopeful(out: Item[], openers: readonly number[], tags: (size: number) => Tag[] | null): void {
  for (let index = openers.length - 1; index >= 0; index -= 1) {
    const place = openers[index] ?? 0;
    const item = out[place];
    if (item?.value.type !== "delimiter") continue;
    const names = tags(item.value.size);
    if (names === null) continue;
    const inside = out.slice(place + 1);
    if (!item.value.hopeful) {
      const word = inside.every(({ value }) => value.type === "text" && !/\s/.test(value.value));
      if (word && (inside.at(-1)?.to ?? item.to) - item.to <= LONGEST_WORD) out.length = place;
      continue;
    }
    out.length = place;
    if (inside.length === 0) continue;
    let children = joined(attention(strike(inside, true).items, true).items);
    for (const type of names) children = [{ type, children }];
    const value = children[0];
    if (value !== undefined) out.push({ value, from: item.from, to: inside.at(-1)?.to ?? item.to });
  }
}

const LONGEST_WORD = 40;

function written(item: Item & { value: Delimiter }): Item {
  return { value: { type: "text", value: item.value.marker.repeat(item.value.size) }, from: item.from, to: item.to };
}

/** Neighbouring texts as one. */
function joined(items: readonly Item[]): Inline[] {
  const inlines: Inline[] = [];
  for (const { value } of items) {
    if (value.type === "delimiter" || value.type === "bracket") continue;
    const last = inlines.at(-1);
    if (value.type === "text" && last?.type === "text") inlines[inlines.length - 1] = { type: "text", value: last.value + value.value };
    else inlines.push(value);
  }
  return inlines;
}
