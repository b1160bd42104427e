/** The reference parser, and what two ways to the same document have in common. */

import { micromark } from "micromark";
import { gfmAutolinkLiteral, gfmAutolinkLiteralHtml } from "micromark-extension-gfm-autolink-literal";
import { gfmStrikethrough, gfmStrikethroughHtml } from "micromark-extension-gfm-strikethrough";
import { gfmTable, gfmTableHtml } from "micromark-extension-gfm-table";
import { gfmTaskListItem, gfmTaskListItemHtml } from "micromark-extension-gfm-task-list-item";
import { createMarkdownStream, type MarkdownOptions } from "../../src/markdown/index.ts";

const REFERENCE = {
  extensions: [gfmTable(), gfmStrikethrough(), gfmTaskListItem(), gfmAutolinkLiteral()],
  htmlExtensions: [gfmTableHtml(), gfmStrikethroughHtml(), gfmTaskListItemHtml(), gfmAutolinkLiteralHtml()],
};
/** What the reference parser lets links lead to. */
const SCHEMES = ["http", "https", "irc", "ircs", "mailto", "xmpp"];
const ATTRIBUTES = ["href", "src", "alt", "title", "start", "align", "checked", "type"];
const BLOCKS = new Set("P H1 H2 H3 H4 H5 H6 UL OL LI BLOCKQUOTE PRE HR TABLE THEAD TBODY TR TD TH".split(" "));
/** Elements that hold others for their own ends, and mean nothing. */
const SEEN_THROUGH = new Set(["DIV", "SPAN", "BUTTON"]);

/** Never renders by itself. */
export const manual = { schedule: () => () => undefined };

/** Push and flush one piece after the other, and end. */
export function streamed(pieces: readonly string[], options: MarkdownOptions = {}): HTMLElement {
  const container = document.createElement("div");
  const stream = createMarkdownStream(container, { images: "load", schemes: SCHEMES, ...manual, ...options });
  for (const piece of pieces) {
    stream.push(piece);
    stream.flush();
  }
  stream.end();
  return container;
}

/** What the reference parser makes of the whole, as `structure` writes it. */
export function reference(markdown: string): string {
  const container = document.createElement("div");
  // As a browser reads the reference parser's HTML: it knows one line end.
  container.innerHTML = micromark(markdown.replace(/\r\n?/g, "\n"), REFERENCE);
  return structure(container);
}

/**
 * Whether two structures are the same. micromark's HTML writer forgets line ends in code that comes after a definition
 * (its parser does not): there, white space is not compared.
 */
export function same(one: string, other: string, markdown: string): boolean {
  if (one === other) return true;
  const squeezed = (text: string): string => text.replace(/\s+/g, "");
  return /\]:/.test(markdown) && squeezed(one) === squeezed(other);
}

type Piece = { readonly tag: string; readonly block: boolean } | { text: string; readonly pre: boolean };

/** The elements, their attributes that mean something, and their text; white space as HTML means it. */
export function structure(root: Node): string {
  const pieces: Piece[] = [];
  const walk = (node: Node, pre: boolean): void => {
    if (node instanceof Text) {
      const last = pieces.at(-1);
      if (last && "text" in last && last.pre === pre) last.text += node.data;
      else pieces.push({ text: node.data, pre });
      return;
    }
    if (!(node instanceof HTMLElement)) return;
    const through = node === root || SEEN_THROUGH.has(node.tagName);
    const block = BLOCKS.has(node.tagName);
    if (!through) pieces.push({ tag: `<${node.tagName}${attributes(node)}>`, block });
    for (const child of node.childNodes) walk(child, pre || node.tagName === "PRE");
    if (!through) pieces.push({ tag: `</${node.tagName}>`, block });
  };
  walk(root, false);
  const edge = (piece: Piece | undefined): boolean =>
    piece === undefined || ("tag" in piece && (piece.block || piece.tag.startsWith("<BR")));
  return pieces
    .map((piece, index) => {
      if ("tag" in piece) return piece.tag;
      if (piece.pre) return piece.text;
      let text = piece.text.replace(/[ \t\n]+/g, " ");
      if (edge(pieces[index - 1])) text = text.replace(/^ /, "");
      if (edge(pieces[index + 1])) text = text.replace(/ $/, "");
      return text;
    })
    .join("");
}

function attributes(node: HTMLElement): string {
  const found = ATTRIBUTES.filter((name) => node.hasAttribute(name)).map((name) => ` ${name}=${node.getAttribute(name)}`);
  const language = node.tagName === "CODE" ? [...node.classList].filter((name) => name.startsWith("language-")) : [];
  return found.join("") + language.map((name) => ` ${name}`).join("");
}

/** A text in pieces, cut at places that are taken modulo its length. */
export function cutAt(text: string, cuts: readonly number[]): string[] {
  const ends = [...cuts.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b);
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
}
