// @vitest-environment happy-dom
import fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { createMarkdownStream } from "../../src/markdown/index.ts";

/** Runs only when told. */
const manual = { schedule: () => () => undefined };

function shown(pushes: readonly string[]): HTMLElement {
  const container = document.createElement("div");
  const stream = createMarkdownStream(container, manual);
  for (const push of pushes) {
    stream.push(push);
    stream.flush();
  }
  stream.end();
  return container;
}

const SAMPLE = `# Title &amp; more

Some *text* with **bold**, \`code\` and [a link][ref].
Second line.

[ref]: https://example.com/x "T"

- one
- two

  loose [link][ref]

- [x] done
1. first

   \`\`\`py
   x = 1

   y = 2
   \`\`\`

\`\`\`js {1}
let a = "<b>";

## not a heading
\`\`\`
> quote
> - in it

| a | b |
|---|--:|
| 1 | 2 |

    indented

    code

<div onclick="x()">raw</div>

![alt](https://example.com/a.png) ~~gone~~ https://auto.link end
Setext
===

~~~
never closed

x`;

const PIECES = fc.constantFrom(
  "a", "b ", "\n", "\n\n", "\r\n", "\r", "# ", "- ", "1. ", "> ", "  ", "    ", "```", "~~~", "`", "*", "**", "_", "|",
  "|---|\n", "[r]", "[r]: http://x\n", "![i](u)", "<b>", "</b>", "<!--", "-->", "&lt;", "\\", "===\n", "---\n", "\t", "é", "😀",
);

describe("any way to cut a text into pushes gives the same nodes", () => {
  const cutAt = (text: string, cuts: readonly number[]): string[] => {
    const ends = [...cuts.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b);
    return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
  };

  it("for a text with every element", () => {
    const whole = shown([SAMPLE]).innerHTML;
    expect(whole).toContain("<h1>");
    expect(shown([...SAMPLE]).innerHTML).toBe(whole);
    fc.assert(
      fc.property(fc.array(fc.nat(SAMPLE.length), { maxLength: 12 }), (cuts) => {
        expect(shown(cutAt(SAMPLE, cuts)).innerHTML).toBe(whole);
      }),
      { numRuns: 60 },
    );
  });

  it("for any soup of Markdown", () => {
    fc.assert(
      fc.property(fc.array(PIECES, { maxLength: 40 }), fc.array(fc.nat(400), { maxLength: 8 }), (pieces, cuts) => {
        const text = pieces.join("");
        expect(shown(cutAt(text, cuts)).innerHTML).toBe(shown([text]).innerHTML);
      }),
      { numRuns: 400 },
    );
  });
});

