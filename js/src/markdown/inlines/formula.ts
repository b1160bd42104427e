/** Formulas in a text: `$…$`, `$$…$$`, `\\(…\\)` and `\\[…\\]`; amounts of money are none. */

import { isAlphanumeric, kindOf, Kind } from "./characters.ts";

/** A mark that waits for its other half longer than this is shown as it is written. */
export const LONGEST_WAIT = 1000;
const CLOSE: Readonly<Record<string, string>> = { $: "$", $$: "$$", "\\(": "\\)", "\\[": "\\]" };

export interface Formula {
  readonly source: string;
  readonly display: boolean;
  readonly to: number;
}

/** The formula that begins at `at` with `open`; undefined while more text may close it. */
export function formulaAt(text: string, at: number, end: number, open: string, final: boolean): Formula | null | undefined {
  const mark = open === "$" && text[at + 1] === "$" ? "$$" : open;
  const close = CLOSE[mark] ?? mark;
  const begin = at + mark.length;
  if (begin >= end) return final ? null : undefined;
  const money = mark === "$";
  // In one pair of dollars nothing but the formula: no space within its edges, no word before, no digit after.
  if (money && (kindOf(text.charCodeAt(begin)) === Kind.Space || isAlphanumeric(text.charCodeAt(at - 1)))) return null;
  for (let next = text.indexOf(close, begin); next >= 0 && next + close.length <= end; next = text.indexOf(close, next + 1)) {
    if (close[0] === "$" && isEscaped(text, next)) continue;
    if (money) {
      if (next + 1 >= end && !final) return undefined;
      const following = text.charCodeAt(next + 1);
      if (kindOf(text.charCodeAt(next - 1)) === Kind.Space || (following >= 48 && following <= 57)) return null;
    }
    const source = text.slice(begin, next);
    return source.trim() === "" ? null : { source, display: mark === "$$" || mark === "\\[", to: next + close.length };
  }
  const amount = money && /^\d[\d.,]*[\s;:)!?]/.test(text.slice(begin, Math.min(end, begin + 32)));
  return final || amount || end - begin >= LONGEST_WAIT ? null : undefined;
}

function isEscaped(text: string, at: number): boolean {
  let marks = 0;
  while (text[at - 1 - marks] === "\\") marks += 1;
  return marks % 2 === 1;
}
