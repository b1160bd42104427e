/** The blocks that hold blocks: the document, quotes and lists, each with its elements. */

import { Groups } from "../view/groups.ts";
import type { Footnotes } from "../footnotes.ts";
import type { AlertKind, Paragraph } from "./leaves.ts";
import type { ItemStart, List, Quote } from "./plan.ts";

export class DocumentBlock {
  readonly children: Groups;
  readonly tight = false;

  constructor(element: HTMLElement) {
    this.children = new Groups(element, "blocks");
  }

  close(): void {
    this.children.close();
  }
}

export class QuoteBlock implements Quote {
  readonly type = "quote";
  readonly tight = false;
  readonly children: Groups;

  /** `directions`: it runs as its text does. */
  constructor(parent: Groups, directions = false) {
    const element = document.createElement("blockquote");
    if (directions) element.dir = "auto";
    parent.append(element);
    this.children = new Groups(element, "blocks");
  }

  close(): void {
    this.children.close();
  }

  /** Show it as GitHub shows its alerts: its title is an attribute, like all words that are ours. */
  alert(kind: AlertKind, title: string): void {
    const { element } = this.children;
    element.className = `streamchat-md-alert streamchat-md-${kind}`;
    element.setAttribute("aria-label", title);
  }
}

export class ListBlock implements List {
  readonly type = "list";
  readonly ordered: boolean;
  readonly marker: string;
  size = 0;
  emptyStart = false;
  closed = false;
  /** Whether its paragraphs have no element of their own. */
  tight = true;
  /** The blocks of the open item. */
  children: Groups;
  readonly #items: Groups;
  readonly #number: number;
  #paragraphs: Paragraph[] = [];

  /** `directions`: it runs as its text does. */
  constructor(parent: Groups, start: ItemStart, directions = false) {
    this.ordered = start.ordered;
    this.marker = start.marker;
    const element = document.createElement(start.ordered ? "ol" : "ul");
    if (directions) element.dir = "auto";
    if (start.ordered && start.number !== 1) element.setAttribute("start", String(start.number));
    parent.append(element);
    this.#items = new Groups(element, "items");
    this.#number = start.number;
    this.children = this.#begin(start);
  }

  close(): void {
    this.children.close();
    this.#items.close();
  }

  next(start: ItemStart): void {
    this.children.close();
    this.children = this.#begin(start);
  }

  /** A paragraph that gets an element if the list becomes loose. */
  holds(paragraph: Paragraph): void {
    if (this.tight) this.#paragraphs.push(paragraph);
  }

  /** There is an empty line between its blocks: its paragraphs are set apart. */
  loosen(): void {
    if (!this.tight) return;
    this.tight = false;
    for (const { prose } of this.#paragraphs.splice(0)) {
      // One that has become a heading has its element.
      const heading = /^H\d$/.test(prose.host?.tagName ?? "");
      if (!heading && prose.nodes.length > 0) prose.move(document.createElement("p"));
    }
  }

  #begin(start: ItemStart): Groups {
    this.size = start.size;
    this.emptyStart = start.emptyStart;
    this.closed = false;
    const item = document.createElement("li");
    const host = this.#items.next();
    // Containment keeps the numbers of other groups out: they go on from here.
    if (this.ordered && host !== this.#items.element && !host.hasChildNodes()) item.style.counterSet = `list-item ${this.#number + this.#items.count - 1}`;
    host.append(item);
    return new Groups(item, "blocks");
  }
}

/** A footnote: its blocks stand with the others at the end of the document. */
export class FootnoteBlock {
  readonly type = "footnote";
  readonly tight = false;
  readonly children: Groups;
  readonly #close: () => void;

  constructor(footnotes: Footnotes, label: string) {
    const { item, close } = footnotes.define(label);
    this.children = new Groups(item, "blocks");
    this.#close = close;
  }

  close(): void {
    this.children.close();
    this.#close();
  }
}

export type ContainerBlock = QuoteBlock | ListBlock | FootnoteBlock;
