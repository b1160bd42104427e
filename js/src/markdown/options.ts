/** What a user of the renderer may choose, and the ports that keep mathematics, highlighting and the page around it out of its core. */

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
  /**
   * More that can be done with a block of code, beside Copy. Called once for each block, when it is complete; what is
   * offered last counts, and may be offered at any time.
   */
  readonly actions?: (code: ClosedCode, offer: (actions: readonly CodeAction[]) => void) => void;
  /** Whether lists, quotes and tables run as their text does, from the left or from the right; by default as the page does. */
  readonly directions?: boolean;
  /** The words on its buttons and the like; by default English ones. */
  readonly labels?: Labels;
  /** Call back when it is time to render; by default the next animation frame. Returns how to call it off. */
  readonly schedule?: (render: () => void) => () => void;
}

/** A block of code that is complete. */
export interface ClosedCode {
  /** The first word of a fence's info string; empty where there is none. */
  readonly language: string;
  /** As it was written; each line has its end. */
  readonly text: string;
  readonly element: HTMLElement;
}

export interface CodeAction {
  /** What stands on its button, and what does where there is little room. */
  readonly label: string;
  readonly short: string;
  /** What exactly it would do. */
  readonly title: string;
  /** Called by a click; what it says stands on the button for a moment. */
  readonly run: (say: (words: string) => void) => void;
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
