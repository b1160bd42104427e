/** Children of one element, in groups that the browser lays out one by one, for its work grows with the children of each. */

const SIZE = 32;

/** How many lines high one of them is, about: for the height of a group that the browser has never laid out. */
const HEIGHT = { blocks: 3, items: 1.3, lines: 1, rows: 1.6 };

/** What a group holds. */
export type GroupLook = keyof typeof HEIGHT;

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
    if (this.#inner === null || index % SIZE === 0) {
      this.#size(index);
      if (this.#outer === null || index % (SIZE * SIZE) === 0) this.#outer = this.#group(this.element);
      this.#inner = this.#group(this.#outer);
    }
    return this.#inner;
  }

  append(child: Node): void {
    this.next().appendChild(child);
  }

  /** No more children come. */
  close(): void {
    this.#size(this.#count - SIZE);
  }

  /** Say how high the open groups are, by how many children they hold; `all` are in groups. */
  #size(all: number): void {
    for (const [group, most] of [[this.#inner, SIZE], [this.#outer, SIZE * SIZE]] as const) {
      const lines = (((all - 1) % most) + 1) * HEIGHT[this.#look];
      group?.style.setProperty("contain-intrinsic-block-size", `auto ${lines}lh`);
    }
  }

  #group(parent: HTMLElement): HTMLElement {
    const group = document.createElement("div");
    group.className = `streamchat-md-group streamchat-md-${this.#look}`;
    parent.appendChild(group);
    return group;
  }
}