describe("what is shown", () => {
  const html = (text: string): string => shown([text]).innerHTML;

  it("is the elements of Markdown", () => {
    expect(html("# T\n\na *b* **c** ~~d~~ `e`")).toBe(
      "<h1>T</h1><p>a <em>b</em> <strong>c</strong> <del>d</del> <code>e</code></p>",
    );
    expect(html("3. a\n4. b")).toBe('<ol start="3"><li>a</li><li>b</li></ol>');
    expect(html("|a|b|\n|-|-:|\n|1|2|")).toContain('<td align="right">2</td>');
    expect(html("- [x] a")).toContain('type="checkbox"');
    expect(html("a &amp; b &lt;i&gt; `&amp;` &bogus;")).toBe(
      "<p>a &amp; b &lt;i&gt; <code>&amp;amp;</code> &amp;bogus;</p>",
    );
  });

  it("makes an alert of a quote that begins with its mark alone, and never shows the mark", () => {
    for (const pieces of [["> [!NOTE]\n> Some *text*."], [..."> [!NOTE]\n> Some *text*."]]) {
      const quote = shown(pieces).querySelector("blockquote");
      expect(quote?.className).toBe("streamchat-md-alert streamchat-md-note");
      expect(quote?.getAttribute("aria-label")).toBe("Note");
      expect(quote?.innerHTML).toBe("<p>Some <em>text</em>.</p>");
    }
    expect(html("> [!NOTE]")).toBe("<blockquote><p>[!NOTE]</p></blockquote>");
    expect(html("> [!NOTE] x\n> y")).toBe("<blockquote><p>[!NOTE] x\ny</p></blockquote>");
    expect(html("> > [!TIP]\n> > y")).not.toContain("alert");
    expect(html("- [!TIP]\n  y")).not.toContain("alert");
  });

  it("shows raw HTML as text", () => {
    const node = shown(['<script>alert(1)</script>\n\nx <img src=x onerror="y()"> <b>z</b>\n\n<div id=a>\n']);
    expect(node.querySelector("script, img, b, [id]")).toBeNull();
    expect(node.textContent).toContain("<script>alert(1)</script>");
    expect(node.textContent).toContain('<img src=x onerror="y()"> <b>z</b>');
  });

  it.each(["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java&#x73;cript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd"])(
    "makes no link of %s",
    (href) => {
      const node = shown([`[words](${href}) and [words][r]\n\n[r]: ${href}\n\n[words][r]`]);
      for (const link of node.querySelectorAll("a")) {
        expect(link.getAttribute("href")).toBe("");
        expect(link.dispatchEvent(new MouseEvent("click", { cancelable: true }))).toBe(false);
      }
      expect(node.textContent).toContain("words");
    },
  );

  it.each(["relative/path", "#fragment", "//host/path", "?query"])("keeps %s where addresses may go without a scheme", (href) => {
    expect(shown([`[words](${href})`]).querySelector("a")?.getAttribute("href")).toBe(href);
    const container = document.createElement("div");
    const stream = createMarkdownStream(container, { ...manual, relative: false });
    stream.push(`[words](${href})`);
    stream.end();
    expect(container.querySelector("a")?.getAttribute("href")).toBe("");
  });

  it("opens links elsewhere, without a way back", () => {
    const link = shown(["[w](https://example.com/a?b=1&amp;c=2)"]).querySelector("a");
    expect(link?.getAttribute("href")).toBe("https://example.com/a?b=1&c=2");
    expect(link?.getAttribute("rel")).toBe("noopener noreferrer");
    expect(link?.getAttribute("target")).toBe("_blank");
  });

  it("loads no picture before the person asks, and shows its full address", () => {
    const node = shown(["![A plot](https://example.com/plot.png?q=secret)"]);
    expect(node.querySelector("img")).toBeNull();
    const card = node.querySelector("button");
    expect(card?.textContent).toContain("https://example.com/plot.png?q=secret");
    expect(card?.textContent).toContain("A plot");
    card?.click();
    const image = node.querySelector("img");
    expect(image?.getAttribute("src")).toBe("https://example.com/plot.png?q=secret");
    expect(image?.getAttribute("alt")).toBe("A plot");
    expect(node.querySelector("button")).toBeNull();
  });

  it("does not follow a link when the picture in it is asked for", () => {
    const node = shown(["[![badge](https://a.b/c.png)](https://d.e/)"]);
    const click = new MouseEvent("click", { cancelable: true, bubbles: true });
    node.querySelector("button")?.dispatchEvent(click);
    expect(click.defaultPrevented).toBe(true);
    expect(node.querySelector("a img")?.getAttribute("src")).toBe("https://a.b/c.png");
    expect(node.querySelector("a")?.getAttribute("href")).toBe("https://d.e/");
  });

  it("shows what steers or hides text", () => {
    const text = shown(["a\u202eb \u{e0041}\u{e0042}c \u001b[31md 🏴\u{e0067}\u{e0062}\u{e007f}"]).textContent;
    expect(text).toBe("a⟨U+202E⟩b ⟨hidden: AB⟩c \u241b[31md 🏴\u{e0067}\u{e0062}\u{e007f}");
  });

  it("survives nesting that is deeper than the stack", () => {
    const deep = ">".repeat(20_000) + " x";
    expect(shown([deep]).textContent).toContain("x");
  });
});

