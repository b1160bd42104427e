/** The open blocks of a text that grows, and what each line does to them. Lines come whole or in pieces. */

import { DocumentBlock, FootnoteBlock, ListBlock, QuoteBlock, type ContainerBlock } from "./blocks/containers.ts";
import { unindented } from "./blocks/cursor.ts";
import type { Leaf } from "./blocks/leaf.ts";
import { Heading, Paragraph, Table } from "./blocks/leaves.ts";
import { planLine, type Plan, type Start } from "./blocks/plan.ts";
import { isRule, type Align } from "./blocks/starts.ts";
import { Code, Formula, Html } from "./blocks/verbatim.ts";
import { Definitions } from "./definitions.ts";
import { Footnotes } from "./footnotes.ts";
import { unescaped } from "./inlines/characters.ts";
import { normalized } from "./inlines/link.ts";
import { ENGLISH } from "./labels.ts";
import type { MarkdownOptions } from "./options.ts";
import { Elements } from "./view/elements.ts";
import type { Desk } from "./view/prose.ts";

/** A line that stays undecided for longer is looked at again when it has grown by an eighth. */
const LONG_UNDECIDED = 256;

export class MarkdownDocument {
  readonly #options: MarkdownOptions;
  readonly #desk: Desk;
  readonly #root: DocumentBlock;
  #containers: ContainerBlock[] = [];
  #leaf: Leaf | null = null;
  /** The line that has begun: what of it no block has got yet. Null after a block took its beginning. */
  #undecided: string | null = "";
  #looked = 0;
  /** Empty lines came: how many containers their own marks name, at least. -1 where there are none. */
  #blanks = -1;

  constructor(container: HTMLElement, options: MarkdownOptions) {
    this.#options = options;
    this.#root = new DocumentBlock(container);
    const labels = options.labels ?? ENGLISH;
    const footnotes = new Footnotes(container, labels);
    this.#desk = { elements: new Elements(options, footnotes), definitions: new Definitions(), footnotes, labels, math: Boolean(options.math) };
  }

