/** A Markdown text that grows, shown as it grows: what is closed is never touched again. */

import { MarkdownDocument } from "./document.ts";
import type { MarkdownOptions } from "./options.ts";
import { watchSelection } from "./view/selection.ts";
import { adoptStyles } from "./view/styles.ts";

/** How long one frame may read; the next one goes on. */
const BUDGET_MS = 8;
/** Read this much between two looks at the clock. */
const SLICE = 4096;
/** What is held back for its length shows when no text has come for so long. */
const IDLE_MS = 200;
const TAIL = "streamchat-md-tail";

export interface MarkdownStream {
  /** More text. It shows with the next animation frame. */
  push(text: string): void;
  /** Show now what was pushed. */
  flush(): void;
  /** No more text will come: show everything now. */
  end(): void;
}

/**
 * Show Markdown in `container` as it comes. Any way to cut a text into pushes gives the same nodes.
 *
 * @example
 * const stream = createMarkdownStream(document.body);
 * stream.push("Hello *wor");
 * stream.push("ld*");
 * stream.end();
 */
export function createMarkdownStream(container: HTMLElement, options: MarkdownOptions = {}): MarkdownStream {
  return new Stream(container, options);
}

class Stream implements MarkdownStream {
  readonly #document: MarkdownDocument;
  readonly #schedule: (render: () => void) => () => void;
  #pending = "";
  /** A carriage return came last: a line feed after it is part of the same line end. */
  #return = false;
  #begun = false;
  #ended = false;
  /** A frame is asked for, or about to be. */
  #waits = false;
  #callOff: (() => void) | null = null;
  #idle: ReturnType<typeof setTimeout> | null = null;
  #tail: HTMLElement | null = null;
  #drawn = 0;

  constructor(container: HTMLElement, options: MarkdownOptions) {
    watchSelection(container.ownerDocument);
    adoptStyles(container);
    this.#document = new MarkdownDocument(container, options);
    this.#schedule = options.schedule ?? nextFrame;
  }

  push(text: string): void {
    if (this.#ended || text === "") return;
    this.#pending += text;
    this.#wait();
  }

  flush(): void {
    if (!this.#ended) this.#render(Number.POSITIVE_INFINITY);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#callOff?.();
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#read(Number.POSITIVE_INFINITY);
    this.#document.end();
    this.#mark(null);
  }

  /** Ask for a frame, once who pushes has had the time to flush: to ask costs more than a short text. */
  #wait(): void {
    if (this.#waits) return;
    this.#waits = true;
    queueMicrotask(() => {
      if (this.#pending === "") this.#waits = false;
      else this.#callOff = this.#schedule(() => this.#frame());
    });
  }

  #frame(): void {
    this.#waits = false;
    if (this.#pending !== "") this.#render(performance.now() + BUDGET_MS);
  }

  #render(until: number): void {
    this.#read(until);
    this.#document.draw(false);
    this.#mark(this.#document.tail);
    if (this.#pending !== "") this.#wait();
    this.#drawn += 1;
    if (this.#idle === null) this.#waitIdle(this.#drawn);
  }

  #waitIdle(drawn: number): void {
    this.#idle = setTimeout(() => {
      this.#idle = null;
      if (this.#drawn === drawn) this.#document.draw(true);
      else this.#waitIdle(this.#drawn);
    }, IDLE_MS);
  }

  /** Give the document what is pending, until a time. */
  #read(until: number): void {
    const text = this.#pending;
    let at = 0;
    let look = SLICE;
    if (!this.#begun && text !== "") {
      this.#begun = true;
      if (text.charCodeAt(0) === 0xfeff) at = 1;
    }
    const lineEnd = /\r\n?|\n/g;
    while (at < text.length) {
      if (at > look) {
        if (performance.now() > until) break;
        look = at + SLICE;
      }
      if (this.#return && text.charCodeAt(at) === 10) {
        this.#return = false;
        at += 1;
        continue;
      }
      this.#return = false;
      lineEnd.lastIndex = at;
      const found = lineEnd.exec(text);
      const to = found?.index ?? text.length;
      if (to > at) this.#document.text(text.slice(at, to).replaceAll("\u0000", "\ufffd"));
      at = to;
      if (found !== null) {
        this.#document.lineEnd();
        this.#return = found[0] === "\r" && lineEnd.lastIndex === text.length;
        at = lineEnd.lastIndex;
      }
    }
    this.#pending = text.slice(at);
  }

  /** Mark the element in which the text ends. */
  #mark(tail: HTMLElement | null): void {
    if (tail === this.#tail) return;
    if (this.#tail !== null) {
      this.#tail.classList.remove(TAIL);
      if (this.#tail.className === "") this.#tail.removeAttribute("class");
    }
    tail?.classList.add(TAIL);
    this.#tail = tail;
  }
}

function nextFrame(render: () => void): () => void {
  const frame = requestAnimationFrame(render);
  return () => cancelAnimationFrame(frame);
}
