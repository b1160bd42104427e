/** Numbers, times and lists as the page's language writes them. */

import { language } from "../translation.ts";
import * as strings from "./strings.ts";

const formats = new Map<string, Intl.NumberFormat>();

/** A number with so many digits behind its point, and without marks between its thousands: as transcripts have it. */
export function plain(value: number, digits = 0): string {
  const rounded = digits === 0 ? Math.round(value) : Number(value.toFixed(digits));
  return format({ useGrouping: false, minimumFractionDigits: digits, maximumFractionDigits: digits }, rounded);
}

/** A number in full: 12,000. */
export function full(value: number): string {
  return format({}, value);
}

/** A number in short: 12K. */
export function compact(value: number): string {
  return format({ notation: "compact" }, value);
}

export function dollars(value: number): string {
  return format({ style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: 2 }, value);
}

/** A time in seconds: the shorter it is, the more exact. */
export function duration(seconds: number): string {
  return strings.seconds(plain(seconds, seconds < 1 ? 2 : seconds < 10 ? 1 : 0));
}

/** Which one in a row: “2nd”, and the number in languages whose ordinals are not known here. */
export function ordinal(position: number): string {
  const { tag } = language;
  const number = plain(position);
  if (!/^en\b/.test(tag)) return number;
  const suffixes: Partial<Record<Intl.LDMLPluralRule, string>> = { one: "st", two: "nd", few: "rd" };
  return `${number}${suffixes[new Intl.PluralRules(tag, { type: "ordinal" }).select(position)] ?? "th"}`;
}

export function list(names: readonly string[]): string {
  return new Intl.ListFormat(language.tag, { type: "unit", style: "short" }).format(names);
}

/** To make a format takes longer than to use it. */
function format(options: Intl.NumberFormatOptions, value: number): string {
  const { tag } = language;
  const key = `${tag} ${JSON.stringify(options)}`;
  let made = formats.get(key);
  if (made === undefined) {
    made = new Intl.NumberFormat(tag, options);
    formats.set(key, made);
  }
  return made.format(value);
}
