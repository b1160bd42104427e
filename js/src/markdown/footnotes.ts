/** Footnotes: which are called where, their numbers, and the list of them at the end of the document. */

import type { Waiting } from "./definitions.ts";
import type { Labels } from "./labels.ts";
import { button } from "./view/button.ts";

/** A label that is a number will surely be a footnote's, so its call shows as one before the footnote comes. */
const HOPEFUL = /^\d{1,3}$/;

export class Footnotes {
  readonly #container: HTMLElement;
  readonly #labels: Labels;
  /** Labels in the order of their first calls. */
  readonly #called = new Map<string, Set<Waiting>>();
  readonly #items = new Map<string, HTMLElement>();
  readonly #buttons = new Map<string, HTMLElement>();
  readonly #due = new Set<Waiting>();
  #section: HTMLElement | null = null;
  #changed = false;
  #ended = false;

  constructor(container: HTMLElement, labels: Labels) {
    this.#container = container;
    this.#labels = labels;
  }

  /** The number of a footnote that a text calls: they are counted in the order of their calls. */
  call(label: string, text: Waiting): number | null {
    const texts = this.#called.get(label);
    if (texts === undefined) this.#called.set(label, new Set([text]));
    else texts.add(text);
    if (!this.#items.has(label)) return !this.#ended && HOPEFUL.test(label) ? Number(label) : null;
    this.#changed ||= texts === undefined;
    return this.#numbered().indexOf(label) + 1;
  }

  /** The element for a footnote's blocks, and what to do when there are no more. The first of a label counts. */
  define(label: string): { readonly item: HTMLElement; readonly close: () => void } {
    const item = document.createElement("li");
    if (this.#items.has(label)) return { item, close: () => undefined };
    this.#items.set(label, item);
    this.#changed = true;
    // Those that are called later get other numbers.
    const later = this.#numbered();
    this.#rewrite(later.slice(this.#called.has(label) ? later.indexOf(label) : later.length));
    return { item, close: () => backTo(item, this.#labels.back, () => this.#buttons.get(label)) };
  }

  /** A call on the screen, which leads to its footnote. */
  callButton(label: string, number: number): HTMLElement {
    const made = link(String(number), this.#labels.footnote(String(number)), () => {
      this.#buttons.set(label, made);
      reveal(this.#items.get(label));
    });
    if (!this.#buttons.get(label)?.isConnected) this.#buttons.set(label, made);
    return made;
  }

  /** No more footnotes come: what calls one that there is not is plain text. */
  end(): void {
    this.#ended = true;
    this.#rewrite([...this.#called.keys()].filter((label) => !this.#items.has(label) && HOPEFUL.test(label)));
  }

  /** Show what has become certain. */
  settle(): void {
    const due = [...this.#due];
    this.#due.clear();
    for (const text of due) text.again();
    if (this.#changed) this.#list();
    if (this.#section?.nextSibling) this.#container.append(this.#section);
  }

  /** Have the texts read again that call one of these. */
  #rewrite(labels: readonly string[]): void {
    for (const label of labels) for (const text of this.#called.get(label) ?? []) this.#due.add(text);
  }

  #numbered(): string[] {
    return [...this.#called.keys()].filter((label) => this.#items.has(label));
  }

  #list(): void {
    this.#changed = false;
    const items = this.#numbered().flatMap((label) => this.#items.get(label) ?? []);
    if (items.length === 0) return;
    if (this.#section === null) {
      this.#section = document.createElement("section");
      this.#section.className = "streamchat-md-footnotes";
      this.#section.setAttribute("aria-label", this.#labels.footnotes);
      this.#section.append(document.createElement("ol"));
      this.#container.append(this.#section);
    }
    const list = this.#section.firstElementChild;
    items.forEach((item, index) => {
      if (list?.children[index] !== item) list?.insertBefore(item, list.children[index] ?? null);
    });
  }
}

/** The way back, at the end of a footnote. */
function backTo(item: HTMLElement, label: string, call: () => HTMLElement | undefined): void {
  let last: Element = item;
  while (last.lastElementChild?.tagName === "DIV" && last.lastElementChild.classList.contains("streamchat-md-group")) last = last.lastElementChild;
  const paragraph = last.lastElementChild?.tagName === "P" ? last.lastElementChild : item;
  paragraph.append(" ", link("↩", label, () => reveal(call())));
}

function link(text: string, label: string, click: () => void): HTMLElement {
  const made = button("streamchat-md-call", label, click);
  made.append(text);
  return made;
}

/** Bring an element into view, and the keyboard with it. */
function reveal(element: HTMLElement | undefined): void {
  if (element === undefined) return;
  if (!element.matches("button")) element.setAttribute("tabindex", "-1");
  element.scrollIntoView({ block: "nearest" });
  element.focus({ preventScroll: true });
}
