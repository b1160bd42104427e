/** What ties components to things that change by themselves. */

import { options, type RefObject } from "preact";
import { useEffect, useLayoutEffect, useReducer, useState } from "preact/hooks";
import { pagePreferences } from "../preferences.ts";

interface Subject {
  subscribe(listener: () => void, signal: AbortSignal): void;
}

/** Render again whenever the subject changes. */
export function useChanges(subject: Subject): void {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const lifetime = new AbortController();
    subject.subscribe(() => again(undefined), lifetime.signal);
    // It may have changed between the rendering and now.
    again(undefined);
    return () => lifetime.abort();
  }, [subject]);
}

/** `Date.now()`, renewed every second while `active`. */
export function useNow(active: boolean): number {
  const [now, set] = useState(Date.now);
  useEffect(() => {
    if (!active) return undefined;
    set(Date.now());
    const timer = setInterval(() => set(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [active]);
  return active ? Math.max(now, Date.now()) : now;
}

/** True only after `value` has been true for so long: what is over at once need not be shown. */
export function useSettled(value: boolean, ms: number): boolean {
  const [settled, set] = useState(false);
  useEffect(() => {
    if (!value) {
      set(false);
      return undefined;
    }
    const timer = setTimeout(() => set(true), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return value && settled;
}

/** A field is as high as its text, up to the style sheet's limit. */
export function useHeightOfText(field: RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const area = field.current;
    if (area === null) return;
    area.style.height = "auto";
    if (area.scrollHeight > 0) area.style.height = `${area.scrollHeight}px`;
  }, [field, text]);
}

/** Draw what an action changes before this returns. */
export function drawNow(action: () => void): void {
  const before = options.debounceRendering;
  options.debounceRendering = (draw) => draw();
  action();
  if (before === undefined) delete options.debounceRendering;
  else options.debounceRendering = before;
}

/** Whether a key belongs to a composition; 229 is what some browsers report for the Enter that ends one. */
export function composing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}

/** Whether a key sends a prompt, as the person likes it. */
export function sends(event: KeyboardEvent): boolean {
  if (event.key !== "Enter" || event.shiftKey || event.altKey) return false;
  return pagePreferences().value.enter === "sends" || event.ctrlKey || event.metaKey;
}
