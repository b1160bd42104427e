/** What a user of the renderer may choose, and the two ports that keep mathematics and highlighting out of its core. */

import type { Labels } from "./labels.ts";

export interface MarkdownOptions {
  /** `ask`: a picture is a card with its full address until the person loads it. `load`: it is fetched at once. */
  readonly images?: "ask" | "load";
  /** Schemes that a link may have; by default `http`, `https` and `mailto`. Pictures: those of them that are `http` or `https`. */
  readonly schemes?: readonly string[];
  /** Whether links may go to addresses without a scheme, which the page's own address completes; by default they may. */
  readonly relative?: boolean;
  /** How `$…$`, `$$…$$`, `\(…\)` and `\[…\]` are drawn; by default they are text. */
  readonly math?: MathRenderer | false;
  /** How code is coloured; by default it is not. */
  readonly highlight?: Highlighter | false;
  /** The words on its buttons and the like; by default English ones. */
  readonly labels?: Labels;
  /** Call back when it is time to render; by default the next animation frame. Returns how to call it off. */
  readonly schedule?: (render: () => void) => () => void;
}

/** The nodes of a formula, without its delimiters; null where it cannot be read: then its source is shown. */
export type MathRenderer = (source: string, display: boolean) => Element | null;

export interface Highlighter {
  /** For the first word of a fence's info string; null where the language is not known. */
  open(language: string): LineHighlighter | null;
}

/** The colours of one code block, line by line; it keeps the state between lines. */
export interface LineHighlighter {
  /** The pieces of a line that is complete, without its line end. The next line goes on from here. */
  line(text: string): readonly Piece[];
  /** The pieces of a line as far as it has come. Changes no state. */
  partial(text: string): readonly Piece[];
}

/** The pieces of a line, joined, are the line. */
export interface Piece {
  readonly text: string;
  /** A class such as `streamchat-hl-keyword`; empty for plain text. */
  readonly style: string;
}
