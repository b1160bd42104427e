/** A line for a mode to read, which ends the patience with one that goes around in a circle. */

import { StringStream } from "@codemirror/streamparser";
import { INDENT } from "./state.ts";

const TAB = 4;
/** Modes ask some ten times for a character. */
const QUESTIONS = 100;

export class PatientStream extends StringStream {
  #left: number;

  constructor(line: string) {
    // A dot matches these four nowhere, which no mode counts on within a line.
    super(line.replace(/[\r\n\u2028\u2029]/g, " "), TAB, INDENT);
    this.#left = QUESTIONS * (line.length + 10);
  }

  override eol(): boolean {
    this.#ask();
    return super.eol();
  }

  override peek(): string | undefined {
    this.#ask();
    return super.peek();
  }

  override next(): string | void {
    this.#ask();
    return super.next();
  }

  override eat(match: string | RegExp | ((character: string) => boolean)): string | void {
    this.#ask();
    return super.eat(match);
  }

  override match(pattern: string | RegExp, consume?: boolean, ignoreCase?: boolean): boolean | RegExpMatchArray | null {
    this.#ask();
    return super.match(pattern, consume, ignoreCase);
  }

  #ask(): void {
    if (this.#left-- <= 0) throw new Error("The mode goes around in a circle.");
  }
}
