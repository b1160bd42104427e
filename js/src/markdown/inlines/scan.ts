/** One pass over a block's text, from a place before which nothing changes any more. */

import { autolinkAt, htmlEnd } from "./angle.ts";
import { resolve, type Order } from "./attention.ts";
import { Brackets, type Labels } from "./brackets.ts";
import { isEscapable, REFERENCE, referenced } from "./characters.ts";
import { Draft } from "./draft.ts";
import { formulaAt, LONGEST_WAIT } from "./formula.ts";
import { FOOTNOTE_CALL, normalized } from "./link.ts";
import { emailLiteral, protocolLiteral, wwwLiteral, type Literal } from "./literal.ts";
import { Runs } from "./runs.ts";
import { special, tailEnd, type Tail } from "./tail.ts";
import { Ticks } from "./ticks.ts";
import type { Inline } from "./tree.ts";

/** What a scan has to know beyond the text. */
export interface Context extends Labels {
  /** No more text will come. Else what the end of the text leaves open is held back, or shown as it will surely be. */
  readonly final: boolean;
  /** In a table's cell, `\|` is `|` in code too. */
  readonly cell: boolean;
  /** At the beginning of a list's item, `[ ]` is a box. */
  readonly task: boolean;
  readonly math: boolean;
  /** The number of a footnote that is called here; null where there is none of that label. */
  call(label: string): number | null;
}

export interface Scanned {
  readonly inlines: readonly Inline[];
  /** A place between words where a later scan may begin, for nothing before it changes any more; 0 where there is none. */
  readonly stop: number;
  /** Whether emphasis or strikethrough came first, before that place. */
  readonly order: Order;
  /** The plain text with which the last inline ends, if more plain text will only make it longer. */
  readonly tail: Tail | null;
}

const TASK = /\[([ \t\nxX])\](?=\n|[ \t]+[^ \t])/y;

export function scan(text: string, from: number, end: number, order: Order, context: Context): Scanned {
  return new Scan(text, from, end, order, context).run();
}

class Scan {
  readonly #draft: Draft;
  readonly #context: Context;
  readonly #runs: Runs;
  readonly #brackets: Brackets;
  #ticks: Ticks | null = null;
  /** Ends of raw HTML that do not come. */
  readonly #missing = new Set<string>();
  /** No e-mail address begins before. */
  #noEmail = -1;

  constructor(text: string, from: number, end: number, order: Order, context: Context) {
    this.#draft = new Draft(text, from, end, context.final);
    this.#context = context;
    this.#runs = new Runs(this.#draft, order);
    this.#brackets = new Brackets(this.#draft, context);
  }

  run(): Scanned {
    const draft = this.#draft;
    const marks = special();
    for (let going = this.#begin(); going; ) {
      marks.lastIndex = draft.at;
      const found = marks.exec(draft.text);
      if (found === null || found.index >= draft.end) break;
      draft.at = found.index;
      going = this.#special(found[0]);
    }
    return this.#finish();
  }

  /** The box with which an item of a list may begin. */
  #begin(): boolean {
    const draft = this.#draft;
    if (draft.at > 0 || !this.#context.task) return true;
    TASK.lastIndex = 0;
    const found = TASK.exec(draft.text);
    if (found !== null && TASK.lastIndex < draft.end) draft.push({ type: "check", checked: /x/i.test(found[1] ?? "") }, 3);
    else if (!draft.final && /^\[[ \txX]\][ \t]*$/.test(draft.text)) return draft.hold();
    return true;
  }

