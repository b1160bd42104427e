/** What follows the text of a link, and definitions: labels, destinations and titles. */

import { unescaped } from "./characters.ts";

const LONGEST_LABEL = 999;
const DEEPEST_PARENTHESES = 32;

/** `null`: not there. `undefined`: it may be, when more text comes. */
export type Found<T> = T | null | undefined;

export interface Resource {
  readonly to: number;
  readonly address: string;
  readonly title: string | null;
}

/** Labels are the same if they are so without regard to case and to how much white space they have. */
export function normalized(label: string): string {
  return label.replace(/[\t\n\r ]+/g, " ").replace(/^ | $/g, "").toLowerCase().toUpperCase();
}

const isSpace = (code: number): boolean => code === 32 || code === 9 || code === 10;

/** The place after white space. */
export function afterSpace(text: string, at: number, end: number): number {
  let next = at;
  while (next < end && isSpace(text.charCodeAt(next))) next += 1;
  return next;
}

/** `[label]`: from its `[`; gives the place after its `]`. */
export function labelEnd(text: string, at: number, end: number): Found<number> {
  let some = false;
  for (let next = at + 1; next < end; next += 1) {
    const code = text.charCodeAt(next);
    if (next - at - 1 > LONGEST_LABEL || code === 91) return null;
    if (code === 93) return some ? next + 1 : null;
    if (!isSpace(code)) some = true;
    if (code === 92 && next + 1 < end && /[[\]\\]/.test(text[next + 1] ?? "")) next += 1;
  }
  return undefined;
}

/** A destination; `deepest` limits the parentheses in one without angle brackets. */
function destination(text: string, at: number, end: number, deepest: number): Found<{ to: number; address: string }> {
  if (at >= end) return undefined;
  if (text[at] === "<") {
    for (let next = at + 1; next < end; next += 1) {
      const code = text.charCodeAt(next);
      if (code === 60 || code === 10) return null;
      if (code === 62) return { to: next + 1, address: unescaped(text.slice(at + 1, next)) };
      if (code === 92 && /[<>\\]/.test(text[next + 1] ?? "")) next += 1;
    }
    return undefined;
  }
  let depth = 0;
  let next = at;
  for (; next < end; next += 1) {
    const code = text.charCodeAt(next);
    if (isSpace(code)) break;
    if (code < 32 || code === 127) return null;
    if (code === 40) {
      depth += 1;
      if (depth > deepest) return null;
    } else if (code === 41) {
      if (depth === 0) break;
      depth -= 1;
    } else if (code === 92 && /[()\\]/.test(text[next + 1] ?? "")) {
      next += 1;
    }
  }
  if (next >= end) return next > at && deepest === Number.POSITIVE_INFINITY ? whole(text, at, end, depth) : undefined;
  return depth > 0 || next === at ? null : { to: next, address: unescaped(text.slice(at, next)) };
}

/** A definition's destination may be ended by the end of the text. */
function whole(text: string, at: number, end: number, depth: number): Found<{ to: number; address: string }> {
  return depth > 0 ? undefined : { to: end, address: unescaped(text.slice(at, end)) };
}

function title(text: string, at: number, end: number): Found<{ to: number; title: string }> {
  const mark = text[at];
  const close = mark === "(" ? ")" : mark;
  for (let next = at + 1; next < end; next += 1) {
    const character = text[next];
    if (character === close) return { to: next + 1, title: unescaped(text.slice(at + 1, next)) };
    if (character === "(" && mark === "(") return null;
    if (character === "\\" && (text[next + 1] === close || text[next + 1] === "\\" || text[next + 1] === mark)) next += 1;
  }
  return undefined;
}

/** `(destination "title")`: from its `(`. */
export function resource(text: string, at: number, end: number): Found<Resource> {
  let next = afterSpace(text, at + 1, end);
  if (next >= end) return undefined;
  if (text[next] === ")") return { to: next + 1, address: "", title: null };
  const target = destination(text, next, end, DEEPEST_PARENTHESES);
  if (!target) return target;
  next = afterSpace(text, target.to, end);
  if (next >= end) return undefined;
  if (text[next] === ")") return { to: next + 1, address: target.address, title: null };
  if (next === target.to || !/["'(]/.test(text[next] ?? "")) return null;
  const named = title(text, next, end);
  if (!named) return named;
  next = afterSpace(text, named.to, end);
  if (next >= end) return undefined;
  return text[next] === ")" ? { to: next + 1, address: target.address, title: named.title } : null;
}

export interface Definition {
  readonly label: string;
  readonly address: string;
  readonly title: string | null;
  /** Where the next line begins, or the end of the text. */
  readonly to: number;
  /** Whether a title may still come. */
  readonly open: boolean;
}

/** A definition at `at`, where a line begins. */
export function definition(text: string, at: number): Found<Definition> {
  const end = text.length;
  const begin = at + (/^[ \t]*/.exec(text.slice(at, at + 64))?.[0].length ?? 0);
  if (begin >= end) return undefined;
  if (text[begin] !== "[") return null;
  const after = labelEnd(text, begin, end);
  if (after === null || after === undefined) return after === null ? null : undefined;
  if (after >= end) return undefined;
  if (text[after] !== ":") return null;
  const target = destination(text, afterSpace(text, after + 1, end), end, Number.POSITIVE_INFINITY);
  if (!target) return target;
  const line = lineEnd(text, target.to);
  const found = { label: normalized(text.slice(begin + 1, after - 1)), address: target.address };
  const next = afterSpace(text, target.to, end);
  if (next > target.to && next < end && /["'(]/.test(text[next] ?? "")) {
    const named = title(text, next, end);
    const to = named && lineEnd(text, named.to);
    if (named && to !== null && to !== undefined) return { ...found, title: named.title, to, open: false };
    if (named === undefined && line !== null) return { ...found, title: null, to: line, open: true };
    if (named === undefined) return undefined;
  }
  if (line === null) return null;
  return { ...found, title: null, to: line, open: next >= end };
}

/** Where the next line begins if nothing but white space comes in this one. */
function lineEnd(text: string, at: number): number | null {
  let next = at;
  while (text.charCodeAt(next) === 32 || text.charCodeAt(next) === 9) next += 1;
  return next >= text.length ? text.length : text[next] === "\n" ? next + 1 : null;
}

/** What may stand between `[^` and `]`. */
export const FOOTNOTE_LABEL = String.raw`(?:[^\s[\]\\]|\\[[\\\]]|\\(?![[\\\]])){1,999}`;
export const FOOTNOTE_CALL = new RegExp(String.raw`\[\^(${FOOTNOTE_LABEL})\]`, "y");
