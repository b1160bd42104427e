/** Inline values to nodes: a model's text only ever becomes text nodes and vetted addresses. */

import type { Footnotes } from "../footnotes.ts";
import { plainText, type Inline } from "../inlines/tree.ts";
import { ENGLISH, type Labels } from "../labels.ts";
import type { MarkdownOptions } from "../options.ts";
import { allowedAddress, LINK_SCHEMES, PICTURE_SCHEMES, visible } from "../safety.ts";
import { pictureCard } from "./picture.ts";
import { mayHoldSelection } from "./selection.ts";

/** What is nested deeper is shown as its text. */
const DEEPEST = 200;

/** An inline value that is on the screen. */
export interface Shown {
  inline: Inline;
  readonly node: Node;
  readonly inner: Shown[];
  /** A text that grows has further nodes: the browser's work for each change grows with the length of the node. */
  readonly more: Text[];
}

/** A text node that is longer is not made longer. */
const LONG_TEXT = 256;

/** The last node of an inline value. */
export const lastNode = (shown: Shown): Node => shown.more.at(-1) ?? shown.node;

/** Makes and changes the nodes of inline values, as a user of the renderer wants them. */
export class Elements {
  readonly #images: "ask" | "load";
  readonly #schemes: readonly string[];
  readonly #pictureSchemes: readonly string[];
  readonly #relative: boolean;
  readonly #math: MarkdownOptions["math"];
  readonly #footnotes: Footnotes;
  readonly #labels: Labels;
  #depth = 0;

  constructor({ images = "ask", schemes = LINK_SCHEMES, relative = true, math, labels = ENGLISH }: MarkdownOptions, footnotes: Footnotes) {
    this.#footnotes = footnotes;
    this.#labels = labels;
    this.#images = images;
    this.#schemes = schemes.map((scheme) => scheme.replace(/:$/, "").toLowerCase());
    this.#pictureSchemes = PICTURE_SCHEMES.filter((scheme) => this.#schemes.includes(scheme));
    this.#relative = relative;
    this.#math = math;
  }

  /**
   * Make the children that `shown` describes those of `next`. What is there stays if it is of the same kind, so that a
   * selection survives; `before` is the node behind them.
   */
  patch(parent: Node, shown: Shown[], next: readonly Inline[], before: Node | null): void {
    this.#depth += 1;
    this.#patch(parent, shown, this.#depth > DEEPEST ? [{ type: "text", value: plainText(next) }] : next, before);
    this.#depth -= 1;
  }

  /** Make the text longer with which an inline value ends. */
  append(shown: Shown, more: string): void {
    let last = shown;
    for (let inner = last.inner.at(-1); inner !== undefined; inner = last.inner.at(-1)) last = inner;
    if (last.inline.type === "text") this.#update(last, { type: "text", value: last.inline.value + more });
  }

  #patch(parent: Node, shown: Shown[], next: readonly Inline[], before: Node | null): void {
    let same = 0;
    for (; same < shown.length && same < next.length; same += 1) {
      const [old, inline] = [shown[same], next[same]];
      if (old === undefined || inline === undefined || !this.#update(old, inline)) break;
    }
    for (const { node, more } of shown.splice(same)) {
      for (const one of [node, ...more]) one.parentNode?.removeChild(one);
    }
    for (const inline of next.slice(same)) {
      const made = this.#make(inline);
      parent.insertBefore(made.node, before);
      shown.push(made);
    }
  }