  /** Deal with what is at `at`; false to end here and hold the rest back. */
  #special(found: string): boolean {
    const draft = this.#draft;
    switch (found) {
      case "\\":
        return this.#escape();
      case "`":
        return this.#code();
      case "*":
      case "_":
        return (found === "_" && this.#email()) || this.#runs.attention(found);
      case "~":
        return this.#runs.strike();
      case "[":
        if (!this.#call()) this.#brackets.begin(false);
        return true;
      case "!":
        if (draft.at + 1 >= draft.end) return draft.hold();
        if (draft.text[draft.at + 1] === "[") this.#brackets.begin(true);
        else draft.at += 1;
        return true;
      case "]":
        return this.#brackets.close();
      case "<":
        return this.#angle();
      case "&":
        return this.#reference();
      case "\n":
        return this.#newline();
      case "$":
        return this.#math("$");
      case "@":
        if (!this.#email()) draft.at += 1;
        return true;
      default:
        return this.#literal(found);
    }
  }

  /** The call of a footnote. */
  #call(): boolean {
    const draft = this.#draft;
    FOOTNOTE_CALL.lastIndex = draft.at;
    const label = FOOTNOTE_CALL.exec(draft.text)?.[1];
    if (label === undefined || FOOTNOTE_CALL.lastIndex > draft.end) return false;
    const named = normalized(label);
    const number = this.#context.call(named);
    if (number === null) return false;
    draft.push({ type: "call", label: named, number }, FOOTNOTE_CALL.lastIndex - draft.at);
    return true;
  }

  #escape(): boolean {
    const draft = this.#draft;
    const next = draft.text.charCodeAt(draft.at + 1);
    if (draft.at + 1 >= draft.end) return draft.hold();
    if (next === 10) {
      draft.push({ type: "break" }, 1);
    } else if (this.#context.math && (next === 40 || next === 91)) {
      return this.#math(next === 40 ? "\\(" : "\\[");
    } else if (isEscapable(next)) {
      draft.push({ type: "text", value: draft.text[draft.at + 1] ?? "" }, 2);
    } else {
      draft.at += 1;
    }
    return true;
  }

