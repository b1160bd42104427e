// @vitest-environment happy-dom
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMarkdownStream, type MarkdownOptions } from "../../src/markdown/index.ts";
import { manual } from "./oracle.ts";

/** What is shown after each character. */
function frames(text: string, options: MarkdownOptions = {}): string[] {
  const container = document.createElement("div");
  const stream = createMarkdownStream(container, { images: "load", ...manual, ...options });
  return [...text].map((character) => {
    stream.push(character);
    stream.flush();
    return container.textContent ?? "";
  });
}

/** The elements that hold this word, at each prefix that shows it whole. */
function forms(text: string, word: string): Set<string> {
  const container = document.createElement("div");
  const stream = createMarkdownStream(container, { images: "load", ...manual });
  const seen = new Set<string>();
  for (const character of text) {
    stream.push(character);
    stream.flush();
    const walker = document.createTreeWalker(container, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (!node.textContent?.includes(word)) continue;
      const path: string[] = [];
      for (let up = node.parentElement; up && up !== container; up = up.parentElement) path.unshift(up.localName);
      seen.add(path.filter((name) => name !== "div" && name !== "span").join(" "));
    }
  }
  return seen;
}

describe("while it streams", () => {
  it.each([
    ["a **bold** word", "*"], ["an *emphasised* word", "*"], ["***both*** of them", "*"], ["some `code` here", "`"],
    ["``co`de`` with tick", "``"], ["~~gone~~ now", "~"], ["a [link](https://example.com 'T') here", "["], ["a [link](https://e.x) ", "]"],
    ["![pic](https://e.x/a.png) after", "!"], ["# Heading #\n", "#"], ["- item\n- item", "-"], ["> quote\n> more", ">"],
    ["```py\nx = 1\n```\n", "`"], ["| a | b |\n|---|---|\n| 1 | 2 |\n", "|"], ["***\n", "*"], ["---\n", "-"], ["a &amp; b", "&a"],
    ["<https://example.com> x", "<"], ["[x]: https://example.com 'T'\n\ny", "["], ["- [ ] task", "["], ["two  \nlines", "  "],
    ["in*tra*word", "*"], ["~~~\ncode\n~~~\n", "~"], ["**a *b* c** d", "*"], ["**a `b` c** d", "`"], ["\\*escaped", "\\"],
  ])("%j never shows %j", (text, mark) => {
    expect(frames(text).filter((shown) => shown.includes(mark))).toEqual([]);
  });

  it.each([
    ["a **bold** word", "bold", "p strong"], ["some `code` here", "code", "p code"], ["a [link](https://e.x) b", "link", "p a"],
    ["```\nword\n```", "word", "pre code"], ["| word | b |\n|---|---|\n| 1 | 2 |", "word", "table thead tr th"],
    ["# word\n", "word", "h1"], ["- word\n- b", "word", "ul li"], ["> word", "word", "blockquote p"], ["*a **word** b*", "word", "p em strong"],
    ["- a\n  1. word", "word", "ul li ol li"], ["https://word.example/x y", "word", "p a"], ["~~word~~", "word", "p del"],
  ])("%j shows %j in no form but %j", (text, word, form) => {
    expect([...forms(text, word)]).toEqual([form]);
  });

  it("what is shown of plain words only grows", () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), fc.constantFrom(" ", "\n", " **", "** "), (words, glue) => {
        const shown = frames(words.join(" ") + glue + words.join(" "));
        shown.forEach((text, index) => expect(text.startsWith(shown[index - 1] ?? "")).toBe(true));
      }),
      { numRuns: 100 },
    );
  });

  it("a mark that is never closed is shown when its paragraph ends", () => {
    expect(frames("a **b\n\nc").at(-1)).toContain("a **b");
    expect(frames("a [b\n\nc").at(-1)).toContain("a [b");
    expect(frames("a `b\n\nc").at(-1)).toContain("a `b");
  });

  it("marks the element in which the text ends, and no other, until the end", () => {
    const container = document.createElement("div");
    const stream = createMarkdownStream(container, manual);
    for (const [text, name] of [["# a", "H1"], ["\n\nb", "P"], ["\n\n- c", "LI"], ["\n\n```\nd", "CODE"]] as const) {
      stream.push(text);
      stream.flush();
      expect([...container.querySelectorAll(".streamchat-md-tail")].map(({ tagName }) => tagName)).toEqual([name]);
    }
    stream.end();
    expect(container.querySelector(".streamchat-md-tail")).toBeNull();
    expect(container.querySelector("h1")?.attributes).toHaveLength(0);
  });
});
