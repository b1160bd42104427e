/** A place in a line, counted in characters and in columns: a tab goes to the next multiple of four. */

const TAB = 9;
const SPACE = 32;

export class Cursor {
  readonly line: string;
  /** The next character. */
  at = 0;
  #column = 0;
  /** Columns of the tab before `at` that nothing has taken yet. */
  #spare = 0;

  constructor(line: string) {
    this.line = line;
  }

  /** The same place, to go on from by itself. */
  copy(): Cursor {
    const copy = new Cursor(this.line);
    copy.at = this.at;
    copy.#column = this.#column;
    copy.#spare = this.#spare;
    return copy;
  }

  /** How many columns of white space come next. */
  get indent(): number {
    let column = this.#column + this.#spare;
    for (let at = this.at; ; at += 1) {
      const code = this.line.charCodeAt(at);
      if (code === SPACE) column += 1;
      else if (code === TAB) column += 4 - (column % 4);
      else return column - this.#column;
    }
  }

  /** Take white space, at most so many columns; returns how many there were. */
  skip(most: number): number {
    let left = most;
    while (left > 0) {
      if (this.#spare > 0) {
        const taken = Math.min(left, this.#spare);
        this.#spare -= taken;
        this.#column += taken;
        left -= taken;
        continue;
      }
      const code = this.line.charCodeAt(this.at);
      if (code === SPACE) {
        this.#column += 1;
        left -= 1;
      } else if (code === TAB) {
        this.#spare = 4 - (this.#column % 4);
      } else {
        break;
      }
      this.at += 1;
    }
    return most - left;
  }

  /** Take so many characters that are no white space. */
  take(count: number): void {
    this.at += count;
    this.#column += count;
  }

  /** Whether nothing but white space comes. */
  get blank(): boolean {
    for (let at = this.at; at < this.line.length; at += 1) {
      const code = this.line.charCodeAt(at);
      if (code !== SPACE && code !== TAB) return false;
    }
    return true;
  }

  /** The next character's code; NaN at the end, a space inside a tab. */
  get code(): number {
    return this.#spare > 0 ? SPACE : this.line.charCodeAt(this.at);
  }

  /** All that comes; what is left of a tab are spaces. */
  get rest(): string {
    return this.#spare > 0 ? " ".repeat(this.#spare) + this.line.slice(this.at) : this.line.slice(this.at);
  }
}

/** A text without the white space, as Markdown means it, at its beginning. */
export const unindented = (text: string): string => text.replace(/^[ \t]+/, "");

/** A text without the white space, as Markdown means it, around it. */
export const stripped = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, "");
