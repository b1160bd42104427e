/** A growing Markdown text as it is read aloud: without its marks, code named and not read, cut into whole sentences. */

/** The words for what is not read. */
export interface SpokenWords {
  /** Code; the language is empty where it has none. */
  code(language: string): string;
  formula(): string;
}

/** What may stand before the words of a line. */
const PREFIX = /^[\s>#*+\-=_|`~:$\d.)]*$/;
const FENCE = /^\s*(?:>\s*)*(?:[-*+]\s+|\d+[.)]\s+)?(`{3,}|~{3,})/;
/** A line that begins another block. */
const STARTS = /^\s*(?:#{1,6}\s|[-*+]\s|\d{1,9}[.)]\s|>|\|)/;
/** A line of nothing but marks. */
const MARKS = /^[\s>#*+\-=_|:~]*$/;
const WORD = /[\p{L}\p{N}]/u;
/** A sentence that is longer is said as far as it has come; that is looked at after so many characters each. */
const LONGEST = 2000;
const LOOK = 512;
/** Behind so much of it, a line's beginning is not looked at any more. */
const LONGEST_HEAD = 256;
/** Where a sentence has so much of its next one after it, its end is certain (Unicode's rule SB8 looks no further). */
const CERTAIN = /[\p{L}.?!。！？]/u;

/**
 * Any way to cut a text into pieces gives the same sentences.
 *
 * @example
 * const spoken = new Spoken("en", words);
 * spoken.push("**One** is le"); // []
 * spoken.push("ss. Two"); // ["One is less."]
 * spoken.end(); // ["Two"]
 */
export class Spoken {
  readonly #segmenter: Intl.Segmenter;
  readonly #words: SpokenWords;
  /** The beginning of a line, until it is known what it begins; null behind it. */
  #head: string | null = "";
  /** The fence that ends the code; or `$$`. */
  #fence = "";
  #sentence = "";
  /** What a link leads to is skipped up to its end. */
  #skipping = false;
  /** The line is a table's. */
  #table = false;
  /** The character before, where it depends on the next one whether it is read. */
  #held = "";
  #length = 0;
  #said: string[] = [];

  constructor(language: string, words: SpokenWords) {
    this.#segmenter = new Intl.Segmenter(language, { granularity: "sentence" });
    this.#words = words;
  }

  /** The sentences that are complete by now. */
  push(text: string): readonly string[] {
    for (const character of text) {
      if (character === "\n") this.#lineEnd();
      else if (this.#fence !== "") this.#head = `${this.#head ?? ""}${character}`;
      else if (this.#head === null) this.#character(character);
      else this.#begin(this.#head + character);
      this.#length += 1;
      if (this.#length % LOOK === 0) this.#bound();
    }
    this.#cut(false);
    return this.#said.splice(0);
  }

  /** What has no end is cut somewhere. */
  #bound(): void {
    this.#cut(false);
    if (this.#sentence.length > LONGEST) this.#cut(true);
  }

  /** What is left: no more text comes. */
  end(): readonly string[] {
    this.#lineEnd();
    this.#cut(true);
    return this.#said.splice(0);
  }

  /** The line is looked at until a letter comes, or a fence's line is complete. */
  #begin(head: string): void {
    if (head.length > LONGEST_HEAD && FENCE.test(head)) return;
    this.#head = head;
    if (head.length <= LONGEST_HEAD && (PREFIX.test(head) || FENCE.test(head))) return;
    this.#head = null;
    this.#read(head);
  }

  /** The beginning of a line that has words. */
  #read(head: string): void {
    if (STARTS.test(head)) this.#cut(true);
    const from = head.replace(/^\s*(?:>\s?)*\s*(?:#{1,6}\s+|[-*+]\s+|\|\s*)?/, "");
    this.#table = head.trimStart().startsWith("|");
    for (const character of from) this.#character(character);
  }

  #lineEnd(): void {
    const head = this.#head ?? "";
    if (this.#fence !== "") {
      const closes = head.trim();
      if (closes.startsWith(this.#fence) && /^[`~$]+$/.test(closes)) this.#fence = "";
    } else if (this.#head !== null) {
      this.#whole(head);
    } else {
      this.#finishLine();
    }
    this.#head = "";
  }

  #finishLine(): void {
    this.#release("");
    this.#skipping = false;
    this.#sentence += this.#table ? ". " : " ";
    this.#table = false;
  }

  /** A line that has no words but marks, or is a fence. */
  #whole(line: string): void {
    const fence = FENCE.exec(line)?.[1];
    if (fence !== undefined) {
      this.#cut(true);
      this.#fence = fence;
      this.#said.push(this.#words.code(/[\w+#.-]*/.exec(line.slice(line.indexOf(fence) + fence.length).trim())?.[0] ?? ""));
    } else if (line.trim() === "$$") {
      this.#cut(true);
      this.#fence = "$$";
      this.#said.push(this.#words.formula());
    } else if (MARKS.test(line)) {
      this.#cut(true);
    } else {
      this.#read(line);
      this.#finishLine();
    }
  }

  /** One character of a line: marks are no words, and where a link leads is not read. */
  #character(character: string): void {
    if (this.#skipping) {
      if (character === ")") this.#skipping = false;
      return;
    }
    const escaped = this.#held === "\\" && !WORD.test(character);
    this.#release(character);
    if (escaped) this.#sentence += character;
    else if (!this.#skipping) this.#held = character;
  }

  /** Read the held character, or not: by what comes next. */
  #release(next: string): void {
    const held = this.#held;
    this.#held = "";
    switch (held) {
      case "]":
        if (next === "(") this.#skipping = true;
        return;
      case "*":
      case "`":
      case "[":
      case "~":
        return;
      case "!":
        if (next === "[") return;
        break;
      case "_":
        if (!WORD.test(this.#sentence.at(-1) ?? "") || !WORD.test(next)) return;
        break;
      case "\\":
        if (next !== "" && !WORD.test(next)) return;
        break;
      case "|":
        this.#sentence += ", ";
        return;
    }
    this.#sentence += held;
  }

  /** Say the sentences whose end is certain; at a block's end, all. */
  #cut(whole: boolean): void {
    if (whole) {
      this.#release("");
      this.#skipping = false;
    }
    const segments = [...this.#segmenter.segment(this.#sentence)].map(({ segment }) => segment);
    let rest = "";
    for (const [index, segment] of segments.entries()) {
      if (whole || (rest === "" && CERTAIN.test(segments[index + 1] ?? ""))) this.#say(segment);
      else rest += segment;
    }
    this.#sentence = rest;
  }

  #say(sentence: string): void {
    const words = sentence.replace(/\s+/g, " ").replace(/(?:\s*,)+\s*(?=$|[.?!])|^[\s,]+/g, "").replaceAll(" ,", ",").trim();
    if (WORD.test(words)) this.#said.push(words);
  }
}
