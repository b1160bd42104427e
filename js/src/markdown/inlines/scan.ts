/** One pass over a block's text, from a place before which nothing changes any more. */

import { resolve, resolveInside, type Order } from "./attention.ts";
import { autolinkAt, htmlEnd } from "./angle.ts";
import { isAlphanumeric, isEscapable, kindOf, Kind, REFERENCE, referenced } from "./characters.ts";
import { formulaAt, LONGEST_WAIT } from "./formula.ts";
import { labelEnd, normalized, resource } from "./link.ts";
import { emailLiteral, protocolLiteral, wwwLiteral, type Literal } from "./literal.ts";
import { Ticks } from "./ticks.ts";
import { plainText, type Bracket, type Delimiter, type Inline, type Item } from "./tree.ts";

export interface Target {
  readonly address: string;
  readonly title: string | null;
}

/** What a scan has to know beyond the text. */
export interface Context {
  /** No more text will come. Else what the end of the text leaves open is held back, or shown as it will surely be. */
  readonly final: boolean;
  /** In a table's cell, `\|` is `|` in code too. */
  readonly cell: boolean;
  /** At the beginning of a list's item, `[ ]` is a box. */
  readonly task: boolean;
  readonly math: boolean;
  /** The target of a normalized label. */
  target(label: string): Target | undefined;
  /** A label that has no target yet would have been used. */
  wanted(label: string): void;
}

export interface Scanned {
  readonly inlines: readonly Inline[];
  /** A place between words where a later scan may begin, for nothing before it changes any more; 0 where there is none. */
  readonly stop: number;
  /** Whether emphasis or strikethrough came first, before that place. */
  readonly order: Order;
}

