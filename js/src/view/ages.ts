/** How long ago something was: the group of a list that it belongs to, and a word for its time. */

import { language } from "../translation.ts";
import * as strings from "./strings.ts";

const DAY_MS = 24 * 3600 * 1000;

/** The group of what was used at `used`, both times in milliseconds: a name for people, which is the same within a group. */
export function group(used: number, now: number): string {
  const days = daysBetween(used, now);
  if (days <= 0) return strings.today();
  if (days === 1) return strings.yesterday();
  if (days <= 7) return strings.previousDays(7);
  if (days <= 30) return strings.previousDays(30);
  const sameYear = new Date(used).getFullYear() === new Date(now).getFullYear();
  return format(used, sameYear ? { month: "long" } : { month: "long", year: "numeric" });
}

/** Short, for the end of a line: minutes and hours of today, then the day. */
export function age(used: number, now: number): string {
  const minutes = Math.floor((now - used) / 60_000);
  const days = daysBetween(used, now);
  if (minutes < 1) return strings.justNow();
  if (minutes < 60) return relative(-minutes, "minute");
  if (days <= 0) return relative(-Math.floor(minutes / 60), "hour");
  if (days === 1) return format(used, { hour: "numeric", minute: "2-digit" });
  if (days < 7) return format(used, { weekday: "short" });
  const sameYear = new Date(used).getFullYear() === new Date(now).getFullYear();
  return format(used, sameYear ? { day: "numeric", month: "short" } : { day: "numeric", month: "short", year: "numeric" });
}

/** In full, for who points at it. */
export function moment(used: number): string {
  return format(used, { dateStyle: "long", timeStyle: "short" });
}

/** Calendar days where this page is; a day of 23 or 25 hours is one, too. */
function daysBetween(used: number, now: number): number {
  return Math.round((midnight(now) - midnight(used)) / DAY_MS);
}

function midnight(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0);
}

function relative(count: number, unit: "minute" | "hour"): string {
  return new Intl.RelativeTimeFormat(language.tag, { style: "narrow" }).format(count, unit);
}

function format(time: number, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(language.tag, options).format(time);
}
