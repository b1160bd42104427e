/** Says sentences no faster than they are heard: what comes meanwhile is said together. */

/** Characters a second, of people who listen to screen readers a lot. */
const PACE = 25;
/** A moment for what was said to be over. */
const LEAST_MS = 1000;

export class Speaker {
  readonly #say: (text: string) => void;
  #waiting: string[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  push(sentences: readonly string[]): void {
    this.#waiting.push(...sentences);
    if (this.#timer === null) this.#next();
  }

  /** Say no more. Returns what was not said yet: said at once at the end, one key of a screen reader silences it. */
  stop(): readonly string[] {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    return this.#waiting.splice(0);
  }

  #next(): void {
    this.#timer = null;
    if (this.#waiting.length === 0) return;
    const text = this.#waiting.splice(0).join(" ");
    this.#say(text);
    this.#timer = setTimeout(() => this.#next(), Math.max(LEAST_MS, (text.length / PACE) * 1000));
  }
}