  #code(): boolean {
    const draft = this.#draft;
    const { text, end, final } = draft;
    const size = draft.run("`");
    const begin = draft.at + size;
    if (begin >= end && !final) return draft.hold();
    this.#ticks ??= new Ticks(text, begin, end);
    const close = this.#ticks.closing(size, begin);
    if (close !== null) {
      if (close + size >= end && !final) draft.unsettled(draft.at);
      draft.push({ type: "code", value: this.#codeValue(begin, close) }, close + size - draft.at);
      return true;
    }
    draft.unsettled(draft.at);
    if (final) {
      draft.at = begin;
      return true;
    }
    const shown = text.slice(begin, end).replace(/[`\s]+$/, "").replace(/^ /, "").replace(/\n/g, " ");
    if (shown === "") return draft.hold();
    draft.push({ type: "code", value: this.#unpiped(shown) }, end - draft.at);
    return false;
  }

  #codeValue(from: number, to: number): string {
    const value = this.#draft.text.slice(from, to).replace(/\n/g, " ");
    const padded = value.startsWith(" ") && value.endsWith(" ") && /[^ ]/.test(value);
    return this.#unpiped(padded ? value.slice(1, -1) : value);
  }

  #unpiped(value: string): string {
    return this.#context.cell ? value.replace(/\\([\\|])/g, (written, mark) => (mark === "|" ? "|" : written)) : value;
  }

  #angle(): boolean {
    const draft = this.#draft;
    const { text, at, end } = draft;
    const link = autolinkAt(text, at, end);
    if (link !== null) {
      const children: Inline[] = [{ type: "text", value: link.written }];
      draft.push({ type: "link", address: link.address, title: null, children }, link.written.length + 2);
      return true;
    }
    const to = htmlEnd(text, at, end, this.#missing);
    if (to !== null) {
      draft.push({ type: "text", value: text.slice(at, to) }, to - at);
      return true;
    }
    if (!draft.final && /^<(?:[A-Za-z][^\s<>]*)?$/.test(text.slice(at, Math.min(end, at + LONGEST_WAIT)))) return draft.hold();
    // A tag may still be closed, and what is in it would not be marks.
    if (/^<[A-Za-z/!?]/.test(text.slice(at, at + 2))) draft.unsettled(at);
    draft.at += 1;
    return true;
  }

  #reference(): boolean {
    const draft = this.#draft;
    REFERENCE.lastIndex = draft.at;
    const found = REFERENCE.exec(draft.text);
    if (found !== null && REFERENCE.lastIndex <= draft.end) {
      const value = referenced(found[1], found[2], found[3]);
      if (value !== null) {
        draft.push({ type: "text", value }, found[0].length);
        return true;
      }
    } else if (!draft.final && /^&[#\w]{0,31}$/.test(draft.text.slice(draft.at, Math.min(draft.end, draft.at + 34)))) {
      return draft.hold();
    }
    draft.at += 1;
    return true;
  }

  #newline(): boolean {
    const draft = this.#draft;
    const { text, at, end } = draft;
    let to = at;
    while (to > draft.plain && (text[to - 1] === " " || text[to - 1] === "\t")) to -= 1;
    const trailing = text.slice(to, at);
    let next = at + 1;
    while (next < end && (text[next] === " " || text[next] === "\t")) next += 1;
    if (next >= end && !draft.final) {
      draft.at = to;
      return draft.hold();
    }
    draft.flush(to);
    if (trailing.length > 1 && !trailing.includes("\t")) draft.items.push({ value: { type: "break" }, from: to, to: at });
    draft.items.push({ value: { type: "text", value: "\n" }, from: at, to: next });
    draft.at = next;
    draft.plain = next;
    return true;
  }

  #math(open: string): boolean {
    const draft = this.#draft;
    const { math } = this.#context;
    const formula = math ? formulaAt(draft.text, draft.at, draft.end, open, draft.final) : null;
    if (formula === undefined) return draft.hold();
    if (formula === null) {
      // It may still be closed.
      if (math) draft.unsettled(draft.at);
      if (open === "$") draft.at += draft.run("$");
      else draft.push({ type: "text", value: open[1] ?? "" }, 2);
      return true;
    }
    const written = draft.text.slice(draft.at, formula.to);
    draft.push({ type: "math", source: formula.source, display: formula.display, written }, formula.to - draft.at);
    return true;
  }

  #literal(found: string): boolean {
    const draft = this.#draft;
    if (this.#email()) return true;
    const read = /^w/i.test(found) ? wwwLiteral : protocolLiteral;
    const literal = this.#brackets.open ? null : read(draft.text, draft.at, draft.end);
    if (literal === null) draft.at += 1;
    else this.#link(literal);
    return true;
  }

  #email(): boolean {
    const draft = this.#draft;
    if (this.#brackets.open || draft.at < this.#noEmail) return false;
    const literal = emailLiteral(draft.text, draft.at, draft.plain, draft.end);
    if (literal !== null) {
      this.#link(literal);
      return true;
    }
    let next = draft.at;
    while (next < draft.end && /[\w.+-]/.test(draft.text[next] ?? "")) next += 1;
    this.#noEmail = next;
    return false;
  }

  #link({ from, to, scheme }: Literal): void {
    const draft = this.#draft;
    draft.at = from;
    const value = draft.text.slice(from, to);
    if (to >= draft.end && !draft.final) draft.unsettled(from);
    draft.push({ type: "link", address: scheme + value, title: null, children: [{ type: "text", value }] }, to - from);
  }

  #finish(): Scanned {
    const draft = this.#draft;
    const tail = this.#tail();
    this.#brackets.finish();
    const { inlines, stop } = resolve(draft.items, this.#runs.order, !draft.final, draft.settled);
    return { inlines, stop, order: this.#runs.orderBefore(stop), tail };
  }

  /** Show the plain text at the end. */
  #tail(): Tail | null {
    const draft = this.#draft;
    const { text, end, plain: from, final } = draft;
    if (from >= end) return null;
    // After a space, nothing that comes can reach back; and nothing before it may wait for it.
    const plain = !final && draft.at === from && !this.#brackets.open && draft.settled === Number.POSITIVE_INFINITY;
    const to = tailEnd(text, from, end, final);
    if (!final) draft.unsettled(to);
    draft.flush(to);
    return plain && text.lastIndexOf(" ", to - 1) >= from ? { from, to } : null;
  }
}
