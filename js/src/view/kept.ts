/** What a view keeps of rows while they are not mounted: texts as they were drawn, and what a person has unfolded. */

import { createContext } from "preact";
import type { Block } from "./codeactions.ts";

/** So many texts, the last ones that were seen; others are drawn anew. */
const MOST = 100;

interface Drawn {
  readonly text: string;
  readonly nodes: DocumentFragment;
  readonly blocks: readonly Block[];
}

export class Kept {
  readonly #texts = new Map<string, Drawn>();
  readonly #unfolded = new Set<string>();

  /** Take the nodes of a text out of its element, with what was folded, wrapped and loaded in them. */
  put(key: string, text: string, element: HTMLElement, blocks: readonly Block[]): void {
    const nodes = document.createDocumentFragment();
    nodes.append(...element.childNodes);
    this.#texts.delete(key);
    this.#texts.set(key, { text, nodes, blocks });
    const [oldest] = this.#texts.keys();
    if (this.#texts.size > MOST && oldest !== undefined) this.#texts.delete(oldest);
  }

  /** Put them back. Returns its blocks of code; null where they are not there, or show another text. */
  restore(key: string, text: string, element: HTMLElement): readonly Block[] | null {
    const drawn = this.#texts.get(key);
    this.#texts.delete(key);
    if (drawn?.text !== text) return null;
    element.replaceChildren(drawn.nodes);
    return drawn.blocks;
  }

  unfolded(key: string): boolean {
    return this.#unfolded.has(key);
  }

  unfold(key: string, open: boolean): void {
    if (open) this.#unfolded.add(key);
    else this.#unfolded.delete(key);
  }
}

/** Absent where nothing is ever taken off the screen. */
export const KeptContext = createContext<Kept | null>(null);