const SPECIAL = /[\\`*_~[\]!<&\n$@]|https?:\/\/|www\./gi;
const TASK = /\[([ \t\nxX])\](?=\n|[ \t]+[^ \t])/y;

export function scan(text: string, from: number, end: number, order: Order, context: Context): Scanned {
  return new Scan(text, from, end, order, context).run();
}

/** Whether a run leans on what is at its side, seen from what is at the other. */
const isFlanking = (other: Kind, side: Kind): boolean => side === Kind.Word || (side === Kind.Punctuation && other !== Kind.Word);

class Scan {
  readonly #text: string;
  readonly #from: number;
  readonly #end: number;
  readonly #context: Context;
  #order: Order;
  #orderAt = -1;
  #at: number;
  /** The plain text that has been passed and is not an item yet begins here. */
  #plain: number;
  readonly #items: Item[] = [];
  /** Where in `items` the open brackets are. */
  readonly #brackets: number[] = [];
  #ticks: Ticks | null = null;
  /** Ends of raw HTML that do not come. */
  readonly #missing = new Set<string>();
  /** No e-mail address begins before. */
  #noEmail = -1;
  #settled = Number.POSITIVE_INFINITY;

  constructor(text: string, from: number, end: number, order: Order, context: Context) {
    [this.#text, this.#from, this.#end, this.#order, this.#context] = [text, from, end, order, context];
    this.#at = from;
    this.#plain = from;
  }

  run(): Scanned {
    for (let going = this.#begin(); going; ) {
      SPECIAL.lastIndex = this.#at;
      const found = SPECIAL.exec(this.#text);
      if (found === null || found.index >= this.#end) break;
      this.#at = found.index;
      going = this.#special(found[0]);
    }
    return this.#finish();
  }

  #begin(): boolean {
    if (this.#from > 0 || !this.#context.task) return true;
    TASK.lastIndex = 0;
    const found = TASK.exec(this.#text);
    if (found !== null && TASK.lastIndex < this.#end) this.#push({ type: "check", checked: /x/i.test(found[1] ?? "") }, 3);
    else if (!this.#context.final && /^\[[ \txX]\][ \t]*$/.test(this.#text)) return this.#hold();
    return true;
  }

  /** Deal with what is at `at`; false to end here and hold the rest back. */
  #special(found: string): boolean {
    switch (found) {
      case "\\":
        return this.#escape();
      case "`":
        return this.#code();
      case "*":
      case "_":
        return (found === "_" && this.#email()) || this.#attention(found);
      case "~":
        return this.#strike();
      case "[":
        this.#open(false, 1);
        return true;
      case "!":
        if (this.#at + 1 >= this.#end) return this.#hold();
        if (this.#text[this.#at + 1] === "[") this.#open(true, 2);
        else this.#at += 1;
        return true;
      case "]":
        return this.#close();
      case "<":
        return this.#angle();
      case "&":
        return this.#reference();
      case "\n":
        return this.#newline();
      case "$":
        return this.#math("$");
      case "@":
        if (!this.#email()) this.#at += 1;
        return true;
      default:
        return this.#literal(found);
    }
  }

  /** What is here depends on what comes: end before it, unless nothing comes. */
  #hold(): boolean {
    if (!this.#context.final) {
      this.#flush(this.#at);
      this.#settled = Math.min(this.#settled, this.#at);
      this.#plain = this.#end;
      return false;
    }
    this.#at += 1;
    return true;
  }

  #flush(to: number): void {
    if (to > this.#plain) {
      this.#items.push({ value: { type: "text", value: this.#text.slice(this.#plain, to) }, from: this.#plain, to });
    }
    this.#plain = to;
  }

  #push(value: Inline | Delimiter | Bracket, length: number): void {
    this.#flush(this.#at);
    const from = this.#at;
    this.#at += length;
    this.#plain = this.#at;
    this.#items.push({ value, from, to: this.#at });
  }

  #escape(): boolean {
    const next = this.#text.charCodeAt(this.#at + 1);
    if (this.#at + 1 >= this.#end) return this.#hold();
    if (next === 10) {
      this.#push({ type: "break" }, 1);
    } else if (this.#context.math && (next === 40 || next === 91)) {
      return this.#math(next === 40 ? "\\(" : "\\[");
    } else if (isEscapable(next)) {
      this.#push({ type: "text", value: this.#text[this.#at + 1] ?? "" }, 2);
    } else {
      this.#at += 1;
    }
    return true;
  }

  #run(marker: string): number {
    let to = this.#at;
    while (to < this.#end && this.#text[to] === marker) to += 1;
    return to - this.#at;
  }

  #code(): boolean {
    const size = this.#run("`");
    const begin = this.#at + size;
    if (begin >= this.#end && !this.#context.final) return this.#hold();
    this.#ticks ??= new Ticks(this.#text, begin, this.#end);
    const close = this.#ticks.closing(size, begin);
    if (close !== null) {
      if (close + size >= this.#end && !this.#context.final) this.#settled = Math.min(this.#settled, this.#at);
      this.#push({ type: "code", value: this.#codeValue(begin, close) }, close + size - this.#at);
      return true;
    }
    this.#settled = Math.min(this.#settled, this.#at);
    if (this.#context.final) {
      this.#at = begin;
      return true;
    }
    const shown = this.#text.slice(begin, this.#end).replace(/[`\s]+$/, "").replace(/^ /, "").replace(/\n/g, " ");
    if (shown === "") return this.#hold();
    this.#push({ type: "code", value: this.#unpiped(shown) }, this.#end - this.#at);
    return false;
  }

  #codeValue(from: number, to: number): string {
    const value = this.#text.slice(from, to).replace(/\n/g, " ");
    const padded = value.startsWith(" ") && value.endsWith(" ") && /[^ ]/.test(value);
    return this.#unpiped(padded ? value.slice(1, -1) : value);
  }

  #unpiped(value: string): string {
    return this.#context.cell ? value.replace(/\\([\\|])/g, (written, mark) => (mark === "|" ? "|" : written)) : value;
  }

  #firstIs(order: Order): void {
    if (this.#order !== null) return;
    this.#order = order;
    this.#orderAt = this.#at;
  }

  #attention(marker: string): boolean {
    const size = this.#run(marker);
    const next = this.#at + size;
    if (next >= this.#end && !this.#context.final) return this.#hold();
    this.#firstIs("attention");
    const [previous, following] = [this.#text.charCodeAt(this.#at - 1), next < this.#end ? this.#text.charCodeAt(next) : Number.NaN];
    const [before, after] = [kindOf(previous), kindOf(following)];
    const opens = isFlanking(before, after) || following === 126;
    const closes = isFlanking(after, before) || previous === 126;
    const open = marker === "*" ? opens : opens && (before !== Kind.Word || !closes);
    const close = marker === "*" ? closes : closes && (after !== Kind.Word || !opens);
    const hopeful = !(isAlphanumeric(previous) && isAlphanumeric(following));
    this.#push({ type: "delimiter", marker, size, open, close, hopeful }, size);
    return true;
  }

  #strike(): boolean {
    const size = this.#run("~");
    const next = this.#at + size;
    if (next >= this.#end && !this.#context.final) return this.#hold();
    const previous = this.#text.charCodeAt(this.#at - 1);
    if (size > 2) {
      this.#at = next;
      return true;
    }
    this.#firstIs("strike");
    const [before, after] = [kindOf(previous), kindOf(next < this.#end ? this.#text.charCodeAt(next) : Number.NaN)];
    this.#push({ type: "delimiter", marker: "~", size, open: isFlanking(before, after), close: isFlanking(after, before), hopeful: true }, size);
    return true;
  }

  #open(image: boolean, length: number): void {
    this.#push({ type: "bracket", image, inside: this.#at + length, active: true }, length);
    this.#brackets.push(this.#items.length - 1);
  }

  #close(): boolean {
    const place = this.#brackets.at(-1);
    const bracket = place === undefined ? undefined : (this.#items[place]?.value as Bracket | undefined);
    if (place === undefined || bracket === undefined) {
      this.#at += 1;
      return true;
    }
    const target = bracket.active ? this.#target(bracket) : null;
    if (target === undefined) return this.#wait(place);
    if (target === null) {
      this.#brackets.pop();
      const item = this.#items[place];
      if (item) item.value = { type: "text", value: bracket.image ? "![" : "[" };
      this.#at += 1;
      return true;
    }
    this.#flush(this.#at);
    const item = this.#items[place];
    const children = resolveInside(this.#items.splice(place + 1));
    this.#brackets.pop();
    const { address, title, to } = target;
    if (item) {
      item.to = to;
      item.value = bracket.image
        ? { type: "image", address, title, alt: plainText(children) }
        : { type: "link", address, title, children };
    }
    this.#at = to;
    this.#plain = to;
    if (!bracket.image) {
      for (const outer of this.#brackets) {
        const value = this.#items[outer]?.value;
        if (value?.type === "bracket" && !value.image) value.active = false;
      }
    }
    return true;
  }

  /** What the bracket that closes here leads to; undefined while that depends on what comes. */
  #target(bracket: Bracket): (Target & { readonly to: number }) | null | undefined {
    const { final } = this.#context;
    const next = this.#at + 1;
    const waits = !final && this.#end - bracket.inside < LONGEST_WAIT;
    if (next >= this.#end && waits) return undefined;
    const label = normalized(this.#text.slice(bracket.inside, this.#at));
    const own = label.length < LONGEST_WAIT ? this.#context.target(label) : undefined;
    if (this.#text[next] === "(" && next < this.#end) {
      const found = resource(this.#text, next, this.#end);
      if (found) return found;
      if (found === undefined && waits) return undefined;
    } else if (this.#text[next] === "[" && next < this.#end) {
      const to = labelEnd(this.#text, next, this.#end);
      if (to === undefined && waits) return undefined;
      if (to) {
        const other = normalized(this.#text.slice(next + 1, to - 1));
        const target = this.#context.target(other);
        if (target) return { ...target, to };
        this.#context.wanted(other);
      }
      const collapsed = this.#text[next + 1] === "]" && next + 1 < this.#end;
      if (own && !collapsed) return null;
      if (own) return { ...own, to: next + 2 };
    }
    if (own) return { ...own, to: next };
    if (label !== "") this.#context.wanted(label);
    return null;
  }

  /** End before the open bracket. */
  #wait(place: number): false {
    const from = this.#items[place]?.from ?? this.#end;
    this.#items.length = place;
    this.#brackets.length = 0;
    this.#settled = Math.min(this.#settled, from);
    this.#plain = this.#end;
    return false;
  }

  #angle(): boolean {
    const link = autolinkAt(this.#text, this.#at, this.#end);
    if (link !== null) {
      const children: Inline[] = [{ type: "text", value: link.written }];
      this.#push({ type: "link", address: link.address, title: null, children }, link.written.length + 2);
      return true;
    }
    const to = htmlEnd(this.#text, this.#at, this.#end, this.#missing);
    if (to !== null) {
      this.#push({ type: "text", value: this.#text.slice(this.#at, to) }, to - this.#at);
      return true;
    }
    if (!this.#context.final && /^<(?:[A-Za-z][^\s<>]*)?$/.test(this.#text.slice(this.#at, Math.min(this.#end, this.#at + LONGEST_WAIT)))) {
      return this.#hold();
    }
    // A tag may still be closed, and what is in it would not be marks.
    if (/^<[A-Za-z/!?]/.test(this.#text.slice(this.#at, this.#at + 2))) this.#settled = Math.min(this.#settled, this.#at);
    this.#at += 1;
    return true;
  }

  #reference(): boolean {
    REFERENCE.lastIndex = this.#at;
    const found = REFERENCE.exec(this.#text);
    if (found !== null && REFERENCE.lastIndex <= this.#end) {
      const value = referenced(found[1], found[2], found[3]);
      if (value !== null) {
        this.#push({ type: "text", value }, found[0].length);
        return true;
      }
    } else if (!this.#context.final && /^&[#\w]{0,31}$/.test(this.#text.slice(this.#at, Math.min(this.#end, this.#at + 34)))) {
      return this.#hold();
    }
    this.#at += 1;
    return true;
  }

  #newline(): boolean {
    let to = this.#at;
    while (to > this.#plain && (this.#text[to - 1] === " " || this.#text[to - 1] === "\t")) to -= 1;
    const trailing = this.#text.slice(to, this.#at);
    let next = this.#at + 1;
    while (next < this.#end && (this.#text[next] === " " || this.#text[next] === "\t")) next += 1;
    if (next >= this.#end && !this.#context.final) {
      this.#at = to;
      return this.#hold();
    }
    const at = this.#at;
    this.#flush(to);
    if (trailing.length > 1 && !trailing.includes("\t")) this.#items.push({ value: { type: "break" }, from: to, to: at });
    this.#items.push({ value: { type: "text", value: "\n" }, from: at, to: next });
    this.#at = next;
    this.#plain = next;
    return true;
  }

  #math(open: string): boolean {
    const formula = this.#context.math ? formulaAt(this.#text, this.#at, this.#end, open, this.#context.final) : null;
    if (formula === undefined) return this.#hold();
    // It may still be closed.
    if (formula === null && this.#context.math) this.#settled = Math.min(this.#settled, this.#at);
    if (formula === null) {
      if (open === "$") this.#at += this.#run("$");
      else this.#push({ type: "text", value: open[1] ?? "" }, 2);
      return true;
    }
    const written = this.#text.slice(this.#at, formula.to);
    this.#push({ type: "math", source: formula.source, display: formula.display, written }, formula.to - this.#at);
    return true;
  }

  #literal(found: string): boolean {
    if (this.#email()) return true;
    const literal = this.#brackets.length > 0 ? null : /^w/i.test(found) ? wwwLiteral(this.#text, this.#at, this.#end) : protocolLiteral(this.#text, this.#at, this.#end);
    if (literal === null) {
      this.#at += 1;
      return true;
    }
    this.#link(literal);
    return true;
  }

  #email(): boolean {
    if (this.#brackets.length > 0 || this.#at < this.#noEmail) return false;
    const literal = emailLiteral(this.#text, this.#at, this.#plain, this.#end);
    if (literal === null) {
      let next = this.#at;
      while (next < this.#end && /[\w.+-]/.test(this.#text[next] ?? "")) next += 1;
      this.#noEmail = next;
      return false;
    }
    this.#link(literal);
    return true;
  }

  #link({ from, to, scheme }: Literal): void {
    this.#at = from;
    const value = this.#text.slice(from, to);
    if (to >= this.#end && !this.#context.final) this.#settled = Math.min(this.#settled, from);
    this.#push({ type: "link", address: scheme + value, title: null, children: [{ type: "text", value }] }, to - from);
  }

  #finish(): Scanned {
    const { final } = this.#context;
    if (this.#plain < this.#end) this.#tail();
    const first = this.#brackets[0];
    if (first !== undefined && !final) {
      const item = this.#items[first];
      if (item && this.#end - item.from < LONGEST_WAIT) this.#wait(first);
      else this.#settled = Math.min(this.#settled, item?.from ?? this.#from);
    }
    for (const place of this.#brackets) {
      const item = this.#items[place];
      if (item?.value.type === "bracket") item.value = { type: "text", value: item.value.image ? "![" : "[" };
    }
    const { inlines, stop } = resolve(this.#items, this.#order, !final, this.#settled);
    return { inlines, stop, order: this.#orderAt < stop ? this.#order : null };
  }

  /** The last plain text: without the white space at its end, nor the beginning of what may become a link. */
  #tail(): void {
    let to = this.#end;
    while (to > this.#plain && /[ \t]/.test(this.#text[to - 1] ?? "")) to -= 1;
    if (!this.#context.final) {
      const word = /(?:^|[^A-Za-z])(h|ht|htt|https?|https?:|https?:\/|https?:\/\/|w|ww|www|www\.)$/i.exec(this.#text.slice(Math.max(this.#plain, to - 9), to));
      if (to === this.#end) to -= word?.[1]?.length ?? 0;
      this.#settled = Math.min(this.#settled, to);
    }
    this.#flush(to);
  }
}
