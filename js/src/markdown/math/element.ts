/** DOM nodes for Temml's tree, made only of what is on a list, and no larger or deeper than a formula is. */

import { allowedAttribute, allowedClass, allowedElement, allowedStyle, Sizes } from "./allowed.ts";

const MATHML = "http://www.w3.org/1998/Math/MathML";
const DEEPEST = 60;
const MOST_NODES = 10_000;
/** Characters that turn the direction of what follows, that nobody sees, or that control something. */
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu;

/** What Temml's nodes have, each kind some of it. */
interface TemmlNode {
  /** The element's name. A fragment has children only, a text `text` only; an HTML node has neither. */
  readonly type?: string;
  readonly text?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly classes?: readonly string[];
  readonly style?: Readonly<Record<string, unknown>>;
  readonly children?: readonly TemmlNode[];
}

/** The formula's element; null where Temml made something else. Throws where the formula is out of bounds. */
export function mathElement(tree: TemmlNode): Element | null {
  if (tree.type !== "math") return null;
  const made = new Maker().node(tree, 0);
  if (!(made instanceof Element)) return null;
  made.classList.add("streamchat-math");
  return made;
}

class Maker {
  #nodes = 0;
  readonly #sizes = new Sizes();

  node(tree: TemmlNode, depth: number): Node {
    this.#nodes++;
    if (depth > DEEPEST || this.#nodes > MOST_NODES) throw new RangeError("The formula is out of bounds.");
    if (tree.text !== undefined) return document.createTextNode(tree.text.replace(HIDDEN, "\ufffd"));
    // Of what is not MathML, only the content stays.
    const known = tree.type !== undefined && allowedElement(tree.type);
    const made = known ? this.#element(tree.type, tree) : document.createDocumentFragment();
    for (const child of tree.children ?? []) made.appendChild(this.node(child, depth + 1));
    return made;
  }

  #element(type: string, { attributes = {}, classes = [], style = {} }: TemmlNode): Element {
    const made = document.createElementNS(MATHML, type);
    for (const [name, written] of Object.entries(attributes)) {
      const value = allowedAttribute(name, String(written), this.#sizes);
      if (value !== null) made.setAttribute(name, value);
    }
    const names = classes.filter(allowedClass);
    if (names.length > 0) made.setAttribute("class", names.join(" "));
    // Temml writes bold text's style as an attribute.
    for (const [name, value] of Object.entries({ ...style, ...declarations(attributes["style"]) })) {
      const property = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      const safe = allowedStyle(property, String(value), this.#sizes);
      if (safe !== null) declare(made, property, safe);
    }
    return made;
  }
}

/** Not by the attribute, which a page's policy may forbid, unless MathML has nothing else here. */
function declare(element: Element, property: string, value: string): void {
  const { style } = element as { readonly style?: CSSStyleDeclaration };
  if (style) style.setProperty(property, value);
  else element.setAttribute("style", `${element.getAttribute("style") ?? ""}${property}: ${value};`);
}

function declarations(style: unknown): Record<string, string> {
  if (typeof style !== "string") return {};
  const pairs = style.split(";").map((declaration) => declaration.split(":").map((part) => part.trim()));
  return Object.fromEntries(pairs.flatMap(([name, value]) => (name && value ? [[name, value]] : [])));
}
