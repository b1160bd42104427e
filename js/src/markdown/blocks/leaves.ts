/** The blocks that take text, each with its view: what a line adds to them, and how they end. */

import { definition } from "../inlines/link.ts";
import type { Highlighter } from "../options.ts";
import { CodeView } from "../view/code.ts";
import { Prose, type Desk, type Place } from "../view/prose.ts";
import { TableView } from "../view/table.ts";
import { visible } from "../safety.ts";
import { stripped, unindented } from "./cursor.ts";
import type { OpenLeaf } from "./plan.ts";
import { endsHtml, type Align, type Fence, type HtmlKind } from "./starts.ts";

export interface Leaf {
  /** What the meaning of the next line depends on. */
  readonly open: OpenLeaf | null;
  /** Another line begins, with this text. */
  line(text: string): void;
  /** More text of the line. */
  more(text: string): void;
  /** The line is complete; true if the block ends with it. */
  lineEnd(): boolean;
  /** Show it as far as it has come; `force` to hold nothing back for being long. */
  draw(force: boolean): void;
  /** Nothing more comes. */
  close(): void;
  /** Where the mark of the end of the text belongs. */
  readonly tail: HTMLElement | null;
}

export class Paragraph implements Leaf {
  readonly #desk: Desk;
  readonly #prose: Prose;
  #text = "";
  /** Where its own text begins, after definitions. */
  #from = 0;
  #lastLine = 0;
  #lastIndented = false;
  /** Whether what comes next may be a definition. */
  #defines = true;

  constructor(desk: Desk, place: Place, task: boolean) {
    this.#desk = desk;
    this.#prose = new Prose(desk, place, { task });
  }

  get open(): OpenLeaf {
    return { type: "paragraph", lastLine: this.#text.slice(this.#lastLine), lastIndented: this.#lastIndented };
  }

  get prose(): Prose {
    return this.#prose;
  }

  get tail(): HTMLElement | null {
    return this.#prose.host;
  }

  line(text: string, indented = false): void {
    if (this.#text !== "") this.#text += "\n";
    this.#define(false);
    this.#lastLine = this.#text.length;
    this.#lastIndented = indented;
    this.#text += text;
  }

  more(text: string): void {
    this.#text += text;
  }

  lineEnd(): boolean {
    return false;
  }

  draw(force: boolean): void {
    if (this.#defines) {
      // A definition, or what may become one, shows nothing.
      this.#define(false);
      if (this.#defines && definition(this.#text, this.#from) !== null) return;
    }
    let to = this.#text.length;
    // The line may be the head of a table.
    if (/^[ \t]*\|/.test(this.#text.slice(this.#lastLine, this.#lastLine + 8))) to = this.#lastLine;
    if (to > this.#from) this.#prose.show(this.#text.slice(this.#from, to), false, force);
  }

  close(): void {
    this.#define(true);
    if (this.#from < this.#text.length) this.#prose.show(this.#text.slice(this.#from), true);
  }

  /** Whether anything but definitions is in it; for a paragraph that is closed. */
  get empty(): boolean {
    return this.#from >= this.#text.length;
  }

  /** End before the last line, and give it. */
  takeLastLine(): string {
    const line = this.#text.slice(this.#lastLine);
    this.#text = this.#text.slice(0, Math.max(0, this.#lastLine - 1));
    this.close();
    return line;
  }

  /** Take the definitions that no later line can change; at the end all of them. */
  #define(final: boolean): void {
    while (this.#defines) {
      if (this.#from >= this.#text.length) return;
      const found = definition(this.#text, this.#from);
      if (!final && (found === undefined || found?.open)) return;
      if (!found) {
        this.#defines = false;
        return;
      }
      if (!final && found.to >= this.#text.length) return;
      this.#desk.definitions.define(found.label, found);
      this.#from = found.to;
    }
  }
}

export class Heading implements Leaf {
  readonly open = null;
  readonly #prose: Prose;
  readonly #element: HTMLElement;
  #text = "";

  constructor(desk: Desk, level: number, place: Place) {
    this.#element = document.createElement(`h${level}`);
    place().append(this.#element);
    this.#prose = new Prose(desk, () => this.#element);
  }

  get tail(): HTMLElement {
    return this.#element;
  }

  line(text: string): void {
    this.#text = text;
  }

  more(text: string): void {
    this.#text += text;
  }

  lineEnd(): boolean {
    return true;
  }

  draw(force: boolean): void {
    // What ends it may be marks, and is not shown before they are none.
    const text = this.#text.replace(/(?:^|[ \t])[ \t]*#*[ \t]*$/, "");
    if (text !== "") this.#prose.show(unindented(text), false, force);
  }

  close(): void {
    this.#prose.show(stripped(this.#text).replace(/(?:^|[ \t]+)#+$/, ""), true);
  }
}

/** Fenced and indented code. */
export class Code implements Leaf {
  readonly open: OpenLeaf;
  readonly #view: CodeView;
  /** Empty lines of indented code: part of it if more of it comes. */
  #blanks: string[] = [];
  #frames = 0;
  /** Indented code that begins where a paragraph might have gone on ends with its first line, as in the reference parser. */
  alone = false;

  constructor(fence: Fence | null, name: string, highlight: Highlighter | false | undefined, place: Place) {
    this.open = fence === null ? { type: "indented" } : { type: "fence", fence };
    this.#view = new CodeView({ name, highlight });
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
    return this.#text.includes(this.#end, 2);
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

export class Table implements Leaf {
  readonly open: OpenLeaf = { type: "table" };
  readonly #view: TableView;

  constructor(desk: Desk, aligns: readonly Align[], header: string, place: Place) {
    this.#view = new TableView(desk, aligns, header);
    place().append(this.#view.element);
  }

  get tail(): HTMLElement {
    return this.#view.tail;
  }

  line(text: string): void {
    this.#view.beginRow();
    this.#view.append(text);
  }

  more(text: string): void {
    this.#view.append(text);
  }

  lineEnd(): boolean {
    this.#view.endRow();
    return false;
  }

  draw(force: boolean): void {
    this.#view.draw(force);
  }

  close(): void {}
}
