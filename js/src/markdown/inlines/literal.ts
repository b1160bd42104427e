/** Addresses that are links without any mark: `https://…`, `www.…` and e-mail addresses, as GitHub finds them. */

import { isAlpha, isAlphanumeric, kindOf, Kind } from "./characters.ts";

export interface Literal {
  readonly from: number;
  readonly to: number;
  readonly scheme: "" | "http://" | "mailto:";
}

const PROTOCOL = /https?:\/\//iy;

/** An address with its protocol that begins at `at`. */
export function protocolLiteral(text: string, at: number, end: number): Literal | null {
  if (isAlpha(text.charCodeAt(at - 1))) return null;
  PROTOCOL.lastIndex = at;
  const found = PROTOCOL.exec(text);
  if (found === null) return null;
  const begin = at + found[0].length;
  if (begin >= end || text.charCodeAt(begin) < 32 || text.charCodeAt(begin) === 127 || kindOf(text.charCodeAt(begin)) !== Kind.Word) return null;
  const to = domainEnd(text, begin, end);
  return to === null ? null : { from: at, to: pathEnd(text, to, end), scheme: "" };
}

/** `www.` at `at`. */
export function wwwLiteral(text: string, at: number, end: number): Literal | null {
  if (at > 0 && !/[(*_[\]~ \t\n]/.test(text[at - 1] ?? "")) return null;
  if (at + 4 >= end) return null;
  const to = domainEnd(text, at, end);
  return to === null ? null : { from: at, to: pathEnd(text, to, end), scheme: "http://" };
}

const isAtext = (code: number): boolean => code === 43 || code === 45 || code === 46 || code === 95 || isAlphanumeric(code);

/** The address whose name `at` is in, or ends at; its name begins at `barrier` or after it. */
export function emailLiteral(text: string, at: number, barrier: number, end: number): Literal | null {
  let from = at;
  while (from > barrier && isAtext(text.charCodeAt(from - 1))) from -= 1;
  const before = text.charCodeAt(from - 1);
  if (before === 47 || isAtext(before)) return null;
  let next = at;
  while (next < end && isAtext(text.charCodeAt(next))) next += 1;
  if (next === from || next >= end || text.charCodeAt(next) !== 64) return null;
  next += 1;
  let [dot, data] = [false, false];
  for (; next < end; next += 1) {
    const code = text.charCodeAt(next);
    if (code === 46) {
      if (!(next + 1 < end && isAlphanumeric(text.charCodeAt(next + 1)))) break;
      dot = true;
    } else if (code === 45 || code === 95 || isAlphanumeric(code)) {
      data = true;
    } else {
      break;
    }
  }
  return data && dot && isAlpha(text.charCodeAt(next - 1)) ? { from, to: next, scheme: "mailto:" } : null;
}

function domainEnd(text: string, at: number, end: number): number | null {
  let [last, lastButOne, some] = [false, false, false];
  let next = at;
  for (; next < end; next += 1) {
    const code = text.charCodeAt(next);
    if (code === 46 || code === 95) {
      if (isTrail(text, next, end)) break;
      if (code === 95) last = true;
      else [lastButOne, last] = [last, false];
      continue;
    }
    if (code !== 45 && kindOf(code) !== Kind.Word) break;
    some = true;
  }
  return last || lastButOne || !some ? null : next;
}

const MAY_TRAIL = new Set([..."!\"&')*,.:;<?]_~"].map((character) => character.charCodeAt(0)));

function pathEnd(text: string, at: number, end: number): number {
  let [opened, closed] = [0, 0];
  for (let next = at; next < end; next += 1) {
    const code = text.charCodeAt(next);
    if (kindOf(code) === Kind.Space) return next;
    if (code === 40) opened += 1;
    else if (code === 41 && closed < opened) closed += 1;
    else if (MAY_TRAIL.has(code)) {
      if (isTrail(text, next, end)) return next;
      if (code === 41) closed += 1;
    }
  }
  return end;
}

const TRAIL = /(?:[!"')*,.:;?_~]|&[A-Za-z]+;|\](?![(\[\s]|$))*(?:<|\s|$|\](?=[(\[\s]|$))/y;

/** Whether from here on there is only what ends a sentence, and not an address. */
function isTrail(text: string, at: number, end: number): boolean {
  TRAIL.lastIndex = at;
  return end === text.length ? TRAIL.test(text) : TRAIL.test(text.slice(0, end));
}
