/** What labels stand for, and which texts wait to know. */

import type { Target } from "./inlines/brackets.ts";

/** A text that used a label before it had a target. */
export interface Waiting {
  /** Read the text again. */
  again(): void;
}

export class Definitions {
  readonly #targets = new Map<string, Target>();
  readonly #waiting = new Map<string, Set<Waiting>>();
  readonly #due = new Set<Waiting>();

  target(label: string): Target | undefined {
    return this.#targets.get(label);
  }

  /** The first target of a label is the one that counts. */
  define(label: string, target: Target): void {
    if (this.#targets.has(label)) return;
    this.#targets.set(label, target);
    for (const waiting of this.#waiting.get(label) ?? []) this.#due.add(waiting);
    this.#waiting.delete(label);
  }

  want(label: string, waiting: Waiting): void {
    const others = this.#waiting.get(label);
    if (others) others.add(waiting);
    else this.#waiting.set(label, new Set([waiting]));
  }

  /** Have the texts read again whose labels have got a target. */
  settle(): void {
    const due = [...this.#due];
    this.#due.clear();
    for (const waiting of due) waiting.again();
  }
}
