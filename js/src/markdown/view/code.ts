/** A block of code on the screen, line by line: what language, its lines in groups, and what a person can do with it. */

import type { Labels } from "../labels.ts";
import type { LineHighlighter, MarkdownOptions, Piece } from "../options.ts";
import { visible } from "../safety.ts";
import { ACTION, Actions } from "./actions.ts";
import { button } from "./button.ts";
import { setText } from "./elements.ts";
import { Groups } from "./groups.ts";

/** A longer line is coloured only when it is complete; one longer still, not at all. */
const LONG_LINE = 1000;
/** A block that comes whole and has more lines is folded. */
const FOLDED_LINES = 40;

export interface Language {
  /** The first word of the info string; empty where there is none. */
  readonly name: string;
  readonly options: MarkdownOptions;
}

export class CodeView {
  readonly element: HTMLElement;
  readonly #frame: Frame;
  readonly #code: HTMLElement;
  readonly #groups: Groups;
  readonly #colours: LineHighlighter | null;
  readonly #name: string;
  readonly #actions: Actions;
  readonly #ask: MarkdownOptions["actions"];
  #text = "";
  #line = "";
  #lines = 0;
  #shown: { piece: Piece; node: Node }[] = [];
  #drawn = 0;
  #parent: HTMLElement;

  constructor({ name, options: { highlight, actions } }: Language, labels: Labels) {
    const pre = document.createElement("pre");
    this.#code = document.createElement("code");
    if (name !== "") this.#code.className = `language-${name}`;
    // A long line is scrolled to with the arrow keys.
    pre.tabIndex = 0;
    pre.appendChild(this.#code);
    this.#name = name;
    this.#ask = actions;
    this.#actions = new Actions(labels, () => this.#text);
    this.#frame = frame(name, pre, labels, this.#actions.copy);
    this.element = this.#frame.block;
    this.#groups = new Groups(this.#code, "lines");
    this.#parent = this.#code;
    this.#colours = (highlight && name !== "" && highlight.open(name)) || null;
  }

  /** Where the mark of the end of the text belongs. */
  get tail(): HTMLElement {
    return this.#parent;
  }

  beginLine(): void {
    if (this.#lines > 0) this.#newline();
    this.#lines += 1;
    this.#line = "";
    this.#shown = [];
    this.#drawn = 0;
    this.#parent = this.#groups.next();
  }

  append(text: string): void {
    this.#line += text;
    this.#text += text;
  }

  /** Show the open line as far as it has come. */
  draw(): void {
    if (this.#drawn === this.#line.length) return;
    if (this.#colours === null || this.#line.length > LONG_LINE) this.#grow();
    else this.#pieces(this.#colours.partial(this.#line));
  }

  endLine(): void {
    if (this.#colours === null) this.#grow();
    else this.#pieces(this.#colours.line(this.#line));
  }

  /** No more lines come. */
  close(whole: boolean): void {
    if (this.#lines > 0) this.#newline();
    this.#groups.close();
    this.#ask?.({ language: this.#name, text: this.#text, element: this.element }, (actions) => this.#actions.offer(actions));
    if (this.#lines <= FOLDED_LINES) return;
    this.element.classList.add("streamchat-md-long-code");
    if (whole) this.#frame.fold();
  }

  #newline(): void {
    this.#text += "\n";
    const last = this.#shown.at(-1)?.node;
    if (last instanceof Text) setText(last, `${last.data}\n`);
    else this.#parent.append("\n");
  }

  /** The line's new characters, without colours. */
  #grow(): void {
    if (this.#drawn === this.#line.length) return;
    const text = visible(this.#line);
    const last = this.#shown.at(-1)?.node;
    if (this.#shown.length === 1 && last instanceof Text && text.startsWith(last.data) && last.data.length < LONG_LINE) {
      setText(last, text);
    } else if (this.#shown.length === 0) {
      this.#add({ text, style: "" });
    } else {
      this.#add({ text: visible(this.#line.slice(this.#drawn)), style: "" });
    }
    this.#drawn = this.#line.length;
  }

  #pieces(pieces: readonly Piece[]): void {
    let same = 0;
    for (; same < this.#shown.length && same < pieces.length; same += 1) {
      const [old, piece] = [this.#shown[same], pieces[same]];
      if (old === undefined || piece === undefined || old.piece.style !== piece.style) break;
      if (old.piece.text !== piece.text) setText((old.node instanceof Text ? old.node : old.node.firstChild) as Text, visible(piece.text));
      old.piece = piece;
    }
    for (const { node } of this.#shown.splice(same)) node.parentNode?.removeChild(node);
    for (const piece of pieces.slice(same)) this.#add(piece);
    this.#drawn = this.#line.length;
  }

  #add(piece: Piece): void {
    const text = document.createTextNode(visible(piece.text));
    let node: Node = text;
    if (piece.style !== "") {
      const span = document.createElement("span");
      span.className = piece.style;
      span.appendChild(text);
      node = span;
    }
    this.#parent.appendChild(node);
    this.#shown.push({ piece, node });
  }
}

interface Frame {
  readonly block: HTMLElement;
  /** Fold it, or unfold it. */
  readonly fold: () => void;
}

/** The block's frame. Its words are attributes, not text: they are never part of what is selected, found or copied. */
function frame(name: string, pre: HTMLElement, labels: Labels, copy: HTMLElement): Frame {
  const block = document.createElement("div");
  block.className = "streamchat-md-code";
  block.dir = "ltr";
  const head = document.createElement("div");
  head.className = "streamchat-md-code-head";
  const label = document.createElement("span");
  label.className = "streamchat-md-language";
  // Its name is not content: without a role it would not be read.
  label.setAttribute("role", "note");
  label.setAttribute("aria-label", visible(name) || labels.text);
  const wrap = button(ACTION, labels.wrap, () => block.classList.toggle("streamchat-md-wrapped"));
  const toggle = (): void => {
    const folded = block.classList.toggle("streamchat-md-folded");
    fold.setAttribute("aria-label", folded ? labels.unfold : labels.fold);
  };
  const fold = button(ACTION, labels.fold, toggle);
  fold.classList.add("streamchat-md-fold");
  head.append(label, fold, wrap, copy);
  block.append(head, pre);
  return { block, fold: toggle };
}
