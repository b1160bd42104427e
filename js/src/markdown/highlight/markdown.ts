/** A line mode for Markdown itself, which CodeMirror's legacy modes lack: what starts a line, and the common inlines. */

import type { StreamParser, StringStream } from "@codemirror/streamparser";

interface State {
  /** The backticks or tildes that opened the code block we are in; empty outside. */
  fence: string;
}

export const markdown: StreamParser<State> = {
  name: "markdown",
  startState: () => ({ fence: "" }),
  token(stream, state) {
    if (stream.sol()) {
      const started = lineStart(stream, state);
      if (started !== null) return started;
    }
    return inline(stream);
  },
};

/** The style of what begins a line; null where an inline does, or plain text. */
function lineStart(stream: StringStream, state: State): string | null {
  const fence = stream.match(/^\s{0,3}(`{3,}|~{3,})(.*)/, false) as RegExpMatchArray | null;
  const [, marks = "", rest = ""] = fence ?? [];
  if (state.fence !== "") {
    stream.skipToEnd();
    if (!marks.startsWith(state.fence) || rest.trim() !== "") return "text";
    state.fence = "";
    return "meta";
  }
  if (marks !== "" && !(marks.startsWith("`") && rest.includes("`"))) {
    state.fence = marks;
    stream.skipToEnd();
    return "meta";
  }
  if (stream.match(/^\s{0,3}#{1,6}(?:\s.*|$)/)) return "heading";
  if (stream.match(/^\s{0,3}(?:=+|-+)\s*$/) || stream.match(/^\s{0,3}([-*_])(?:\s*\1){2,}\s*$/)) return "meta";
  if (stream.match(/^\s*(?:[-*+]|\d{1,9}[.)])(?:\s+\[[ xX]\])?(?=\s)/)) return "keyword";
  if (stream.match(/^\s{0,3}>(?:\s?>)*/)) return "meta";
  return null;
}

/** Names of what is open have bounds, so that each place looks ahead only so far. */
const INLINES: readonly (readonly [RegExp, string])[] = [
  [/^\\[!-/:-@[-`{-~]/, "text"],
  [/^(?:\*\*(?=\S)[^*]{0,300}\*\*|__(?=\S)[^_]{0,300}__)/, "strong"],
  [/^(?:\*(?=[^\s*])[^*]{0,300}\*|_(?=[^\s_])[^_]{0,300}_(?!\w))/, "emphasis"],
  [/^!?\[[^\]]{0,300}\](?:\([^)]{0,300}\)|\[[^\]]{0,100}\]|(?=:))/, "link"],
  [/^<(?:https?:|mailto:)[^>\s]{0,300}>/, "link"],
  [/^<\/?[a-z][^>]{0,300}>/i, "tag"],
  [/^<!--.{0,300}?-->/, "comment"],
  [/^https?:\/\/[^\s<>)]+/, "link"],
];

function inline(stream: StringStream): string {
  // Ordinary words at once, so that none is taken for the inside of another word.
  if (stream.match(/^(?:[^\s\\*_![<`h]|(?<=\w)[_h]|h(?!ttps?:))+/) || stream.eatSpace()) return "text";
  const ticks = (stream.match(/^`+/) as RegExpMatchArray | null)?.[0];
  if (ticks !== undefined) {
    const close = stream.string.indexOf(ticks, stream.pos);
    if (close < 0) return "text";
    stream.pos = close + ticks.length;
    stream.eatWhile("`");
    return "string";
  }
  for (const [pattern, style] of INLINES) if (stream.match(pattern)) return style;
  stream.next();
  return "text";
}
