/** How the first characters of a line tell what block begins there. Each takes the line after its white space. */

import { tagSource } from "../inlines/angle.ts";
import { FOOTNOTE_LABEL } from "../inlines/link.ts";
import { stripped } from "./cursor.ts";

const RAW = /^<(?:script|pre|style|textarea)(?:[ \t>]|$)/i;
const BLOCK =
  /^<\/?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul)(?:[ \t>]|\/>|$)/i;
const TAG = tagSource(String.raw`[ \t]`);
const WHOLE_TAG = new RegExp(`^${TAG}[ \\t]*$`);
const TAG_AND_MORE = new RegExp(`^${TAG}[ \\t]*[^ \\t]`);
/** What may become raw HTML of some kind when more comes. */
const HTML_BEGUN = /^<(?:\/?(?:[A-Za-z][A-Za-z\d-]*(?:[ \t/>].*)?)?|!(?:-|\[(?:C(?:D(?:A(?:TA?)?)?)?)?)?)$/s;

const RULE = /^(?:\*[ \t]*(?:\*[ \t]*){2,}|-[ \t]*(?:-[ \t]*){2,}|_[ \t]*(?:_[ \t]*){2,})$/;
const RULE_BEGUN = /^(?:(?:\*[ \t]*)+|(?:-[ \t]*)+|(?:_[ \t]*)+)$/;
const HEADING = /^#{1,6}(?=[ \t]|$)/;
const SETEXT = /^(?:=+|-+)[ \t]*$/;
const FENCE = /^(?:(`{3,})([^`]*)|(~{3,})(.*))$/s;
const DELIMITER = /^\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const DELIMITER_BEGUN = /^[|:\-][|:\- \t]*$/;

export const isRule = (text: string): boolean => RULE.test(text);

/** The level of an ATX heading; 0 where none begins. */
export const headingLevel = (text: string): number => HEADING.exec(text)?.[0].length ?? 0;

/** The level of the heading that this line underlines; 0 where it does not. */
export const setextLevel = (text: string): number => (SETEXT.test(text) ? (text[0] === "=" ? 1 : 2) : 0);

export interface Fence {
  readonly marker: string;
  readonly size: number;
  readonly info: string;
}

export function fenceStart(text: string): Fence | null {
  const found = FENCE.exec(text);
  if (found === null) return null;
  const run = found[1] ?? found[3] ?? "";
  return { marker: run[0] ?? "", size: run.length, info: stripped(found[2] ?? found[4] ?? "") };
}

/** Whether a line ends a fenced block. */
export function endsFence(text: string, fence: Fence): boolean {
  let size = 0;
  while (text[size] === fence.marker) size += 1;
  return size >= fence.size && /^[ \t]*$/.test(text.slice(size));
}

/** How a block of raw HTML ends, by the number that the specification gives its kind. */
export type HtmlKind = 1 | 2 | 3 | 4 | 5 | 6 | 7;

export function htmlKind(text: string, interrupts: boolean): HtmlKind | 0 {
  if (text[0] !== "<") return 0;
  if (RAW.test(text)) return 1;
  if (text.startsWith("<!--")) return 2;
  if (text.startsWith("<?")) return 3;
  if (/^<![A-Za-z]/.test(text)) return 4;
  if (text.startsWith("<![CDATA[")) return 5;
  if (BLOCK.test(text)) return 6;
  return !interrupts && WHOLE_TAG.test(text) ? 7 : 0;
}

const HTML_ENDS: Readonly<Record<HtmlKind, RegExp | null>> = {
  1: /<\/(?:script|pre|style|textarea)>/i, 2: /-->/, 3: /\?>/, 4: />/, 5: /\]\]>/, 6: null, 7: null,
};

/** Whether a line of raw HTML is its last; kinds 6 and 7 end before a blank line instead. */
export const endsHtml = (text: string, kind: HtmlKind): boolean => HTML_ENDS[kind]?.test(text) ?? false;

export type Align = "left" | "right" | "center" | "";

/** The columns of a table's delimiter row; null where it is none. */
export function delimiterRow(text: string): readonly Align[] | null {
  if (!/[|:]/.test(text) || !DELIMITER.test(text)) return null;
  const cells = stripped(text).replace(/^\||\|$/g, "").split("|");
  return cells.map((cell) => {
    const marks = stripped(cell);
    const [left, right] = [marks.startsWith(":"), marks.endsWith(":")];
    return left ? (right ? "center" : "left") : right ? "right" : "";
  });
}

/** The cells of a row, in order, without the white space around them. */
export function rowCells(text: string): string[] {
  const cells: string[] = [];
  let from = text.search(/[^ \t]/);
  if (from < 0) return cells;
  if (text[from] === "|") from += 1;
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 92 && (text[at + 1] === "\\" || text[at + 1] === "|")) at += 1;
    else if (code === 124) {
      cells.push(text.slice(from, at));
      from = at + 1;
    }
  }
  if (/[^ \t]/.test(text.slice(from))) cells.push(text.slice(from));
  return cells.map(stripped);
}

const FOOTNOTE = new RegExp(String.raw`^\[\^(${FOOTNOTE_LABEL})\]:`);
const FOOTNOTE_BEGUN = new RegExp(String.raw`^\[(?:\^(?:${FOOTNOTE_LABEL}\]?)?)?$`);

/** The label with which a footnote begins, as it is written; null where none does. */
export const footnoteLabel = (text: string): string | null => FOOTNOTE.exec(text)?.[1] ?? null;

/** What the beginning of a line may still become, for which its end has to be known. */
export interface Chances {
  readonly paragraph: boolean;
  readonly lazy: boolean;
}

/** Whether more of the line could make another block of it than this beginning does. */
export function isUndecided(text: string, { paragraph, lazy }: Chances): boolean {
  switch (text[0]) {
    case undefined:
      return true;
    case "#":
      return /^#{1,6}$/.test(text);
    case "`":
      return /^(?:`{1,2}|`{3,}[^`]*)$/.test(text);
    case "~":
      return /^(?:~{1,2}$|~{3})/.test(text);
    case "*":
    case "_":
      return RULE_BEGUN.test(text);
    case "=":
      return paragraph && !lazy && SETEXT.test(text);
    case "-":
      return RULE_BEGUN.test(text) || (paragraph && !lazy && DELIMITER_BEGUN.test(text));
    case "|":
    case ":":
      return paragraph && !lazy && DELIMITER_BEGUN.test(text);
    case "[":
      return FOOTNOTE_BEGUN.test(text);
    case "<":
      return HTML_BEGUN.test(text) && !(BLOCK.test(text) && /[ \t>]/.test(text)) && !TAG_AND_MORE.test(text);
    default:
      return false;
  }
}
