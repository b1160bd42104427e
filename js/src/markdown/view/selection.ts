/**
 * Whether a person's selection begins or ends in a node, so that its text must not be exchanged under it.
 *
 * To ask the browser makes it lay out the page, so it is asked only when it has said that the selection changed.
 */

class Watch {
  #changed = false;
  #pressed = false;
  #ends: readonly (Node | null)[] = [];
  readonly #document: Document;

  constructor(document: Document) {
    this.#document = document;
    this.#look();
    document.addEventListener("selectionchange", () => (this.#changed = true));
    // The selection of a press is told of only in a later task.
    document.addEventListener("pointerdown", () => (this.#pressed = true), true);
    for (const type of ["pointerup", "pointercancel"]) {
      document.addEventListener(type, () => (this.#pressed = false), true);
    }
  }

  mayHold(node: Node): boolean {
    if (this.#pressed) return true;
    if (this.#changed) this.#look();
    // Outside of a shadow tree nobody is told which of its nodes it is.
    return this.#ends.length > 0 && (this.#ends.includes(node) || node.getRootNode() !== this.#document);
  }

  #look(): void {
    this.#changed = false;
    const selection = this.#document.getSelection();
    this.#ends = selection && selection.rangeCount > 0 ? [selection.anchorNode, selection.focusNode] : [];
  }
}

const watches = new WeakMap<Document, Watch>();

/** Begin to listen; best while the page is laid out and nothing was added to it. */
export function watchSelection(document: Document): Watch {
  let watch = watches.get(document);
  if (watch === undefined) {
    watch = new Watch(document);
    watches.set(document, watch);
  }
  return watch;
}

export function mayHoldSelection(node: Node): boolean {
  return node.ownerDocument !== null && watchSelection(node.ownerDocument).mayHold(node);
}
