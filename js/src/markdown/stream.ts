/** A Markdown text that grows, shown as it grows: what is closed is never touched again, only the last block is. */

import { Lexer, type Links, type Token, type Tokens } from "marked";
import { Boundaries } from "./boundary.ts";
import { block, growCode, plain } from "./render.ts";

/** An open block of more characters than this is shown as plain text: parsing it again and again would be slow. */
const PLAIN_LENGTH = 200_000;
/** The same for so many marks of emphasis in one block: the parser's time grows with their square (10,000: 0.3 s). */
const PLAIN_MARKS = 10_000;
/** Rendering takes at most a quarter of the time, so that the page stays responsive. */
const REST = 3;
const SLOW_MS = 8;

export interface MarkdownStream {
  /** More text. It shows with the next animation frame. */
  push(text: string): void;
  /** Show now what was pushed. */
  flush(): void;
  /** No more text will come: show everything now. */
  end(): void;
}

export interface MarkdownOptions {
  /** Call back when it is time to render; by default the next animation frame. Returns how to call it off. */
  readonly schedule?: (render: () => void) => () => void;
}

interface Shown {
  readonly token: Token;
  readonly node: HTMLElement | null;
}

/**
 * Show Markdown in `container` as it comes. Any way to cut a text into pushes gives the same nodes.
 *
 * A link definition counts from its own blocks on: text before it that refers to it is closed by then.
 */
export function createMarkdownStream(
  container: HTMLElement,
  options: MarkdownOptions = {},
): MarkdownStream {
  const schedule = options.schedule ?? nextFrame;
  const boundaries = new Boundaries();
  /** Definitions of the closed blocks. */
  const links: Links = {};
  /** Text of the open blocks, and how much of it was looked through for cuts. */
  let open = "";
  let scanned = 0;
  let shown: Shown[] = [];
  let shownLinks = "";
  let pending = "";
  let carriage = false;
  let ended = false;
  let cancel: (() => void) | null = null;
  let cost = 0;

  const render = (): void => {
    cancel = null;
    if (pending === "") return;
    const started = performance.now();
    open += pending;
    pending = "";
    for (let end = open.indexOf("\n", scanned); end >= 0; end = open.indexOf("\n", scanned)) {
      if (boundaries.next(open.slice(scanned, end))) {
        show(open.slice(0, scanned), true);
        open = open.slice(scanned);
        end -= scanned;
      }
      scanned = end + 1;
    }
    show(open, false);
    cost = performance.now() - started;
  };

  const show = (source: string, close: boolean): void => {
    const tokens = lex(source, links);
    const found = JSON.stringify(tokens.links);
    let kept = 0;
    const next: Shown[] = [];
    for (const token of tokens) {
      if (token.type === "space" || token.type === "def") continue;
      const before = shown[kept];
      if (before !== undefined && kept === next.length && found === shownLinks) {
        if (same(before.token, token)) {
          next.push({ token, node: before.node });
          kept += 1;
          continue;
        }
        if (
          token.type === "code" &&
          before.token.type === "code" &&
          before.node !== null &&
          growCode(before.node, before.token as Tokens.Code, token as Tokens.Code)
        ) {
          next.push({ token, node: before.node });
          kept += 1;
          continue;
        }
      }
      next.push({ token, node: null });
    }
    const stale = shown.slice(kept);
    const fresh = document.createDocumentFragment();
    const made = next.map((one, index) => {
      if (index < kept) return one;
      const node = safeBlock(one.token);
      if (node !== null) fresh.append(node);
      return { token: one.token, node };
    });
    container.append(fresh);
    for (const { node } of stale) node?.remove();
    shown = close ? [] : made;
    shownLinks = found;
    if (close) {
      Object.assign(links, tokens.links);
      shownLinks = JSON.stringify(links);
    }
  };

  return {
    push(text) {
      if (ended || text === "") return;
      // A line end may be cut in two.
      let more = carriage ? `\r${text}` : text;
      carriage = more.endsWith("\r");
      if (carriage) more = more.slice(0, -1);
      pending += more.replace(/\r\n?/g, "\n");
      cancel ??= cost > SLOW_MS ? later(schedule, cost * REST, render) : schedule(render);
    },
    flush() {
      cancel?.();
      render();
    },
    end() {
      if (ended) return;
      ended = true;
      if (carriage) pending += "\n";
      cancel?.();
      render();
    },
  };
}

/** What comes after a block may change how the same characters read, so the parsed text counts too. */
function same(before: Token, after: Token): boolean {
  const text = (token: Token): unknown => (token as Tokens.Generic)["text"];
  return before.type === after.type && before.raw === after.raw && text(before) === text(after);
}

interface Lexed extends Iterable<Token> {
  readonly links: Links;
}

function lex(source: string, known: Links): Lexed {
  if (source.length > PLAIN_LENGTH || marks(source) > PLAIN_MARKS) return asPlain(source, known);
  try {
    const lexer = new Lexer({ gfm: true });
    Object.assign(lexer.tokens.links, known);
    return lexer.lex(source);
  } catch {
    // Nesting that is deeper than the stack.
    return asPlain(source, known);
  }
}

function marks(source: string): number {
  if (source.length <= PLAIN_MARKS || /^(?:```|~~~)/.test(source)) return 0;
  let count = 0;
  for (const mark of ["*", "_"]) {
    for (let at = source.indexOf(mark); at >= 0; at = source.indexOf(mark, at + 1)) count += 1;
  }
  return count;
}

function asPlain(source: string, links: Links): Lexed {
  const token: Tokens.Generic = { type: "plain", raw: source };
  return Object.assign([token as Token], { links });
}

function safeBlock(token: Token): HTMLElement | null {
  try {
    return block(token);
  } catch {
    return plain(token.raw);
  }
}

function nextFrame(render: () => void): () => void {
  const frame = requestAnimationFrame(render);
  return () => cancelAnimationFrame(frame);
}

function later(
  schedule: (render: () => void) => () => void,
  delay: number,
  render: () => void,
): () => void {
  let cancel = (): void => clearTimeout(timer);
  const timer = setTimeout(() => (cancel = schedule(render)), delay);
  return () => cancel();
}
