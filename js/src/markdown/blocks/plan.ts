/** What a line means where it comes: which containers go on, which begin, and what block its text belongs to. */

import { Cursor, unindented } from "./cursor.ts";
import {
  delimiterRow,
  endsFence,
  fenceStart,
  footnoteLabel,
  headingLevel,
  htmlKind,
  isRule,
  isUndecided,
  rowCells,
  setextLevel,
  type Align,
  type Fence,
  type HtmlKind,
} from "./starts.ts";

export interface Quote {
  readonly type: "quote";
}

/** A list, as far as the place of its text goes. */
export interface List {
  readonly type: "list";
  readonly ordered: boolean;
  readonly marker: string;
  /** The columns that a line of the open item is indented by. */
  size: number;
  /** The open item began with an empty line; after another one nothing belongs to it. */
  emptyStart: boolean;
  closed: boolean;
}

/** The marker of an item. */
export interface ItemStart {
  readonly type: "list";
  readonly ordered: boolean;
  readonly marker: string;
  readonly number: number;
  readonly size: number;
  readonly emptyStart: boolean;
}

export interface FootnoteStart {
  readonly type: "footnote";
  readonly label: string;
}

export type Container = Quote | List | Pick<FootnoteStart, "type">;
export type Start = Quote | ItemStart | FootnoteStart;

/** The block that takes text, as far as a line's meaning depends on it. */
export type OpenLeaf =
  | { readonly type: "paragraph"; readonly lastLine: string; readonly lastIndented: boolean }
  | { readonly type: "fence"; readonly fence: Fence }
  | { readonly type: "math"; readonly close: string }
  | { readonly type: "html"; readonly kind: HtmlKind }
  | { readonly type: "indented" }
  | { readonly type: "table" };

export type Flow =
  | { readonly type: "blank" }
  /** More text of the open leaf. */
  | { readonly type: "more" }
  | { readonly type: "paragraph"; readonly indented: boolean }
  | { readonly type: "heading"; readonly level: number }
  | { readonly type: "setext"; readonly level: number }
  | { readonly type: "rule" }
  | { readonly type: "fence"; readonly fence: Fence; readonly indent: number }
  | { readonly type: "fenceEnd" }
  | { readonly type: "math"; readonly close: string }
  | { readonly type: "html"; readonly kind: HtmlKind }
  | { readonly type: "indented" }
  | { readonly type: "tableHead"; readonly aligns: readonly Align[] }
  | { readonly type: "row" };

export interface Plan {
  /** How many open containers the line belongs to. */
  readonly continued: number;
  /** The last of them is a list, of which another item begins. */
  readonly sibling: ItemStart | null;
  readonly starts: readonly Start[];
  /** Not all open containers go on and none begins: only a paragraph's text may. */
  readonly lazy: boolean;
  readonly flow: Flow;
  /** Where the block's own text begins. */
  readonly cursor: Cursor;
}

export interface Place {
  readonly containers: readonly Container[];
  readonly leaf: OpenLeaf | null;
  /** Whether lines of `$$` or `\[` begin a formula. */
  readonly math: boolean;
}

const GREATER = 62;
/** Browsers fall over elements that are nested much deeper. */
const DEEPEST = 1000;
/** So far a footnote's further lines are indented. */
const FOOTNOTE_INDENT = 4;
const MATH = /^(?:(\$\$)(?!.*\$\$)|(\\\[)(?!.*\\\]))/s;

/** The plan for a line, without its line end; null while a line that is not `complete` could still mean something else. */
export function planLine(line: string, place: Place, complete: boolean): Plan | null {
  const { containers, leaf } = place;
  const cursor = new Cursor(line);
  let continued = 0;
  let sibling: ItemStart | null = null;
  if (!complete && cursor.blank) return null;
  for (const container of containers) {
    if (container.type === "quote") {
      if (!takeQuote(cursor)) break;
    } else if (container.type === "footnote") {
      if (!cursor.blank && !takeIndent(cursor, FOOTNOTE_INDENT)) break;
    } else if (cursor.blank) {
      cursor.skip(container.size);
    } else if (container.closed || !takeIndent(cursor, container.size)) {
      sibling = takeItem(cursor, false, container);
      if (sibling === null) break;
      continued += 1;
      break;
    }
    continued += 1;
    if (!complete && cursor.blank) return null;
  }
  const all = sibling === null && continued === containers.length;
  const concrete = leaf?.type === "fence" || leaf?.type === "html" || leaf?.type === "math";
  const starts: Start[] = [];
  if (!(all && concrete)) {
    const interrupts = all && (leaf?.type === "paragraph" || leaf?.type === "indented");
    while (continued + starts.length < DEEPEST) {
      if (!complete && isUndecided(unindented(cursor.rest), { paragraph: leaf?.type === "paragraph", lazy: !all })) {
        return null;
      }
      if (takeQuote(cursor)) {
        starts.push({ type: "quote" });
        continue;
      }
      const footnote = takeFootnote(cursor);
      if (footnote !== null) {
        starts.push(footnote);
        continue;
      }
      const item = takeItem(cursor, interrupts, null);
      if (item === null) break;
      starts.push(item);
    }
    if (!complete && /^[ \t]*(?:[-+*]|\d{1,9}[.)]?)?[ \t]*$/.test(cursor.rest)) return null;
  }
  const lazy = !all && sibling === null && starts.length === 0;
  const open = starts.length > 0 || sibling !== null ? null : leaf;
  const flow = flowOf(cursor, open, lazy, place.math, complete);
  return flow && { continued, sibling, starts, lazy, flow, cursor };
}

