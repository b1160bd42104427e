// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";

vi.hoisted(() => {
  // Temml warns of pages without a doctype, such as happy-dom's.
  Object.defineProperty(document, "compatMode", { value: "CSS1Compat" });
});

import { copyMathSource, mathRenderer } from "../../src/markdown/math/index.ts";

// happy-dom makes MathML elements, with no `style` of their own: styles are in the attribute here.

function drawn(source: string, display = false): Element {
  const made = mathRenderer(source, display);
  if (made === null) throw new Error(`null for ${source}`);
  return made;
}

/** What is shown, without the source that goes along. */
function shown(formula: Element): string {
  return formula.querySelector("semantics")?.firstElementChild?.textContent ?? "";
}

function everything(formula: Element): Element[] {
  return [formula, ...formula.querySelectorAll("*")];
}

describe("TeX is drawn as MathML", () => {
  it.each([
    [String.raw`\frac{a}{b}`, "mfrac"],
    [String.raw`\sum_{i=1}^n i^2`, "msup"],
    [String.raw`\sqrt[3]{x}`, "mroot"],
    [String.raw`\int_0^\infty e^{-x}\,dx`, "msubsup"],
    [String.raw`\begin{pmatrix} a & b \\ c & d \end{pmatrix}`, "mtable"],
    [String.raw`\begin{aligned} a &= b \\ c &= d \end{aligned}`, "mtr"],
    [String.raw`\begin{align} a &= b \\ c &= d \end{align}`, "mtable"],
    [String.raw`f(x) = \begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}`, "mtext"],
    [String.raw`\hat{\beta} = (X^\top X)^{-1} X^\top y`, "mover"],
    [String.raw`\mathbb{E}[X] \le \operatorname*{arg\,max}_\theta \mathcal{L}(\theta)`, "munder"],
    [String.raw`\left( \frac{1}{2} \right)`, "mo"],
    [String.raw`\boxed{x = 1}`, "mrow"],
  ])("%s has %s", (source, element) => {
    expect(drawn(source, true).querySelector(element)).not.toBeNull();
  });

  it("Greek letters are letters", () => {
    expect(shown(drawn(String.raw`\alpha\beta\Gamma\omega`))).toBe("αβΓω");
  });

  it("its elements are MathML's, in one root", () => {
    const formula = drawn(String.raw`\frac{a}{\text{b}}`);
    expect(formula.localName).toBe("math");
    expect(formula.getAttribute("class")).toBe("streamchat-math");
    for (const element of everything(formula)) expect(element.namespaceURI).toBe("http://www.w3.org/1998/Math/MathML");
  });

  it("only a display formula is a block", () => {
    expect(drawn("x", true).getAttribute("display")).toBe("block");
    expect(drawn("x").getAttribute("display")).toBeNull();
  });

  it("the source goes along", () => {
    const source = String.raw`a < b \text{ & c}`.replace("&", String.raw`\&`);
    expect(drawn(source).querySelector("annotation")?.textContent).toBe(source);
  });

  it("bold text is bold, and colours are colours", () => {
    expect(drawn(String.raw`\textcolor{red}{x} \mathbf{\text{b}}`).outerHTML).toMatch(/color: ?#ff0000/);
  });
});

it.each([
  "",
  "  ",
  String.raw`\frac{a}`,
  String.raw`\unknown`,
  "{",
  "}",
  "a^b^c",
  "a & b",
  String.raw`\left( x`,
  String.raw`\begin{matrix} a`,
  String.raw`\end{matrix}`,
  "#",
])("%j is not TeX: null", (source) => {
  expect(mathRenderer(source, true)).toBeNull();
});

describe("hostile TeX", () => {
  it.each([
    ["that loops", String.raw`\def\a{\a}\a`],
    ["whose macros double", String.raw`\def\a#1{\b{#1#1}}\def\b#1{\c{#1#1}}\def\c#1{#1#1}\a{xxxx}`],
    ["that defines by \\newcommand", String.raw`\newcommand{\a}{x}\a`],
    ["that defines by \\let", String.raw`\let\a=\frac \a{1}{2}`],
    ["that defines globally", String.raw`\gdef\a{x}\a`],
    ["that links", String.raw`\href{javascript:alert(1)}{x}`],
    ["that links by \\url", String.raw`\url{http://example.com}`],
    ["that loads pictures", String.raw`\includegraphics{http://example.com/a.png}`],
    ["that sets classes", String.raw`\class{streamchat-send}{x}`],
    ["that sets ids", String.raw`\id{notebook}{x}`],
    ["that sets styles", String.raw`\style{position:fixed}{x}`],
    ["that sets data", String.raw`\data{a=b}{x}`],
    ["with \\htmlClass", String.raw`\htmlClass{a}{x}`],
    ["with \\htmlId", String.raw`\htmlId{a}{x}`],
    ["with \\htmlStyle", String.raw`\htmlStyle{color:red}{x}`],
    ["with \\htmlData", String.raw`\htmlData{a=b}{x}`],
    ["with a style for a colour", String.raw`\textcolor{red;position:fixed}{x}`],
    ["with an address for a colour", String.raw`\colorbox{url(http://example.com)}{x}`],
    ["that is very long", "x".repeat(5_001)],
    ["that is nested very deep", "{".repeat(2_000) + "x" + "}".repeat(2_000)],
    ["of roots in roots", String.raw`\sqrt{`.repeat(200) + "x" + "}".repeat(200)],
    ["of powers of powers", "x^{".repeat(200) + "x" + "}".repeat(200)],
    ["of many large rules", String.raw`\rule{99em}{99em}`.repeat(10)],
    ["of many large spaces", String.raw`\hspace{99em}`.repeat(10)],
  ])("%s is shown as source", (_, source) => {
    expect(mathRenderer(source, true)).toBeNull();
  });

  it("that Temml builds several times for each that it is in, ends at once", () => {
    for (const [open, close] of [
      [String.raw`\mathllap{`, "}"],
      [String.raw`\cancelto{a}{`, "}"],
      [String.raw`\xtofrom{`, "}"],
      [String.raw`\equilibriumRight[a]{`, "}"],
    ] as const) {
      expect(mathRenderer(open.repeat(40) + "x" + close.repeat(40), true)).toBeNull();
    }
    expect(mathRenderer(String.raw`\cancelto{0}{x} + \xtofrom{k}`, true)).not.toBeNull();
  });

  it("gets sizes of a formula's measure", () => {
    for (const source of [
      String.raw`\rule{1e9em}{99999pt} x`,
      String.raw`\kern-1000em x`,
      String.raw`\hspace{-99em} x`,
      String.raw`\hspace{9999em} x`,
      String.raw`\raisebox{-999em}{x}`,
      String.raw`\genfrac(){99999pt}{0}{a}{b}`,
      String.raw`\begin{matrix}a\\[999em]b\end{matrix}`,
    ]) {
      const formula = mathRenderer(source, true);
      const lengths = [...(formula?.outerHTML.replace(/<annotation.*/, "") ?? "").matchAll(/(-?[\d.]+)(em|pt)\b/g)];
      for (const [, value, unit] of lengths) {
        const em = Number(value) / (unit === "pt" ? 10 : 1);
        expect(em, source).toBeLessThanOrEqual(20);
        expect(em, source).toBeGreaterThanOrEqual(-2);
      }
    }
  });

  it("gets no links, ids or names that its page has", () => {
    for (const source of [
      String.raw`a \label{notebook}`,
      String.raw`x = 1 \tag{1}`,
      String.raw`a\ref{x}`,
      String.raw`a\eqref{x}`,
      String.raw`\begin{align} a \label{main} \tag{x} \\ b \end{align}`,
    ]) {
      for (const element of everything(drawn(source, true))) {
        expect(element.localName).not.toBe("a");
        for (const { name } of element.attributes) expect(name).not.toMatch(/^(?:id|name|href|src|on.*|data-.*)$/);
      }
    }
    expect(mathRenderer(String.raw`\ref{x}`, true)).toBeNull();
  });

  it("is text where it looks like HTML", () => {
    const formula = drawn(String.raw`\text{<img src=x onerror=alert(1)>}`);
    expect(formula.querySelector("img")).toBeNull();
    expect(shown(formula).replace(/\u00a0/g, " ")).toBe("<img src=x onerror=alert(1)>");
  });

  it("turns no direction, and hides nothing", () => {
    expect(shown(drawn('\\char"202E a'))).not.toContain("\u202e");
    expect(shown(drawn("\\text{a\u202eb}"))).toBe("a\ufffdb");
  });

  it("leaves nothing to the next formula", () => {
    mathRenderer(String.raw`\gdef\mine{x} \tag{7} y`, true);
    expect(mathRenderer(String.raw`\mine`, true)).toBeNull();
    expect(shown(drawn("y", true))).toBe("y");
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });
});

describe("copying", () => {
  let container: HTMLElement;
  let stop: AbortController;

  beforeEach(() => {
    document.body.replaceChildren();
    container = document.createElement("div");
    document.body.append(container);
    stop = new AbortController();
    copyMathSource(container, stop.signal);
  });

  /** What the clipboard has after all of a node was copied; null where that is left to the browser. */
  function copied(from: Node, to: Node = from): { text: string; html: string } | null {
    const range = document.createRange();
    range.setStart(from, 0);
    range.setEnd(to, to instanceof Text ? to.length : to.childNodes.length);
    const selection = document.getSelection();
    selection?.removeAllRanges();
    selection?.addRange(range);
    const data = new Map<string, string>();
    const event = new Event("copy", { bubbles: true, cancelable: true });
    Object.assign(event, { clipboardData: { setData: (type: string, value: string) => data.set(type, value) } });
    container.dispatchEvent(event);
    if (!event.defaultPrevented) return null;
    return { text: data.get("text/plain") ?? "", html: data.get("text/html") ?? "" };
  }

  it("puts the source of a formula in dollars into the text, and the formula into the HTML", () => {
    container.append("Let ", drawn("x^2"), " be");
    const data = copied(container);
    expect(data?.text).toBe("Let $x^2$ be");
    expect(data?.html).toContain("<math");
  });

  it("gives a display formula two dollars", () => {
    container.append(drawn(String.raw`\frac{1}{2}`, true));
    expect(copied(container)?.text.trim()).toBe(String.raw`$$\frac{1}{2}$$`);
  });

  it("takes a formula whole when a part of it is selected", () => {
    const formula = drawn("x + y");
    container.append("a ", formula, " b");
    const inside = formula.querySelector("mo") ?? formula;
    expect(copied(inside)?.text).toBe("$x + y$");
  });

  it("leaves out buttons", () => {
    const button = document.createElement("button");
    button.append("Copy");
    container.append(button, drawn("x"));
    expect(copied(container)?.text).toBe("$x$");
  });

  it("is the browser's without a formula, and after the end", () => {
    const words = document.createElement("p");
    words.append("words");
    container.append(words, drawn("x"));
    expect(copied(words)).toBeNull();
    expect(copied(container)).not.toBeNull();
    stop.abort();
    expect(copied(container)).toBeNull();
  });

  it("leaves nothing on the page", () => {
    container.append(drawn("x"));
    copied(container);
    expect(document.body.children).toHaveLength(1);
  });
});
