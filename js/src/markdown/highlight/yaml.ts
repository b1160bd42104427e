/** A line mode for YAML: the legacy one takes seconds for a line of blanks, as its patterns go back over them. */

import type { StreamParser, StringStream } from "@codemirror/streamparser";

interface State {
  /** The quote that ends the string we are in; empty outside. */
  quote: string;
  /** How far the line is indented whose block of text we are in; -1 outside. */
  block: number;
  /** Whether only dashes have come on this line. */
  first: boolean;
}

export const yaml: StreamParser<State> = {
  name: "yaml",
  startState: () => ({ quote: "", block: -1, first: true }),
  token(stream, state) {
    if (stream.sol() && state.quote === "") {
      state.first = true;
      if (state.block >= 0 && stream.indentation() > state.block) {
        stream.skipToEnd();
        return "string";
      }
      if (/\S/.test(stream.string)) state.block = -1;
      if (stream.match(/^(?:---|\.\.\.)(?=\s|$)/) || stream.match(/^%.*/)) return "meta";
    }
    if (state.quote !== "") return quoted(stream, state);
    const spaced = stream.sol() || /\s/.test(stream.string.charAt(stream.pos - 1));
    if (stream.eatSpace()) return null;
    if (spaced && stream.match(/^#.*/)) return "comment";
    if (state.first && stream.match(/^[-?](?=\s|$)/)) return "meta";
    state.first = false;
    return value(stream, state);
  },
};

const KEY = /^(?:[^\s#[\]{},&*!|>'"%@`:][^#:,[\]{}]{0,200}?|"(?:[^"\\]|\\.){0,200}"|'[^']{0,200}')(?=\s{0,9}:(?:\s|$))/;
const ATOM = /^(?:true|false|null|yes|no|on|off|~)$/i;
const NUMBER = /^[-+]?(?:0x[\da-f]+|0o[0-7]+|\.\d+|\d[\d_]*(?:\.\d*)?(?:e[-+]?\d+)?|\d{4}-\d\d?-\d\d?)$/i;

function value(stream: StringStream, state: State): string | null {
  if (stream.match(KEY)) return "property";
  if (stream.match(/^["']/)) {
    state.quote = stream.current();
    return quoted(stream, state);
  }
  if (stream.match(/^[|>][-+\d]{0,2}(?=\s*$|\s+#)/)) {
    state.block = stream.indentation();
    return "meta";
  }
  if (stream.match(/^[&*][^\s,[\]{}]+/)) return "def";
  if (stream.match(/^![^\s,[\]{}]*/)) return "type";
  // A colon or a hash within a word is part of it.
  if (!stream.match(/^(?:[^\s,[\]{}:]|:(?!\s|$))+/)) {
    stream.next();
    return null;
  }
  const alone = stream.match(/^\s*(?:$|[,\]}]|#)/, false) !== null;
  const text = stream.current();
  if (alone && ATOM.test(text)) return "atom";
  return alone && NUMBER.test(text) ? "number" : null;
}

function quoted(stream: StringStream, state: State): string {
  while (!stream.eol()) {
    const read = stream.next();
    if (read === "\\" && state.quote === '"') stream.next();
    else if (read === state.quote) {
      state.quote = "";
      break;
    }
  }
  return "string";
}
