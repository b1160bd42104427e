/** The inline content of one block on the screen, as it grows. */

import type { Definitions } from "../definitions.ts";
import type { Footnotes } from "../footnotes.ts";
import type { Order } from "../inlines/attention.ts";
import { scan, type Context } from "../inlines/scan.ts";
import { grownTail, type Tail } from "../inlines/tail.ts";
import type { Inline } from "../inlines/tree.ts";
import type { Labels } from "../labels.ts";
import { lastNode, type Elements, type Shown } from "./elements.ts";

/** Text that is settled is left alone once there is so much of it. */
const SETTLE_AFTER = 512;
/** A text of which so much is unsettled, or that is so long, is shown again when it has grown by a part of its length. */
const LONG_UNSETTLED = 2048;
const LONG = 8192;
/** The browser lays out all of a text whenever it grows: from here on, more and more of it is waited for. */
const VERY_LONG = 400_000;

/** What all texts of a document share. */
export interface Desk {
  readonly elements: Elements;
  readonly definitions: Definitions;
  readonly footnotes: Footnotes;
  readonly labels: Labels;
  readonly math: boolean;
}

/** Where a text's nodes go. Asked once, when the text has something to show. */
export type Place = () => HTMLElement;

export class Prose implements Context {
  readonly cell: boolean;
  task: boolean;
  readonly math: boolean;
  final = false;
  readonly #desk: Desk;
  readonly #place: Place;
  #host: HTMLElement | null = null;
  #text = "";
  /** Where the unsettled part begins, and what is known there. */
  #base = 0;
  #order: Order = null;
  readonly #settled: Node[] = [];
  readonly #live: Shown[] = [];
  #read = 0;
  #tail: Tail | null = null;
  #wants = false;

  constructor(desk: Desk, place: Place, { cell = false, task = false } = {}) {
    [this.#desk, this.#place, this.cell, this.task, this.math] = [desk, place, cell, task, desk.math];
  }

  /** The element that holds its nodes, if there are any. */
  get host(): HTMLElement | null {
    return this.#host;
  }

  /** Its nodes, in order. */
  get nodes(): readonly Node[] {
    return [...this.#settled, ...this.#live.flatMap(({ node, more }) => [node, ...more])];
  }

  target(label: string): ReturnType<Context["target"]> {
    return this.#desk.definitions.target(label);
  }

  wanted(label: string): void {
    this.#wants = true;
    this.#desk.definitions.want(label, this);
  }

  call(label: string): number | null {
    this.#wants = true;
    return this.#desk.footnotes.call(label, this);
  }

  /** Show a text that goes on from the one before. `final` when no more of it comes; `force` to show all, however long. */
  show(text: string, final: boolean, force = false): void {
    this.#text = text;
    this.final = final;
    const grown = text.length - this.#read;
    if (!final && !force && grown < worthwhile(text.length, text.length - this.#base)) return;
    if (!final && (grown === 0 || this.#grow(text))) return;
    this.#read = text.length;
    let found = scan(text, this.#base, text.length, this.#order, this);
    if (!final && found.stop - this.#base >= SETTLE_AFTER && !this.#wants) {
      this.#settle(found.stop, found.order);
      found = scan(text, this.#base, text.length, this.#order, this);
    }
    this.#tail = found.tail;
    this.#show(found.inlines);
  }

  /** Show what has come since, if it is only more of the plain text at the end. */
  #grow(text: string): boolean {
    const was = this.#tail;
    const last = this.#live.at(-1);
    if (was === null || last === undefined || text.length < this.#read || text.length - was.from > SETTLE_AFTER) return false;
    const tail = grownTail(text, was, this.#read);
    if (tail === null) return false;
    if (tail.to > was.to) this.#desk.elements.append(last, text.slice(was.to, tail.to));
    [this.#tail, this.#read] = [tail, text.length];
    return true;
  }

  /** Read all again: a label has got its target. */
  again(): void {
    [this.#base, this.#order, this.#tail] = [0, null, null];
    const behind = this.#behind();
    for (const node of this.#settled.splice(0)) node.parentNode?.removeChild(node);
    this.#show(scan(this.#text, 0, this.#text.length, null, this).inlines, behind);
  }

  /** Move all nodes into another element, which takes their place. */
  move(element: HTMLElement): void {
    const { nodes } = this;
    nodes[0]?.parentNode?.insertBefore(element, nodes[0]);
    element.append(...nodes);
    this.#host = element;
  }

  /** Take all nodes away. */
  clear(): void {
    for (const node of this.nodes) node.parentNode?.removeChild(node);
    this.#settled.length = 0;
    this.#live.length = 0;
    [this.#base, this.#order, this.#read, this.#tail] = [0, null, 0, null];
  }

  #settle(stop: number, order: Order): void {
    this.final = true;
    const { inlines } = scan(this.#text, this.#base, stop, this.#order, this);
    this.final = false;
    this.#show(inlines);
    this.#settled.push(...this.#live.splice(0).flatMap(({ node, more }) => [node, ...more]));
    this.#base = stop;
    this.#order ??= order;
  }

  #show(inlines: readonly Inline[], before: Node | null = this.#behind()): void {
    if (this.#host === null) {
      if (inlines.length === 0) return;
      this.#host = this.#place();
    }
    this.#desk.elements.patch(this.#host, this.#live, inlines, before);
  }

  /** What comes after its last node in the same element. */
  #behind(): Node | null {
    const live = this.#live.at(-1);
    const last = live ? lastNode(live) : this.#settled.at(-1);
    return last?.parentNode === this.#host ? (last?.nextSibling ?? null) : null;
  }
}

/** By how much a text has to grow to be shown again. */
function worthwhile(length: number, unsettled: number): number {
  const part = Math.max(unsettled > LONG_UNSETTLED ? unsettled / 64 : 0, length > LONG ? length / 256 : 0);
  return part * (1 + length / VERY_LONG);
}