describe("formulas", () => {
  /** Draws its source in a `math` element; an empty one cannot be read. */
  const math = (source: string, display: boolean): Element | null => {
    if (source.includes("bad")) return null;
    const element = document.createElement("math");
    element.setAttribute("display", display ? "block" : "inline");
    element.textContent = source;
    return element;
  };
  const drawn = (text: string): [HTMLElement, string[]] => {
    const show = (pieces: readonly string[]): HTMLElement => {
      const container = document.createElement("div");
      const stream = createMarkdownStream(container, { ...manual, math });
      for (const piece of pieces) {
        stream.push(piece);
        stream.flush();
      }
      stream.end();
      return container;
    };
    const [whole, letters] = [show([text]), show([...text])];
    expect(letters.innerHTML.replaceAll(' class=""', "")).toBe(whole.innerHTML);
    return [whole, [...whole.querySelectorAll("math")].map((one) => `${one.getAttribute("display")}: ${one.textContent}`)];
  };

  it.each([
    ["a $x^2$ b", ["inline: x^2"]],
    ["\\(y_1\\) and \\[z\\] and $$w$$", ["inline: y_1", "block: z", "block: w"]],
    ["text\n$$\n- a\n= b\n\n# c\n$$\nmore", ["block: \n- a\n= b\n\n# c\n"]],
    ["\\[\nx_1 * x_2 * x_3\n\\]\n\nmore", ["block: \nx_1 * x_2 * x_3\n"]],
    ["- item\n\n  $$\n  x\n  $$", ["block: \nx\n"]],
    ["costs $5 and $15, or $20.", []],
    ["US$5, `$x$` and \\$x\\$", []],
  ])("%j", (text, formulas) => {
    const [container, found] = drawn(text);
    expect(found).toEqual(formulas);
    if (text.includes("more")) expect(container.textContent).toContain("more");
  });

  it("one that cannot be read shows its source, as does one that is never closed", () => {
    expect(drawn("a $bad$ b")[0].textContent).toBe("a $bad$ b");
    expect(drawn("$$\nbad\n$$")[0].textContent).toBe("$$\nbad\n$$");
    expect(drawn("$$\nx\n\ny")[0].textContent).toBe("$$\nx\n\ny");
  });
});

describe("a growing text", () => {
  beforeEach(() => vi.useRealTimers());

  it("never touches the nodes of closed blocks", () => {
    const container = document.createElement("div");
    const stream = createMarkdownStream(container, manual);
    const seen: Node[] = [];
    for (const letter of SAMPLE) {
      stream.push(letter);
      stream.flush();
      // All but the blocks of the last cut are closed.
      seen.forEach((node, index) => expect(container.childNodes[index]).toBe(node));
      if (letter === "\n" && container.childNodes.length > seen.length + 3) {
        const next = container.childNodes[seen.length];
        if (next !== undefined) seen.push(next);
      }
    }
    expect(seen.length).toBeGreaterThan(4);
  });

  it("lets an open code block grow in place", () => {
    const container = document.createElement("div");
    const stream = createMarkdownStream(container, manual);
    stream.push("```py\nx = 1\n");
    stream.flush();
    const text = container.querySelector("code")?.firstChild;
    stream.push("y = 2\n\nz");
    stream.flush();
    expect(container.querySelector("code")?.firstChild).toBe(text);
    expect(container.querySelector("code")?.textContent).toBe("x = 1\ny = 2\n\nz");
  });

  it("renders once a frame, however many pushes there were", async () => {
    const container = document.createElement("div");
    let renders = 0;
    const frames: (() => void)[] = [];
    const stream = createMarkdownStream(container, {
      schedule: (render) => {
        renders += 1;
        frames.push(render);
        return () => undefined;
      },
    });
    for (const letter of "many letters") stream.push(letter);
    await Promise.resolve();
    expect(renders).toBe(1);
    expect(container.textContent).toBe("");
    frames[0]?.();
    expect(container.textContent).toBe("many letters");
  });

  it("asks for no frame when the caller flushes what it pushed", async () => {
    let asked = 0;
    const schedule = (): (() => void) => {
      asked += 1;
      return () => undefined;
    };
    const stream = createMarkdownStream(document.createElement("div"), { schedule });
    stream.push("a");
    stream.flush();
    await Promise.resolve();
    expect(asked).toBe(0);
    stream.push("b");
    await Promise.resolve();
    expect(asked).toBe(1);
  });

  it("takes nothing after its end", () => {
    const container = document.createElement("div");
    const stream = createMarkdownStream(container, manual);
    stream.push("a");
    stream.end();
    stream.push("b");
    stream.flush();
    expect(container.textContent).toBe("a");
  });
});
