// @vitest-environment happy-dom
import fc from "fast-check";
import { micromark } from "micromark";
import { gfmFootnote, gfmFootnoteHtml } from "micromark-extension-gfm-footnote";
import { describe, expect, it } from "vitest";
import { createMarkdownStream } from "../../src/markdown/index.ts";
import { manual, streamed, structure } from "./oracle.ts";

/** As GitHub shows it, but with buttons for its links, one way back for each footnote, and no title. */
function reference(markdown: string): string {
  const container = document.createElement("div");
  container.innerHTML = micromark(markdown, { extensions: [gfmFootnote()], htmlExtensions: [gfmFootnoteHtml()] });
  for (const title of container.querySelectorAll("section > h2")) title.remove();
  for (const call of container.querySelectorAll("a[data-footnote-ref]")) call.replaceWith(call.textContent ?? "");
  for (const item of container.querySelectorAll("section > ol > li")) {
    const back = [...item.querySelectorAll("a[data-footnote-backref]")];
    back.slice(1).forEach((one) => {
      one.previousSibling?.remove();
      one.remove();
    });
    back[0]?.replaceWith("↩");
  }
  return structure(container);
}

const PIECES = fc.constantFrom(
  "a", "b ", "\n", "\n\n", "    ", "  ", "- ", "> ", "# ", "[^1]", "[^2]", "[^b]", "\n[^1]: one", "\n\n[^2]: two\n", "\n[^b]: ",
  "[^1]: again\n", "[^x]", "*", "`", "[", "]", "^", "[^a b]", "\\", "\n[^e\\]f]: g\n", "[^e\\]f]", "(/u)",
);

describe("footnotes", () => {
  it.each([
    "One[^1], two[^b] and again[^1].\n\n[^1]: First *note*.\n[^b]: Second\n    goes on\n\n    and has another paragraph\n\nAfter.",
    "[^a]: before its call\n\nx[^a] y[^none]",
    "b[^2] a[^1]\n\n[^1]: one\n[^2]: two, which calls[^3]\n[^3]: three",
    "x[^l]\n\n[^l]: - item\n    - item\n\n        code",
    "x[^q]\n\n> [^q]: in a quote\n> lazy\n\n- y[^q]",
    "Not called.\n\n[^1]: nowhere",
    "[^1]\n\n[^1]: one\n[^1]: once more",
  ])("are those of the reference parser for %j", (markdown) => {
    const whole = reference(markdown);
    expect(structure(streamed([markdown]))).toBe(whole);
    expect(structure(streamed([...markdown]))).toBe(whole);
  });

  it("are so for pieces in any order, however they come", () => {
    fc.assert(
      fc.property(fc.array(PIECES, { maxLength: 14 }), (pieces) => {
        const markdown = `x${pieces.join("")}`;
        const whole = reference(markdown);
        expect([markdown, structure(streamed([markdown]))]).toEqual([markdown, whole]);
        expect([markdown, structure(streamed([...markdown]))]).toEqual([markdown, whole]);
      }),
      { numRuns: 400 },
    );
  });

  it("show a numbered call before its footnote comes, and take it back if it never does", () => {
    const container = document.createElement("div");
    const stream = createMarkdownStream(container, manual);
    stream.push("Known[^1] and unknown[^2], in /[^a-z]/ too.\n\n");
    stream.flush();
    expect(container.querySelectorAll("sup")).toHaveLength(2);
    stream.push("[^1]: Here");
    stream.flush();
    expect(container.querySelector("section li")?.textContent).toBe("Here");
    stream.push(" it is.");
    stream.end();
    expect(container.querySelector("p")?.textContent).toBe("Known1 and unknown[^2], in /[^a-z]/ too.");
    expect(container.querySelector("section")?.textContent).toBe("Here it is. ↩");
  });

  it("lead from the call to the footnote and back, by keyboard too", () => {
    const container = streamed(["Text[^n].\n\n[^n]: Note"]);
    document.body.append(container);
    const [call, back] = container.querySelectorAll("button");
    call?.click();
    expect(document.activeElement).toBe(container.querySelector("li"));
    back?.click();
    expect(document.activeElement).toBe(call);
    container.remove();
  });

  it("stand after what comes later", () => {
    const container = streamed(["A[^1]\n\n[^1]: Note\n\nB\n\nC"]);
    expect([...container.children].map(({ tagName }) => tagName)).toEqual(["P", "P", "P", "SECTION"]);
  });
});