  #update(old: Shown, next: Inline): boolean {
    const { inline, node } = old;
    if (inline === next) return true;
    switch (next.type) {
      case "text":
        if (inline.type !== "text") return false;
        grow(old, visible(inline.value), visible(next.value));
        break;
      case "code":
        if (inline.type !== "code") return false;
        setText(node.firstChild as Text, visible(next.value));
        break;
      case "break":
        return inline.type === "break";
      case "em":
      case "strong":
      case "del":
        if (inline.type !== next.type) return false;
        this.patch(node, old.inner, next.children, null);
        break;
      case "link":
        if (inline.type !== "link" || holdsPicture(inline.children) !== holdsPicture(next.children)) return false;
        if (inline.address !== next.address || inline.title !== next.title) this.#lead(node as HTMLElement, next.address, next.title);
        this.patch(node, old.inner, next.children, null);
        break;
      default:
        if (JSON.stringify(inline) !== JSON.stringify(next)) return false;
    }
    old.inline = next;
    return true;
  }

  #make(inline: Inline): Shown {
    const shown: Shown = { inline, node: this.#node(inline), inner: [], more: [] };
    if ("children" in inline) this.patch(shown.node, shown.inner, inline.children, null);
    return shown;
  }

  #node(inline: Inline): Node {
    switch (inline.type) {
      case "text":
        return document.createTextNode(visible(inline.value));
      case "code": {
        const node = document.createElement("code");
        node.appendChild(document.createTextNode(visible(inline.value)));
        return node;
      }
      case "break":
        return document.createElement("br");
      case "em":
      case "strong":
      case "del":
        return document.createElement(inline.type);
      case "link": {
        const node = document.createElement("a");
        this.#lead(node, inline.address, inline.title);
        return node;
      }
      case "image":
        return this.#picture(inline.address, inline.title, inline.alt);
      case "math":
        return this.#formula(inline.source, inline.display, inline.written);
      case "call": {
        const node = document.createElement("sup");
        node.appendChild(this.#footnotes.callButton(inline.label, inline.number));
        return node;
      }
      case "check": {
        const node = document.createElement("input");
        node.setAttribute("type", "checkbox");
        node.setAttribute("disabled", "");
        if (inline.checked) node.setAttribute("checked", "");
        node.setAttribute("aria-label", inline.checked ? this.#labels.done : this.#labels.toDo);
        return node;
      }
    }
  }

  #lead(node: HTMLElement, address: string, title: string | null): void {
    const allowed = allowedAddress(address, this.#schemes, this.#relative);
    node.setAttribute("href", allowed ?? "");
    if (title === null) node.removeAttribute("title");
    else node.setAttribute("title", visible(title));
    if (allowed === null) {
      // It leads nowhere, and says so to whoever tries.
      node.className = "streamchat-md-blocked";
      node.addEventListener("click", refuse);
      return;
    }
    node.removeAttribute("class");
    node.removeEventListener("click", refuse);
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer");
  }

  #picture(address: string, title: string | null, alt: string): Node {
    const allowed = allowedAddress(address, this.#pictureSchemes, this.#relative);
    if (this.#images === "ask") {
      return allowed ? pictureCard(allowed, title, visible(alt), this.#labels) : document.createTextNode(visible(alt));
    }
    const node = document.createElement("img");
    node.setAttribute("alt", visible(alt));
    if (title !== null) node.setAttribute("title", visible(title));
    node.referrerPolicy = "no-referrer";
    node.setAttribute("src", allowed ?? "");
    return node;
  }

  #formula(source: string, display: boolean, written: string): Node {
    const made = this.#math ? this.#math(source, display) : null;
    if (made === null) return document.createTextNode(visible(written));
    const holder = document.createElement("span");
    holder.className = display ? "streamchat-md-math streamchat-md-display" : "streamchat-md-math";
    holder.appendChild(made);
    return holder;
  }
}

const refuse = (event: Event): void => event.preventDefault();

const holdsPicture = (inlines: readonly Inline[]): boolean =>
  inlines.some((inline) => inline.type === "image" || ("children" in inline && holdsPicture(inline.children)));

function grow(shown: Shown, before: string, after: string): void {
  if (before === after) return;
  if (before.startsWith(after)) return shrink(shown, before.length - after.length);
  const last = lastNode(shown) as Text;
  if (!after.startsWith(before)) {
    for (const one of shown.more.splice(0)) one.remove();
    (shown.node as Text).data = after;
  } else if (last.length < LONG_TEXT) {
    setText(last, last.data + after.slice(before.length));
  } else {
    const next = document.createTextNode(after.slice(before.length));
    last.after(next);
    shown.more.push(next);
  }
}

/** Take so many characters from the end of a text. */
function shrink(shown: Shown, count: number): void {
  let left = count;
  for (let last = shown.more.at(-1); last !== undefined && last.length <= left; last = shown.more.at(-1)) {
    left -= last.length;
    last.remove();
    shown.more.pop();
  }
  const last = lastNode(shown) as Text;
  if (left > 0) last.deleteData(last.length - left, left);
}

/**
 * Make a node's text another. Browsers do this in a fifth of the time that appending takes, but it takes a selection's
 * end out of the node: where there is one, the rest of the text is appended.
 */
export function setText(node: Text, text: string): void {
  const { data } = node;
  if (data === text) return;
  if (text.startsWith(data) && mayHoldSelection(node)) node.appendData(text.slice(data.length));
  else node.data = text;
}
