/** Markdown tokens to DOM nodes. A model's text only ever becomes text nodes and vetted addresses. */

import type { Token, Tokens } from "marked";
import { copyText } from "./clipboard.ts";
import { decoded, linkAddress, pictureAddress, visible } from "./safety.ts";

const COPIED_MS = 1500;

/** The node of one block token; null for what shows nothing. */
export function block(token: Token): HTMLElement | null {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "hr":
      return element("hr");
    case "heading":
      return inlines(element(`h${Math.min(6, (token as Tokens.Heading).depth)}`), token.tokens);
    case "paragraph":
      return inlines(element("p"), token.tokens);
    case "code":
      return code(token as Tokens.Code);
    case "blockquote":
      return blocks(element("blockquote"), token.tokens);
    case "list":
      return list(token as Tokens.List);
    case "table":
      return table(token as Tokens.Table);
    case "html":
      return plain((token as Tokens.HTML).text);
    case "text":
      return inlines(element("p"), token.tokens ?? [token]);
    default:
      return plain(token.raw);
  }
}

/** Text as it was written, in a block of its own. */
export function plain(text: string): HTMLElement {
  const paragraph = element("p", "streamchat-md-plain");
  paragraph.append(visible(text.replace(/\n+$/, "")));
  return paragraph;
}

/** Give a code block's node more text; false where it is not the same code grown longer. */
export function growCode(node: HTMLElement, before: Tokens.Code, after: Tokens.Code): boolean {
  if (language(before) !== language(after)) return false;
  const text = node.querySelector("code")?.firstChild;
  const shown = visible(after.text);
  if (!(text instanceof Text) || !shown.startsWith(text.data)) return false;
  text.appendData(shown.slice(text.data.length));
  return true;
}

function blocks<Parent extends HTMLElement>(parent: Parent, tokens: readonly Token[] = []): Parent {
  for (const token of tokens) {
    const node = block(token);
    if (node !== null) parent.append(node);
  }
  return parent;
}

function inlines<Parent extends Node>(parent: Parent, tokens: readonly Token[] = []): Parent {
  for (const token of tokens) parent.appendChild(inline(token));
  return parent;
}

function inline(token: Token): Node {
  switch (token.type) {
    case "text":
      if (token.tokens) return inlines(document.createDocumentFragment(), token.tokens);
      return text((token as Tokens.Text).escaped ? token.raw : decoded((token as Tokens.Text).text));
    case "escape":
      return text((token as Tokens.Escape).text);
    case "strong":
      return inlines(element("strong"), token.tokens);
    case "em":
      return inlines(element("em"), token.tokens);
    case "del":
      return inlines(element("del"), token.tokens);
    case "codespan": {
      const node = element("code");
      node.append(text((token as Tokens.Codespan).text));
      return node;
    }
    case "br":
      return element("br");
    case "link":
      return link(token as Tokens.Link);
    case "image":
      return picture(token as Tokens.Image);
    case "checkbox":
      return checkbox((token as Tokens.Checkbox).checked);
    default:
      // Raw HTML, and what a later parser may invent, shows as it was written.
      return text(token.raw);
  }
}

function link(token: Tokens.Link): Node {
  const address = linkAddress(token.href);
  if (address === null) return inlines(document.createDocumentFragment(), token.tokens);
  const anchor = element("a");
  anchor.setAttribute("href", address);
  anchor.setAttribute("target", "_blank");
  anchor.setAttribute("rel", "noopener noreferrer");
  anchor.title = visible(token.title ? `${decoded(token.title)} — ${address}` : address);
  if (!hasPicture(token.tokens)) return inlines(anchor, token.tokens);
  // A picture is a button until it is loaded, and a button in a link is neither: the link follows with its address.
  anchor.append(visible(address));
  const both = inlines(document.createDocumentFragment(), token.tokens);
  both.append(" ", anchor);
  return both;
}

function hasPicture(tokens: readonly Token[] = []): boolean {
  return tokens.some(
    (token) => token.type === "image" || hasPicture((token as Tokens.Generic).tokens),
  );
}

/** A picture is not fetched before the person has seen its full address and asked for it. */
function picture(token: Tokens.Image): Node {
  const address = pictureAddress(token.href);
  const alt = visible(decoded(token.text)).trim();
  if (address === null) return text(token.raw);
  const card = element("button", "streamchat-md-picture");
  card.setAttribute("type", "button");
  const label = element("span", "streamchat-md-picture-alt");
  label.append(alt ? `Load image: ${alt}` : "Load image");
  const where = element("span", "streamchat-md-picture-address");
  where.append(address);
  card.append(label, where);
  card.addEventListener("click", () => {
    const image = document.createElement("img");
    image.referrerPolicy = "no-referrer";
    image.alt = alt;
    image.src = address;
    card.replaceWith(image);
  });
  return card;
}

function list(token: Tokens.List): HTMLElement {
  const node = element(token.ordered ? "ol" : "ul");
  if (token.ordered && token.start !== 1 && token.start !== "") {
    node.setAttribute("start", String(token.start));
  }
  for (const item of token.items) {
    const entry = element("li");
    if (item.task) entry.className = "streamchat-md-task";
    for (const child of item.tokens) {
      if (child.type === "text" && !token.loose) {
        inlines(entry, child.tokens ?? [child]);
      } else if (child.type === "checkbox") {
        entry.append(checkbox((child as Tokens.Checkbox).checked));
      } else {
        const made = block(child);
        if (made !== null) entry.append(made);
      }
    }
    node.append(entry);
  }
  return node;
}

function checkbox(checked: boolean): HTMLElement {
  const box = element("input");
  box.setAttribute("type", "checkbox");
  box.setAttribute("disabled", "");
  if (checked) box.setAttribute("checked", "");
  return box;
}

function table(token: Tokens.Table): HTMLElement {
  const scroller = element("div", "streamchat-md-table");
  const node = element("table");
  const head = element("thead");
  head.append(row(token.header, "th"));
  const body = element("tbody");
  for (const cells of token.rows) body.append(row(cells, "td"));
  node.append(head, ...(token.rows.length > 0 ? [body] : []));
  scroller.append(node);
  return scroller;
}

function row(cells: readonly Tokens.TableCell[], tag: "th" | "td"): HTMLElement {
  const node = element("tr");
  for (const cell of cells) {
    const made = inlines(element(tag), cell.tokens);
    if (cell.align) made.className = `streamchat-md-${cell.align}`;
    node.append(made);
  }
  return node;
}

function code(token: Tokens.Code): HTMLElement {
  const node = element("div", "streamchat-md-code");
  const head = element("div", "streamchat-md-code-head");
  const label = element("span");
  label.append(visible(language(token)) || "text");
  const copy = element("button", "streamchat-md-copy");
  copy.setAttribute("type", "button");
  copy.setAttribute("aria-label", "Copy code");
  copy.append("Copy");
  const pre = element("pre");
  const body = element("code");
  body.append(document.createTextNode(visible(token.text)));
  copy.addEventListener("click", () => {
    void copyText(body.textContent ?? "").then((copied) => {
      copy.textContent = copied ? "Copied" : "Not allowed";
      setTimeout(() => (copy.textContent = "Copy"), COPIED_MS);
    });
  });
  head.append(label, copy);
  pre.append(body);
  node.append(head, pre);
  return node;
}

function language(token: Tokens.Code): string {
  return (token.lang ?? "").trim().split(/\s/)[0] ?? "";
}

function text(written: string): Text {
  return document.createTextNode(visible(written));
}

function element(tag: string, className = ""): HTMLElement {
  const node = document.createElement(tag);
  if (className) node.className = className;
  return node;
}
