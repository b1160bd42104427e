/** A block that takes text: what a line adds to it, and how it ends. */

import type { OpenLeaf } from "./plan.ts";

export interface Leaf {
  /** What the meaning of the next line depends on. */
  readonly open: OpenLeaf | null;
  /** Another line begins, with this text. */
  line(text: string): void;
  /** More text of the line. */
  more(text: string): void;
  /** The line is complete; true if the block ends with it. */
  lineEnd(): boolean;
  /** Show it as far as it has come; `force` to hold nothing back for being long. */
  draw(force: boolean): void;
  /** Nothing more comes. */
  close(): void;
  /** Where the mark of the end of the text belongs. */
  readonly tail: HTMLElement | null;
}
