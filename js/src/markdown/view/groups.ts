/** Children of one element, in groups that the browser lays out one by one, for its work grows with the children of each. */

const SIZE = 32;

/** The height of a group, in its own lines, until the browser has laid it out once. */
export type GroupLook = "blocks" | "items" | "lines" | "rows";

export class Groups {
  readonly element: HTMLElement;
  readonly #look: GroupLook;
  #count = 0;
  #outer: HTMLElement | null = null;
  #inner: HTMLElement | null = null;

  constructor(element: HTMLElement, look: GroupLook) {
    this.element = element;
    this.#look = look;
  }

  get count(): number {
    return this.#count;
  }

  /** The element into which the next child goes: the first few stand by themselves, later ones in groups of groups. */
  next(): HTMLElement {
    const index = this.#count - SIZE;
    this.#count += 1;
    if (index < 0) return this.element;
    if (this.#outer === null || index % (SIZE * SIZE) === 0) {
      this.#outer?.classList.add("streamchat-md-full");
      this.#outer = this.#group(this.element, "streamchat-md-groups");
    }
    if (this.#inner === null || index % SIZE === 0) {
      this.#inner?.classList.add("streamchat-md-full");
      this.#inner = this.#group(this.#outer, "");
    }
    return this.#inner;
  }

  append(child: Node): void {
    this.next().appendChild(child);
  }

  /** A group is passed over by the browser only once it is full: until then its height would be a bad guess. */
  #group(parent: HTMLElement, kind: string): HTMLElement {
    const group = document.createElement("div");
    group.className = `streamchat-md-group streamchat-md-${this.#look} ${kind}`.trim();
    parent.appendChild(group);
    return group;
  }
}
