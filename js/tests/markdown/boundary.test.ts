// @vitest-environment happy-dom
import fc from "fast-check";
import { Lexer } from "marked";
import { describe, expect, it } from "vitest";
import { Boundaries } from "../../src/markdown/boundary.ts";
import { createMarkdownStream } from "../../src/markdown/index.ts";
import { block } from "../../src/markdown/render.ts";

function cuts(text: string): string[] {
  const boundaries = new Boundaries();
  const found: string[] = [];
  for (const line of text.split("\n")) if (boundaries.next(line)) found.push(line);
  return found;
}

describe("a cut lies", () => {
  it.each([
    ["between paragraphs", "a\n\nb\nc\n\nd", ["b", "d"]],
    ["before and after a fence, never in it", "a\n\n```\nx\n\ny\n```\n\nb", ["```", "b"]],
    ["after a fence that a shorter or other one does not close", "````\n```\n\n~~~~\n\nx\n````\n\nb", ["b"]],
    ["never in a loose list", "- a\n\n- b\n\n  c\n\n1. d\n\ne", ["e"]],
    ["before a list after a paragraph", "a\n\n- b\n\n- c", ["- b"]],
    ["never before what is indented", "- a\n\n    b\n\n  c", []],
  ])("%s", (_, text, found) => expect(cuts(text)).toEqual(found));
});

describe("cutting", () => {
  // Link definitions count from their own blocks on, and raw HTML is text: those two differ from the whole on purpose.
  const line = fc.constantFrom(
    "a", "b *c*", "# h", "- i", "  - j", "1. k", "   l", "  m", "    n", "> q", "> - r", "|a|b|", "|-|-|", "|1|2|", "===", "---", "", "", "", "**x", "`y",
  );
  const fence = fc.array(fc.constantFrom("x", "", "  y", "- z", "~~~"), { maxLength: 5 }).map((body) => ["```", ...body, "```"].join("\n"));

  it("gives what the parser gives for the whole", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 8, arbitrary: line }, { weight: 1, arbitrary: fence.map((one) => `\n${one}\n`) }), { maxLength: 14 }), (lines) => {
        const text = lines.join("\n");
        const streamed = document.createElement("div");
        const stream = createMarkdownStream(streamed, { schedule: () => () => undefined });
        stream.push(text);
        stream.end();
        const whole = document.createElement("div");
        for (const token of new Lexer({ gfm: true }).lex(text)) {
          const node = block(token);
          if (node !== null) whole.append(node);
        }
        expect(streamed.innerHTML).toBe(whole.innerHTML);
      }),
      { numRuns: 400 },
    );
  });
});
