/** How the state of a line mode begins and is copied. */

import type { StreamParser } from "@codemirror/streamparser";

/** Columns of an indent; the modes' state keeps account of it, and nobody here asks. */
export const INDENT = 2;

export function started<State>(mode: StreamParser<State>): State {
  return mode.startState ? mode.startState(INDENT) : ({} as State);
}

/** As CodeMirror copies: modes count on it, and put into new objects what goes deeper. */
export function copyOf<State>(mode: StreamParser<State>, state: State): State {
  if (mode.copyState) return mode.copyState(state);
  if (typeof state !== "object" || state === null) return state;
  const copy: Record<string, unknown> = {};
  for (const name in state) {
    const value: unknown = state[name];
    copy[name] = Array.isArray(value) ? value.slice() : value;
  }
  return copy as State;
}
