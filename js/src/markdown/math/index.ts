/** Formulas for the Markdown renderer: TeX to MathML by Temml, within bounds. */

import temml from "temml";
import type { MathRenderer } from "../options.ts";
import { mathElement } from "./element.ts";

export { copyMathSource } from "./copy.ts";

const LONGEST_SOURCE = 5_000;
const MOST_EXPANSIONS = 500;
/** In em, and in points for the thickness of lines. */
const LARGEST: [number, number] = [20, 2];
/** Temml builds the inside of these two or three times: it doubles with each that is in another. */
const REPEATED: ReadonlySet<unknown> = new Set(["stackedArrow", "cancelto", "lap"]);
const MOST_REPEATED = 3;

/** A few characters could define macros that fill the memory; and what they define would not outlive the formula. */
const DEFINING: ReadonlySet<string> = new Set(
  "def edef gdef xdef let futurelet global long newcommand renewcommand providecommand definecolor".split(" "),
);

export const mathRenderer: MathRenderer = (source, display) => {
  if (source.length > LONGEST_SOURCE || source.trim() === "" || defines(source)) return null;
  const settings = {
    displayMode: display,
    annotate: true,
    throwOnError: true,
    trust: false,
    maxSize: LARGEST,
    maxExpand: MOST_EXPANSIONS,
  };
  try {
    if (repeated(temml.__parse(source, settings)) > MOST_REPEATED) return null;
    return mathElement(temml.__renderToMathMLTree(source, settings));
  } catch {
    // Also what is nested so deep that the stack is too small.
    return null;
  }
};

function defines(source: string): boolean {
  for (const [, name = ""] of source.matchAll(/\\(?:([a-zA-Z@]+)|.)/gs)) if (DEFINING.has(name)) return true;
  return false;
}

/** How deep those nodes of a parse tree are nested in each other that Temml builds more than once. */
function repeated(tree: unknown, known = new Map<object, number>()): number {
  if (typeof tree !== "object" || tree === null) return 0;
  // The tree shares branches; counted once they take no longer than the source.
  const before = known.get(tree);
  if (before !== undefined) return before;
  known.set(tree, 0);
  let inside = 0;
  for (const child of Object.values(tree)) inside = Math.max(inside, repeated(child, known));
  const depth = inside + ("type" in tree && REPEATED.has(tree.type) ? 1 : 0);
  known.set(tree, depth);
  return depth;
}
