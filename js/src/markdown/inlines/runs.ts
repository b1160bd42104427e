/** Runs of `*`, `_` and `~` to delimiters: which of them may open, and which close. */

import type { Order } from "./attention.ts";
import { isAlphanumeric, kindOf, Kind } from "./characters.ts";
import type { Draft } from "./draft.ts";

export class Runs {
  readonly #draft: Draft;
  #order: Order;
  #orderAt = -1;

  /** `order` is what came first, before the text of the draft. */
  constructor(draft: Draft, order: Order) {
    [this.#draft, this.#order] = [draft, order];
  }

  get order(): Order {
    return this.#order;
  }

  /** What came first, before a place. */
  orderBefore(place: number): Order {
    return this.#orderAt < place ? this.#order : null;
  }

  attention(marker: string): boolean {
    const draft = this.#draft;
    const size = draft.run(marker);
    const next = draft.at + size;
    if (next >= draft.end && !draft.final) return draft.hold();
    this.#first("attention");
    const [previous, following] = this.#sides(next);
    const [before, after] = [kindOf(previous), kindOf(following)];
    const opens = isFlanking(before, after) || following === 126;
    const closes = isFlanking(after, before) || previous === 126;
    const open = marker === "*" ? opens : opens && (before !== Kind.Word || !closes);
    const close = marker === "*" ? closes : closes && (after !== Kind.Word || !opens);
    const hopeful = !(isAlphanumeric(previous) && isAlphanumeric(following));
    draft.push({ type: "delimiter", marker, size, open, close, hopeful }, size);
    return true;
  }

  strike(): boolean {
    const draft = this.#draft;
    const size = draft.run("~");
    const next = draft.at + size;
    if (next >= draft.end && !draft.final) return draft.hold();
    if (size > 2) {
      draft.at = next;
      return true;
    }
    this.#first("strike");
    const [before, after] = this.#sides(next).map(kindOf) as [Kind, Kind];
    draft.push({ type: "delimiter", marker: "~", size, open: isFlanking(before, after), close: isFlanking(after, before), hopeful: true }, size);
    return true;
  }

  /** The characters before and after a run that ends at `next`. */
  #sides(next: number): [number, number] {
    const { text, at, end } = this.#draft;
    return [text.charCodeAt(at - 1), next < end ? text.charCodeAt(next) : Number.NaN];
  }

  #first(order: Order): void {
    if (this.#order !== null) return;
    this.#order = order;
    this.#orderAt = this.#draft.at;
  }
}

/** Whether a run leans on what is at its side, seen from what is at the other. */
const isFlanking = (other: Kind, side: Kind): boolean => side === Kind.Word || (side === Kind.Punctuation && other !== Kind.Word);
