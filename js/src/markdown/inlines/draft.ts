/** What a scan has made so far: items, and the plain text that it has passed and that is not an item yet. */

import type { Bracket, Delimiter, Inline, Item } from "./tree.ts";

export class Draft {
  readonly text: string;
  readonly end: number;
  /** No more text will come. */
  readonly final: boolean;
  at: number;
  /** Here the plain text begins that is not an item yet. */
  plain: number;
  readonly items: Item[] = [];
  /** From here on, more text may change what there is. */
  settled = Number.POSITIVE_INFINITY;

  constructor(text: string, from: number, end: number, final: boolean) {
    [this.text, this.end, this.final] = [text, end, final];
    this.at = from;
    this.plain = from;
  }

  /** Make the plain text before `to` an item. */
  flush(to: number): void {
    if (to > this.plain) this.items.push({ value: { type: "text", value: this.text.slice(this.plain, to) }, from: this.plain, to });
    this.plain = to;
  }

  /** Make the next characters an item. */
  push(value: Inline | Delimiter | Bracket, length: number): void {
    this.flush(this.at);
    const from = this.at;
    this.at += length;
    this.plain = this.at;
    this.items.push({ value, from, to: this.at });
  }

  /** How many of a mark stand here. */
  run(marker: string): number {
    let to = this.at;
    while (to < this.end && this.text[to] === marker) to += 1;
    return to - this.at;
  }

  unsettled(from: number): void {
    this.settled = Math.min(this.settled, from);
  }

  /** What is here depends on what comes: end before it, unless nothing comes. Whether the scan goes on. */
  hold(): boolean {
    if (this.final) {
      this.at += 1;
      return true;
    }
    this.flush(this.at);
    this.unsettled(this.at);
    this.plain = this.end;
    return false;
  }
}
