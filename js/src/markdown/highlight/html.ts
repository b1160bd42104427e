/** HTML with the scripts and styles in it, each in its own mode. */

import { html as tags } from "@codemirror/legacy-modes/mode/xml";
import type { StreamParser, StringStream } from "@codemirror/streamparser";
import { css, javascript } from "./settled.ts";
import { copyOf, started } from "./state.ts";

interface State {
  readonly outer: unknown;
  /** What is between a tag and its end tag: `script` or `style`. */
  readonly inner: { readonly tag: string; readonly mode: StreamParser<unknown>; readonly state: unknown } | null;
}

const INNER: ReadonlyMap<string, StreamParser<unknown>> = new Map([
  ["script", javascript],
  ["style", css],
]);

export const html: StreamParser<{ now: State }> = {
  name: "html",
  startState: () => ({ now: { outer: started(tags), inner: null } }),
  copyState: ({ now: { outer, inner } }) => ({
    now: { outer: copyOf(tags, outer), inner: inner && { ...inner, state: copyOf(inner.mode, inner.state) } },
  }),
  token(stream, holder) {
    const { outer, inner } = holder.now;
    if (inner !== null) {
      const end = endOf(inner.tag, stream);
      if (end !== stream.pos) return within(end, stream, () => inner.mode.token(stream, inner.state));
      holder.now = { outer, inner: null };
    }
    const style = tags.token(stream, outer);
    if (stream.current() !== ">") return style;
    const tag = openTag(outer);
    const mode = INNER.get(tag);
    if (mode) holder.now = { outer, inner: { tag, mode, state: started(mode) } };
    return style;
  },
  blankLine({ now: { inner } }) {
    inner?.mode.blankLine?.(inner.state, 2);
  },
};

/** Where the rest of the line has the end tag; the line's end if nowhere. */
function endOf(tag: string, stream: StringStream): number {
  const at = stream.string.slice(stream.pos).search(tag === "script" ? /<\/script/i : /<\/style/i);
  return at < 0 ? stream.string.length : stream.pos + at;
}

/** Show a mode only the line up to an end. */
function within(end: number, stream: StringStream, token: () => string | null): string | null {
  const { string } = stream;
  stream.string = string.slice(0, end);
  try {
    return token();
  } finally {
    stream.string = string;
    stream.pos = Math.min(stream.pos, end);
  }
}

/** The XML mode's innermost element, once its tag has ended. */
function openTag(outer: unknown): string {
  const context = (outer as { readonly context?: { readonly tagName?: string } | null }).context;
  return context?.tagName?.toLowerCase() ?? "";
}
