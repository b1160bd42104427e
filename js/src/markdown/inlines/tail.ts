/** The plain text at the end of a text that grows: most of what comes is more of it, and needs no scan. */

/** What may be a mark, or begin one. */
export const special = (): RegExp => /[\\`*_~[\]!<&\n$@]|https?:\/\/|www\./gi;

const SPECIAL = special();
/** A mark of several characters may begin so far before new text. */
const LONGEST = 8;
const BEGINNING = /(?:^|[^A-Za-z])(h|ht|htt|https?|https?:|https?:\/|https?:\/\/|w|ww|www|www\.)$/i;

export interface Tail {
  /** Where it begins. */
  readonly from: number;
  /** How far it is shown. */
  readonly to: number;
}

/** How far it shows: without white space at the end, nor, unless it is `final`, the beginning of what may become a link. */
export function tailEnd(text: string, from: number, end: number, final: boolean): number {
  let to = end;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to -= 1;
  if (final || to < end) return to;
  return to - (BEGINNING.exec(text.slice(Math.max(from, to - 9), to))?.[1]?.length ?? 0);
}

/** The tail of a text that has grown, if what has come is only more of it. */
export function grownTail(text: string, tail: Tail, was: number): Tail | null {
  SPECIAL.lastIndex = Math.max(tail.from, was - LONGEST);
  return SPECIAL.test(text) ? null : { from: tail.from, to: tailEnd(text, tail.from, text.length, false) };
}

const isSpace = (code: number): boolean => code === 32 || code === 9;
