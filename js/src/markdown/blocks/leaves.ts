/** The blocks whose text has marks in it: paragraphs, headings and tables, each with its view. */

import { definition } from "../inlines/link.ts";
import { Prose, type Desk, type Place } from "../view/prose.ts";
import { TableView } from "../view/table.ts";
import { stripped, unindented } from "./cursor.ts";
import type { Leaf } from "./leaf.ts";
import type { OpenLeaf } from "./plan.ts";
import type { Align } from "./starts.ts";

/** What GitHub knows of alerts. */
export type AlertKind = "note" | "tip" | "important" | "warning" | "caution";
const ALERT = /^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*\n?$/i;

export class Paragraph implements Leaf {
  readonly #desk: Desk;
  readonly #prose: Prose;
  #text = "";
  /** Where its own text begins, after definitions. */
  #from = 0;
  #lastLine = 0;
  #lastIndented = false;
  #alert: ((kind: AlertKind) => void) | null;
  /** Whether what comes next may be a definition. */
  #defines = true;

  /** `task`: it may begin with a box. `alert`: it may begin with a line that makes an alert of its quote. */
  constructor(desk: Desk, place: Place, task: boolean, alert: ((kind: AlertKind) => void) | null) {
    this.#desk = desk;
    this.#alert = alert;
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
    this.#alarm();
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
    if (this.#alert !== null && ALERT.test(this.#text)) return;
    if (this.#defines) {
      // A definition, or what may become one, shows nothing.
      this.#define(false);
      if (this.#defines) return;
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

  /** A second line has come: the first may have been an alert's. */
  #alarm(): void {
    const kind = this.#text === "" ? undefined : ALERT.exec(this.#text)?.[1];
    if (kind !== undefined) {
      this.#alert?.(kind.toLowerCase() as AlertKind);
      this.#from = this.#alert === null ? 0 : this.#text.length;
    }
    if (this.#text !== "") this.#alert = null;
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

export class Table implements Leaf {
  readonly open: OpenLeaf = { type: "table" };
  readonly #view: TableView;

  constructor(desk: Desk, aligns: readonly Align[], header: string, place: Place, directions = false) {
    this.#view = new TableView(desk, aligns, header);
    if (directions) this.#view.element.dir = "auto";
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

  close(): void {
    this.#view.close();
  }
}
