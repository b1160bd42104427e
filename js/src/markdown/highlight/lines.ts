/** Runs a line mode of CodeMirror over a code block that grows line by line. */

import type { StreamParser, StringStream } from "@codemirror/streamparser";
import type { LineHighlighter, Piece } from "../options.ts";
import { PatientStream } from "./patient.ts";
import { copyOf, INDENT, started } from "./state.ts";
import { styleOf } from "./styles.ts";

/**
 * A longer line is data rather than code, and not worth a node for each word. Several modes look ahead to its end from
 * each word, and a line that grows is read again for each frame: at 1,000 that is 5 ms at worst, at 5,000 it is 120 ms.
 */
export const LONGEST_LINE = 1_000;
/** A mode may change its state without advancing, as often as CodeMirror lets it. */
const MOST_TRIES = 10;
/** More open brackets are no program; some modes go through all of them for each new one. */
const DEEPEST = 500;

export class ModeLines<State> implements LineHighlighter {
  readonly #mode: StreamParser<State>;
  #state: State;

  constructor(mode: StreamParser<State>) {
    this.#mode = mode;
    this.#state = started(mode);
  }

  line(text: string): readonly Piece[] {
    if (text.length > LONGEST_LINE) return plain(text);
    const { pieces, whole } = read(this.#mode, text, this.#state);
    // What a mode leaves behind when it fails is anything: the next line starts afresh.
    if (!whole || tooDeep(this.#state)) this.#state = started(this.#mode);
    return pieces;
  }

  partial(text: string): readonly Piece[] {
    if (text === "") return [];
    if (text.length > LONGEST_LINE) return plain(text);
    return read(this.#mode, text, copyOf(this.#mode, this.#state)).pieces;
  }
}

/** The pieces of one line, as far as the mode understands it; the rest is plain. Changes the state. */
function read<State>(
  mode: StreamParser<State>,
  text: string,
  state: State,
): { readonly pieces: readonly Piece[]; readonly whole: boolean } {
  const joiner = new Joiner();
  const stream = new PatientStream(text);
  let done = 0;
  try {
    if (text === "") mode.blankLine?.(state, INDENT);
    while (done < text.length) {
      const token = next(mode, stream, state);
      // Some modes step over the end.
      const end = Math.min(stream.pos, text.length);
      const piece = text.slice(done, end);
      joiner.add(piece, styleOf(token, piece));
      done = end;
    }
    return { pieces: joiner.pieces, whole: true };
  } catch {
    joiner.add(text.slice(done), "");
    return { pieces: joiner.pieces, whole: false };
  }
}

function next<State>(mode: StreamParser<State>, stream: StringStream, state: State): string | null {
  stream.start = stream.pos;
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const token = mode.token(stream, state);
    if (stream.pos > stream.start) return token;
  }
  throw new Error("The mode does not advance.");
}

/** Modes keep what is open in arrays, or chained by `prev` or `next`. */
function tooDeep(state: unknown): boolean {
  if (typeof state !== "object" || state === null) return false;
  return Object.values(state).some((value) => (Array.isArray(value) ? value.length : chained(value)) > DEEPEST);
}

function chained(link: unknown): number {
  let length = 0;
  while (typeof link === "object" && link !== null && length <= DEEPEST) {
    link = "prev" in link ? link.prev : "next" in link ? link.next : null;
    length++;
  }
  return length;
}

function plain(text: string): readonly Piece[] {
  return [{ text, style: "" }];
}

/** Makes as few pieces of the tokens as show the same: what is blank has no colour, so it may take its neighbour's. */
class Joiner {
  readonly pieces: Piece[] = [];

  add(text: string, style: string): void {
    if (text === "") return;
    const blank = text.trim() === "";
    const last = this.pieces.at(-1);
    if (last === undefined || (!blank && last.style !== style && last.text.trim() !== "")) {
      this.pieces.push({ text, style: blank ? "" : style });
      return;
    }
    if (blank) {
      // It waits with plain text; after coloured text it stands alone until the next token takes it.
      if (last.style === "") this.#grow(text, "");
      else this.pieces.push({ text, style: "" });
      return;
    }
    if (last.style === style) {
      this.#grow(text, style);
      return;
    }
    // The last piece is blank, and no plain text is before it.
    const before = this.pieces.at(-2);
    if (before?.style === style) {
      this.pieces.pop();
      this.#grow(last.text + text, style);
    } else {
      this.pieces.push({ text, style });
    }
  }

  #grow(text: string, style: string): void {
    const last = this.pieces.pop();
    this.pieces.push({ text: (last?.text ?? "") + text, style });
  }
}
