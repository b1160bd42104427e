/** What is different between two texts, line by line, and within a line word by word. */

import { diffArrays, diffWordsWithSpace } from "diff";

/** Texts with more changed lines are not compared any further: the one is removed and the other added. */
const MOST_LINES = 2000;
/** In larger changes lines that are alike are not looked for. */
const MOST_PAIRS = 40_000;
/** So much of their words two lines that are alike have in common. */
const ALIKE = 0.5;
const WORD = /[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu;

export interface Line {
  readonly kind: "same" | "removed" | "added";
  readonly pieces: readonly Piece[];
}

/** The pieces of a line, joined, are the line. */
export interface Piece {
  readonly text: string;
  /** Whether this is what the line that it replaces, or that replaces it, does not have. */
  readonly changed: boolean;
}

/**
 * The lines of both texts in their order. Those that are the same or removed are the first text, those that are the
 * same or added the second.
 */
export function difference(before: string, after: string): readonly Line[] {
  const [old, now] = [linesOf(before), linesOf(after)];
  const changes = diffArrays(old, now, { maxEditLength: MOST_LINES }) ?? [
    { value: old, removed: true, added: false },
    { value: now, removed: false, added: true },
  ];
  const lines: Line[] = [];
  let [removed, added]: [string[], string[]] = [[], []];
  const settle = (): void => {
    lines.push(...hunk(removed, added));
    [removed, added] = [[], []];
  };
  changes.forEach(({ value, removed: gone, added: come }, at) => {
    if (gone) removed.push(...value);
    else if (come) added.push(...value);
    else if (at > 0 && at < changes.length - 1 && value.every((line) => line.trim() === "")) {
      // Two places are not one the less for an empty line that both happen to have.
      removed.push(...value);
      added.push(...value);
    } else {
      settle();
      lines.push(...value.map((line): Line => ({ kind: "same", pieces: whole(line) })));
    }
  });
  settle();
  return lines;
}

/** Lines that replace others: those that are alike beside each other. */
function hunk(removed: readonly string[], added: readonly string[]): Line[] {
  const apart = removed.length * added.length > MOST_PAIRS ? undefined : diffArrays([...removed], [...added], { comparator: alike, maxEditLength: MOST_LINES });
  const steps = apart ?? [
    { count: removed.length, removed: true, added: false },
    { count: added.length, removed: false, added: true },
  ];
  const lines: Line[] = [];
  let [old, now] = [0, 0];
  for (const { count, removed: gone, added: come } of steps) {
    if (gone) lines.push(...removed.slice(old, old + count).map((line): Line => ({ kind: "removed", pieces: whole(line) })));
    else if (come) lines.push(...added.slice(now, now + count).map((line): Line => ({ kind: "added", pieces: whole(line) })));
    else lines.push(...pairs(removed.slice(old, old + count), added.slice(now, now + count)));
    old += come ? 0 : count;
    now += gone ? 0 : count;
  }
  return lines;
}

/** As many lines as those that they replace, each alike its own. */
function pairs(removed: readonly string[], added: readonly string[]): Line[] {
  const lines: Line[] = [];
  let come: Line[] = [];
  removed.forEach((old, at) => {
    const now = added[at] ?? "";
    if (old === now) {
      lines.push(...come, { kind: "same", pieces: whole(old) });
      come = [];
      return;
    }
    const marked = words(old, now);
    lines.push({ kind: "removed", pieces: marked.old });
    come.push({ kind: "added", pieces: marked.now });
  });
  return [...lines, ...come];
}

/** How many lines were removed and added. */
export function counted(lines: readonly Line[]): { readonly removed: number; readonly added: number } {
  const of = (kind: Line["kind"]): number => lines.filter((line) => line.kind === kind).length;
  return { removed: of("removed"), added: of("added") };
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.split("\n");
}

function whole(text: string): Piece[] {
  return [{ text, changed: false }];
}

/** Whether one line looks like another version of the other. */
function alike(old: string, now: string): boolean {
  if (old.trim() === now.trim()) return true;
  const [some, others] = [old.match(WORD) ?? [], now.match(WORD) ?? []];
  // Counted: a line of data has thousands.
  const left = new Map<string, number>();
  for (const word of others) left.set(word, (left.get(word) ?? 0) + 1);
  const shared = some.filter((word) => {
    const count = left.get(word) ?? 0;
    left.set(word, count - 1);
    return count > 0;
  });
  return 2 * shared.length >= ALIKE * (some.length + others.length) && shared.length > 0;
}

function words(old: string, now: string): { readonly old: Piece[]; readonly now: Piece[] } {
  const changes = diffWordsWithSpace(old, now, { maxEditLength: 400 });
  if (changes === undefined) return { old: whole(old), now: whole(now) };
  const side = (without: "added" | "removed"): Piece[] =>
    changes.filter((change) => !change[without]).map(({ value, added, removed }) => ({ text: value, changed: added || removed }));
  return { old: side("added"), now: side("removed") };
}
