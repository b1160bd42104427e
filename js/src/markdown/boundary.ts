/** Where a growing Markdown text may be cut for good: blocks before the cut never change, whatever comes after. */

const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;
const LIST_ITEM = /^(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)/;

/**
 * Finds cuts, line by line.
 *
 * A cut is a line that starts at the margin after a blank line, outside of a fence, and does not go on a list. It depends
 * on nothing but the lines so far, so any way of feeding the text gives the same cuts. Where it does not know better it
 * does not cut: too few cuts cost time, too many would change the result.
 */
export class Boundaries {
  #fence = "";
  #blank = false;
  #list = false;
  #empty = true;

  /** Take the next complete line, without its line end; true if a cut lies before it. */
  next(line: string): boolean {
    if (line.trim() === "") {
      this.#blank = true;
      return false;
    }
    const item = LIST_ITEM.test(line);
    const cut =
      this.#blank &&
      !this.#empty &&
      this.#fence === "" &&
      !/^[ \t]/.test(line) &&
      !(item && this.#list);
    if (cut) this.#list = false;
    this.#empty = false;
    this.#blank = false;
    this.#list ||= item || /^\s+(?:[-+*]|\d{1,9}[.)])\s/.test(line);
    const fence = FENCE.exec(line)?.[1] ?? "";
    if (this.#fence === "") {
      this.#fence = fence;
    } else if (
      fence[0] === this.#fence[0] &&
      fence.length >= this.#fence.length &&
      line.trim() === fence
    ) {
      this.#fence = "";
    }
    return cut;
  }
}
