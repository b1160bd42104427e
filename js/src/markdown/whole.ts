/** The renderer with its mathematics and its colours, in one module: for pages that are not built with it. */

import { codeHighlighter } from "./highlight/index.ts";
import { copyMathSource, mathRenderer } from "./math/index.ts";
import type { Highlighter, MarkdownOptions, MathRenderer } from "./options.ts";
import { createMarkdownStream as createCore, type MarkdownStream } from "./stream.ts";

export interface WholeOptions extends Omit<MarkdownOptions, "math" | "highlight"> {
  /** `true` for formulas by Temml; by default they are text. */
  readonly math?: boolean | MathRenderer;
  /** By default the built-in colours; `false` for none. */
  readonly highlight?: boolean | Highlighter;
}

/** Show Markdown in `container` as it comes, as the core does. */
export function createMarkdownStream(container: HTMLElement, options: WholeOptions = {}): MarkdownStream {
  const { math = false, highlight = true, ...others } = options;
  if (math) copyMathSource(container);
  return createCore(container, {
    ...others,
    math: math === true ? mathRenderer : math,
    highlight: highlight === true ? codeHighlighter : highlight,
  });
}
