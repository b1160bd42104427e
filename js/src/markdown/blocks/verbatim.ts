/** The blocks whose text is shown as it is written: code, raw HTML, and formulas as far as they cannot be drawn. */

import type { Labels } from "../labels.ts";
import type { MarkdownOptions } from "../options.ts";
import { visible } from "../safety.ts";
import { CodeView } from "../view/code.ts";
import type { Desk, Place } from "../view/prose.ts";
import type { Leaf } from "./leaf.ts";
import type { OpenLeaf } from "./plan.ts";
import { endsHtml, type Fence, type HtmlKind } from "./starts.ts";

/** Fenced and indented code. */
export class Code implements Leaf {
  readonly open: OpenLeaf;
  readonly #view: CodeView;
  /** Empty lines of indented code: part of it if more of it comes. */
  #blanks: string[] = [];
  #frames = 0;
  /** Indented code that begins where a paragraph might have gone on ends with its first line, as in the reference parser. */
  alone = false;

  constructor(fence: Fence | null, name: string, options: MarkdownOptions, labels: Labels, place: Place) {
    this.open = fence === null ? { type: "indented" } : { type: "fence", fence };
    this.#view = new CodeView({ name, options }, labels);
    place().append(this.#view.element);
  }

  get tail(): HTMLElement {
    return this.#view.tail;
  }

  line(text: string): void {
    for (const blank of this.#blanks.splice(0)) {
      this.#view.beginLine();
      this.#view.append(blank);
      this.#view.endLine();
    }
    this.#view.beginLine();
    this.#view.append(text);
  }

  blank(text: string): void {
    this.#blanks.push(text);
  }

  more(text: string): void {
    this.#view.append(text);
  }

  lineEnd(): boolean {
    this.#view.endLine();
    return this.alone;
  }

  draw(): void {
    this.#frames += 1;
    this.#view.draw();
  }

  close(): void {
    this.#view.close(this.#frames === 0);
  }
}

/** Raw HTML, shown as it is written. */
export class Html implements Leaf {
  readonly open: OpenLeaf;
  readonly #kind: HtmlKind;
  readonly #element: HTMLElement;
  #line = "";
  #shown = 0;
  #lines = 0;

  constructor(kind: HtmlKind, place: Place) {
    this.open = { type: "html", kind };
    this.#kind = kind;
    this.#element = document.createElement("div");
    this.#element.className = "streamchat-md-html";
    place().append(this.#element);
  }

  get tail(): HTMLElement {
    return this.#element;
  }

  line(text: string): void {
    if (this.#lines > 0) this.#element.append("\n");
    this.#lines += 1;
    this.#line = text;
    this.#shown = 0;
  }

  more(text: string): void {
    this.#line += text;
  }

  lineEnd(): boolean {
    this.draw();
    return endsHtml(this.#line, this.#kind);
  }

  draw(): void {
    if (this.#shown === this.#line.length) return;
    this.#element.append(visible(this.#line.slice(this.#shown)));
    this.#shown = this.#line.length;
  }

  close(): void {
    this.draw();
    this.#element.append("\n");
  }
}

/** A formula of several lines, which may look like any blocks. It shows when it is closed; if it never is, as text. */
export class Formula implements Leaf {
  readonly open: OpenLeaf;
  readonly tail = null;
  readonly #desk: Desk;
  readonly #place: Place;
  readonly #end: string;
  #text = "";
  #begun = false;
  /** Before here, nothing closes it. */
  #open = 2;

  constructor(desk: Desk, end: string, place: Place) {
    this.open = { type: "math", close: end };
    [this.#desk, this.#end, this.#place] = [desk, end, place];
  }

  line(text: string): void {
    this.#text += this.#begun ? `\n${text}` : text;
    this.#begun = true;
  }

  more(text: string): void {
    this.#text += text;
  }

  lineEnd(): boolean {
    if (this.#text.includes(this.#end, this.#open)) return true;
    this.#open = Math.max(2, this.#text.length);
    return false;
  }

  draw(): void {}

  close(): void {
    const element = document.createElement("p");
    this.#place().append(element);
    const end = this.#text.indexOf(this.#end, 2);
    const to = end < 0 ? this.#text.length : end + 2;
    const written = this.#text.slice(0, to);
    const after = { type: "text", value: this.#text.slice(to) } as const;
    const formula = { type: "math", source: written.slice(2, -2), display: true, written } as const;
    const whole = end < 0 ? [{ type: "text", value: written } as const] : [formula];
    this.#desk.elements.patch(element, [], after.value.trim() === "" ? whole : [...whole, after], null);
  }
}