  /** More of the open line: no line end is in it. */
  text(text: string): void {
    if (this.#undecided === null) this.#leaf?.more(text);
    else this.#undecided += text;
  }

  /** The open line is complete. */
  lineEnd(): void {
    if (this.#undecided !== null) {
      const plan = this.#plan(this.#undecided, true);
      if (plan !== null) this.#apply(plan);
    }
    if (this.#leaf?.lineEnd()) this.#closeLeaf();
    this.#undecided = "";
    this.#looked = 0;
  }

  /** Show all that has come, as far as it is certain. */
  draw(force: boolean): void {
    const line = this.#undecided;
    if (line && (line.length < LONG_UNDECIDED || force || line.length > this.#looked * 1.125)) {
      this.#looked = line.length;
      const plan = this.#plan(line, false);
      if (plan !== null) {
        this.#undecided = null;
        this.#apply(plan);
      }
    }
    this.#leaf?.draw(force);
    this.#settle();
  }

  /** No more text comes. */
  end(): void {
    this.#ending = true;
    if (this.#undecided !== "") this.lineEnd();
    this.#closeContainers(0);
    this.#root.close();
    this.#desk.footnotes.end();
    this.#settle();
  }

  #settle(): void {
    this.#desk.definitions.settle();
    this.#desk.footnotes.settle();
  }

  /** The element in which the text ends, if there is one. */
  get tail(): HTMLElement | null {
    return this.#leaf?.tail ?? null;
  }

  #plan(line: string, complete: boolean): Plan | null {
    return planLine(line, { containers: this.#containers, leaf: this.#leaf?.open ?? null, math: this.#desk.math }, complete);
  }

  get #inner(): DocumentBlock | ContainerBlock {
    return this.#containers.at(-1) ?? this.#root;
  }

  #apply({ continued, sibling, starts, lazy, flow, cursor }: Plan): void {
    const blank = flow.type === "blank";
    const begins = sibling !== null || starts.length > 0;
    this.#space(blank && !begins, continued, sibling !== null, flow.type === "more");
    // The reference parser lets such a tag join the containers that a paragraph's text may.
    const joins = flow.type === "more" || (flow.type === "html" && flow.kind === 7 && this.#leaf instanceof Paragraph && !this.#ending);
    if (!lazy || !joins) {
      if (begins || continued < this.#containers.length) this.#closeContainers(continued);
    }
    const list = this.#containers[continued - 1];
    if (sibling !== null && list?.type === "list") list.next(sibling);
    for (const start of starts) {
      this.#containers.push(this.#container(start));
    }
    if (blank) this.#blank(begins, cursor.rest);
    else this.#flow(flow, cursor, lazy);
  }

  #container(start: Start): ContainerBlock {
    const parent = this.#inner.children;
    switch (start.type) {
      case "quote":
        return new QuoteBlock(parent, this.#options.directions);
      case "footnote":
        return new FootnoteBlock(this.#desk.footnotes, normalized(start.label));
      case "list":
        return new ListBlock(parent, start, this.#options.directions);
    }
  }

  /** What empty lines mean for the list that goes on after them. */
  #space(blank: boolean, continued: number, sibling: boolean, more: boolean): void {
    this.#containers.slice(0, continued).forEach((container, index) => {
      if (container.type !== "list" || (sibling && index === continued - 1)) return;
      container.closed = blank && (container.closed || container.emptyStart);
      if (!blank) container.emptyStart = false;
    });
    if (blank || this.#blanks < 0) return;
    const last = this.#containers[continued - 1];
    const absorbed = more && this.#leaf instanceof Code;
    if (last?.type === "list" && continued >= this.#blanks && !absorbed) last.loosen();
    this.#blanks = -1;
  }

  #blank(begins: boolean, rest: string): void {
    if (this.#leaf instanceof Code && this.#leaf.open.type === "indented") this.#leaf.blank(rest.slice(4));
    else this.#closeLeaf();
    // The end of a marker's own line is no empty line.
    if (begins && this.#inner instanceof ListBlock) return;
    const quotes = this.#containers.findLastIndex(({ type }) => type === "quote") + 1;
    this.#blanks = this.#blanks < 0 ? quotes : Math.min(this.#blanks, quotes);
  }

  #flow(flow: Plan["flow"], cursor: Plan["cursor"], lazy: boolean): void {
    switch (flow.type) {
      case "blank":
        return;
      case "more":
        return this.#more(cursor);
      case "paragraph":
        return this.#paragraph(unindented(cursor.rest), flow.indented);
      case "heading":
        this.#closeLeaf();
        this.#leaf = new Heading(this.#desk, flow.level, this.#place);
        return this.#leaf.line(unindented(cursor.rest).slice(flow.level));
      case "setext":
        return this.#setext(flow.level, unindented(cursor.rest));
      case "rule":
        this.#closeLeaf();
        return this.#inner.children.append(document.createElement("hr"));
      case "fence":
        this.#closeLeaf();
        this.#fenceIndent = flow.indent;
        this.#leaf = new Code(flow.fence, unescaped(flow.fence.info.split(/[ \t]/)[0] ?? ""), this.#options, this.#desk.labels, this.#place);
        return;
      case "fenceEnd":
        return this.#closeLeaf();
      case "html":
        this.#closeLeaf();
        // A line break, where text without an element of its own comes before.
        if (this.#inner.tight && this.#inner.children.count > 0) this.#inner.children.element.append("\n");
        this.#leaf = new Html(flow.kind, this.#place);
        return this.#leaf.line(cursor.rest);
      case "indented":
        this.#closeLeaf();
        cursor.skip(4);
        this.#leaf = Object.assign(new Code(null, "", this.#options, this.#desk.labels, this.#place), { alone: lazy });
        return this.#leaf.line(cursor.rest);
      case "tableHead":
        return this.#table(flow.aligns);
      case "row":
        return this.#leaf?.line(cursor.rest);
      case "math":
        this.#closeLeaf();
        this.#leaf = new Formula(this.#desk, flow.close, this.#place);
        return this.#leaf.line(unindented(cursor.rest));
      default:
        flow satisfies never;
    }
  }

  #fenceIndent = 0;
  /** The last line has no line end. */
  #ending = false;

  #more(cursor: Plan["cursor"]): void {
    if (this.#leaf instanceof Paragraph) return this.#leaf.line(cursor.rest, cursor.indent > 3);
    if (this.#leaf?.open?.type === "fence") {
      cursor.skip(this.#fenceIndent);
      if (this.#ending && cursor.rest === "") return this.#closeLeaf();
    }
    if (this.#leaf?.open?.type === "indented") cursor.skip(4);
    this.#leaf?.line(cursor.rest);
  }

  #paragraph(text: string, indented: boolean): void {
    this.#closeLeaf();
    const inner = this.#inner;
    const first = inner instanceof ListBlock && inner.children.count === 0;
    const place = (): HTMLElement => {
      const host = inner.children.next();
      if (inner.tight) return host;
      const element = document.createElement("p");
      host.append(element);
      return element;
    };
    const quote = inner instanceof QuoteBlock && this.#containers.length === 1 && inner.children.count === 0 ? inner : null;
    const leaf = new Paragraph(this.#desk, place, first && !indented, quote && ((kind) => quote.alert(kind, this.#desk.labels[kind])));
    if (inner instanceof ListBlock) inner.holds(leaf);
    this.#leaf = leaf;
    leaf.line(text);
  }

  #setext(level: number, text: string): void {
    const paragraph = this.#leaf;
    if (!(paragraph instanceof Paragraph)) return;
    this.#closeLeaf();
    if (!paragraph.empty) {
      if (paragraph.prose.task) {
        paragraph.prose.task = false;
        paragraph.prose.again();
      }
      const heading = document.createElement(`h${level}`);
      const { host } = paragraph.prose;
      paragraph.prose.move(heading);
      if (host?.tagName === "P") host.replaceWith(heading);
    } else if (isRule(text)) {
      this.#inner.children.append(document.createElement("hr"));
    } else {
      this.#paragraph(text, false);
    }
  }

  #table(aligns: readonly Align[]): void {
    const paragraph = this.#leaf;
    if (!(paragraph instanceof Paragraph)) return;
    const shown = paragraph.prose.host;
    paragraph.prose.clear();
    const header = paragraph.takeLastLine();
    if (paragraph.empty && shown?.tagName === "P") shown.remove();
    this.#leaf = new Table(this.#desk, aligns, header, this.#place, this.#options.directions);
  }

  readonly #place = (): HTMLElement => this.#inner.children.next();

  #closeContainers(size: number): void {
    this.#closeLeaf();
    for (const container of this.#containers.splice(size)) container.close();
  }

  #closeLeaf(): void {
    this.#leaf?.close();
    this.#leaf = null;
  }
}

