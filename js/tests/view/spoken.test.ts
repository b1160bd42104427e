import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Speaker } from "../../src/view/speaker.ts";
import { Spoken, type SpokenWords } from "../../src/view/spoken.ts";

const WORDS: SpokenWords = { code: (language) => `Code${language && `, ${language}`}.`, formula: () => "Formula." };

const said = (text: string, language = "en"): readonly string[] => {
  const spoken = new Spoken(language, WORDS);
  return [...spoken.push(text), ...spoken.end()];
};

describe("what is read aloud", () => {
  it("are whole sentences, as soon as the next one has begun", () => {
    const spoken = new Spoken("en", WORDS);
    expect(spoken.push("It costs 3.")).toEqual([]);
    expect(spoken.push("50 dollars. ")).toEqual([]);
    expect(spoken.push("Then")).toEqual(["It costs 3.50 dollars."]);
    expect(spoken.end()).toEqual(["Then"]);
  });

  it.each([
    ["# A title\n\nAnd *some* **bold** `code`, snake_case too.", ["A title", "And some bold code, snake_case too."]],
    ["See [the docs](https://a.b/?q=1. Two) now. Good.", ["See the docs now.", "Good."]],
    ["![A plot](https://a.b/c.png)\n", ["A plot"]],
    ["- One\n- Two\n  more\n\n1. Three", ["One", "Two more", "1.", "Three"]],
    ["Look:\n\n```python\nx = 1. Not read.\n```\n\nDone.", ["Look:", "Code, python.", "Done."]],
    ["```\nnever closed", ["Code."]],
    ["| a | b |\n|---|---|\n| 1 | 2 |\n", ["a, b.", "1, 2."]],
    ["> Quoted. Still.\n\n---\n\nEnd \\*of\\* it", ["Quoted.", "Still.", "End *of* it"]],
    ["$$\nx^2\n$$\nso", ["Formula.", "so"]],
    ["Two\nlines are one. Yes.", ["Two lines are one.", "Yes."]],
  ])("%j", (text, sentences) => expect(said(text)).toEqual(sentences));

  it("is cut as other languages cut their sentences", () => {
    expect(said("これは文です。次の文です。", "ja")).toEqual(["これは文です。", "次の文です。"]);
    expect(said("هل هذا سؤال؟ نعم.", "ar")).toEqual(["هل هذا سؤال؟", "نعم."]);
  });

  const piece = fc.constantFrom(
    "One. ", "two ", "Three? ", "e.g. ", "3.5 ", "etc. (", "A. B. ", "!", "*", "**", "_", "`", "```", "~~~", "\n", "\n\n", "# ", "- ", "1. ",
    "> ", "[", "](", ")", "![", "|", "|--|", "$$", "\\", "\\*", "。", "次", "…", "\u{1F600}", "é", "python", " ",
  );

  it("is the same however the text was cut", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.array(fc.nat(900), { maxLength: 12 }), fc.constantFrom(0, 0, 0, 900), (pieces, cuts, words) => {
        const text = pieces.join("") + "word ".repeat(words) + pieces.join("");
        const spoken = new Spoken("en", WORDS);
        const heard: string[] = [];
        let at = 0;
        for (const cut of [...cuts, text.length]) {
          // A character is not cut in two by any wire: JSON holds whole ones.
          let to = Math.min(text.length, at + cut);
          if (/[\ud800-\udbff]/.test(text[to - 1] ?? "")) to += 1;
          heard.push(...spoken.push(text.slice(at, to)));
          at = to;
        }
        expect([...heard, ...spoken.end()]).toEqual(said(text));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a speaker", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("says the first at once, and what comes while it is heard together", () => {
    const heard: string[] = [];
    const speaker = new Speaker((text) => heard.push(text));
    speaker.push(["x".repeat(100)]);
    speaker.push(["Two."]);
    speaker.push(["Three."]);
    expect(heard).toHaveLength(1);
    vi.advanceTimersByTime(3999);
    expect(heard).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(heard[1]).toBe("Two. Three.");
    speaker.push(["Four."]);
    expect(speaker.stop()).toEqual(["Four."]);
    vi.advanceTimersByTime(60_000);
    expect(heard).toHaveLength(2);
  });
});

it("is not slow where a line has no words, nor where a fence says much of itself", () => {
  const before = performance.now();
  for (const line of ["1".repeat(200_000), `\`\`\`py ${"x".repeat(200_000)}\n\`\`\``, "-".repeat(200_000)]) {
    expect(said(`${line}\nEnd.`).at(-1)).toMatch(/End\.$/);
  }
  expect(performance.now() - before).toBeLessThan(5_000);
});