function flowOf(cursor: Cursor, leaf: OpenLeaf | null, lazy: boolean, math: boolean, complete: boolean): Flow | null {
  const { indent } = cursor;
  const text = unindented(cursor.rest);
  if (!lazy && leaf?.type === "fence") {
    if (indent < 4 && endsFence(text, leaf.fence)) return complete ? { type: "fenceEnd" } : null;
    const begun = text === "" || (indent < 4 && /^(?:`+|~+)[ \t]*$/.test(text) && text[0] === leaf.fence.marker);
    return !complete && begun ? null : { type: "more" };
  }
  if (!lazy && leaf?.type === "math") return { type: "more" };
  if (!lazy && leaf?.type === "html" && !(leaf.kind >= 6 && cursor.blank)) return { type: "more" };
  if (cursor.blank) return { type: "blank" };
  if (!lazy && leaf?.type === "indented" && indent >= 4) return { type: "more" };
  const paragraph = leaf?.type === "paragraph";
  if (indent >= 4) return paragraph ? { type: "more" } : { type: "indented" };
  if (!complete && isUndecided(text, { paragraph, lazy })) return null;
  const level = headingLevel(text);
  if (level > 0) return { type: "heading", level };
  const underlined = paragraph && !lazy ? setextLevel(text) : 0;
  if (underlined > 0) return { type: "setext", level: underlined };
  if (isRule(text)) return { type: "rule" };
  const html = htmlKind(text, paragraph && !lazy);
  if (html > 0) return { type: "html", kind: html as HtmlKind };
  const fence = fenceStart(text);
  if (fence !== null) return { type: "fence", fence, indent };
  if (math && !complete && /^[$\\]$/.test(text)) return null;
  if (math && MATH.test(text)) return complete ? { type: "math", close: text[0] === "$" ? "$$" : "\\]" } : null;
  if (paragraph && !lazy && !leaf.lastIndented) {
    const aligns = delimiterRow(text);
    const header = aligns && rowCells(leaf.lastLine);
    if (aligns?.length === header?.length && aligns !== null && aligns.length > 0) return { type: "tableHead", aligns };
  }
  if (leaf?.type === "table" && !lazy) return { type: "row" };
  return paragraph ? { type: "more" } : { type: "paragraph", indented: indent > 0 };
}

function takeQuote(cursor: Cursor): boolean {
  const { indent } = cursor;
  if (indent > 3) return false;
  const trial = indent > 0 ? cursor.copy() : cursor;
  trial.skip(indent);
  if (trial.code !== GREATER) return false;
  cursor.skip(indent);
  cursor.take(1);
  cursor.skip(1);
  return true;
}

function takeIndent(cursor: Cursor, size: number): boolean {
  if (cursor.indent < size) return false;
  cursor.skip(size);
  return true;
}

function takeFootnote(cursor: Cursor): FootnoteStart | null {
  const { indent } = cursor;
  if (indent > 3) return null;
  const label = footnoteLabel(unindented(cursor.rest));
  if (label === null) return null;
  cursor.skip(indent);
  cursor.take(label.length + "[^]:".length);
  cursor.skip(cursor.indent);
  return { type: "footnote", label };
}

/** Take an item's marker: of the list, or of any where there is none yet. */
function takeItem(cursor: Cursor, interrupts: boolean, list: List | null): ItemStart | null {
  const { indent } = cursor;
  if (indent > 3) return null;
  const trial = cursor.copy();
  trial.skip(indent);
  const found = /^(?:([-+*])|(\d{1,9})([.)]))(?=[ \t]|$)/.exec(trial.line.slice(trial.at, trial.at + 12));
  if (found === null) return null;
  const [whole, bullet, digits, delimiter] = found;
  const ordered = bullet === undefined;
  const marker = bullet ?? delimiter ?? "";
  if (list !== null && (list.ordered !== ordered || list.marker !== marker)) return null;
  if (interrupts && ordered && digits !== "1") return null;
  if (!ordered && isRule(trial.line.slice(trial.at))) return null;
  trial.take(whole.length);
  const emptyStart = trial.blank;
  if (emptyStart && interrupts) return null;
  const space = trial.indent;
  const padding = emptyStart || space > 4 ? 1 : space;
  cursor.skip(indent);
  cursor.take(whole.length);
  if (!emptyStart) cursor.skip(padding);
  return { type: "list", ordered, marker, number: Number(digits ?? 1), size: indent + whole.length + padding, emptyStart };
}
