import type { StreamParser } from "@codemirror/streamparser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeHighlighter } from "../../src/markdown/highlight/index.ts";
import { LONGEST_LINE, ModeLines } from "../../src/markdown/highlight/lines.ts";
import type { LineHighlighter, Piece } from "../../src/markdown/options.ts";

/** For each language a line or more, and pieces that must have a colour: `class:text`. */
const SAMPLES: Readonly<Record<string, readonly [code: string, ...colours: string[]]>> = {
  python: ["def f(x=None): # why\n  return 'a' + str(2)", "keyword:def", "def:f", "comment:# why", "string:'a'", "builtin:str", "number:2"],
  r: ["f <- function(x) 'a' # why\nx <- c(1, TRUE)", "keyword:function", "operator:<-", "string:'a'", "comment:# why", "atom:TRUE"],
  julia: ['function f(x) # why\n  "a" * 1\nend', "keyword:function", "comment:# why", 'string:"a"', "number:1", "keyword:end"],
  sql: ["SELECT COUNT(*), 'a' FROM t -- why\nLIMIT 5", "keyword:SELECT", "builtin:COUNT", "string:'a'", "comment:-- why", "number:5"],
  mysql: ["SELECT `x`, 'it\\'s' FROM t # why", "keyword:SELECT", "string:'it\\'s'", "comment:# why"],
  bash: ['for i in $X; do echo "a"; done # why', "keyword:for", 'string:"a"', "builtin:echo", "def:$X", "comment:# why"],
  javascript: ["const f = async () => `a`; // why\nlet x = 1", "keyword:const", "def:f", "string:`a`", "comment:// why", "number:1"],
  jsx: ["return <p className='a'>{x}</p>; // why", "keyword:return", "string:'a'"],
  typescript: ["interface A { readonly x: string } // why", "keyword:interface", "type:string", "comment:// why"],
  json: ['{"a": ["b", 1, true]}', 'property:"a"', 'string:"b"', "number:1", "atom:true"],
  yaml: ['# why\na: "b"\nc: 1', "comment:# why", "property:a", 'string:"b"', "number:1"],
  html: ['<p class="a">x</p><!-- why -->\n<script>let x = 1</script>', "tag:p", "attribute:class", 'string:"a"', "comment:<!-- why -->", "keyword:let"],
  xml: ['<a b="c"/> <!-- why -->', "tag:a", "attribute:b", 'string:"c"', "comment:<!-- why -->"],
  css: ["/* why */ p { color: #fff; margin: 1px }", "comment:/* why */", "tag:p", "property:color", "atom:#fff", "number:1px"],
  scss: ["$a: 1px; // why\np { &:hover { color: $a } }", "comment:// why", "number:1px"],
  less: ["@a: 1px; // why", "comment:// why", "number:1px"],
  markdown: ["# Title\n- **b** `c` [l](u)\n> q", "heading:# Title", "strong:**b**", "string:`c`", "link:[l](u)", "keyword:-"],
  c: ['#include <x.h>\nint f() { return 1; } // why\nchar *s = "a";', "meta:#include <x.h>", "type:int", "keyword:return", "comment:// why", 'string:"a"'],
  cpp: ['class A { bool b = true; }; // why\nauto s = "a";', "keyword:class", "type:bool", "atom:true", "comment:// why", 'string:"a"'],
  java: ['public class A { int x = 1; } // why\nString s = "a";', "keyword:public class", "type:int", "number:1", "comment:// why", 'string:"a"'],
  csharp: ['public class A { int x = 1; } // why\nvar s = "a";', "keyword:public class", "type:int", "comment:// why", 'string:"a"'],
  kotlin: ['fun f() = "a" // why\nval x = 1', "keyword:fun", 'string:"a"', "comment:// why", "number:1"],
  scala: ['def f = "a" // why\nval x = 1', "keyword:def", 'string:"a"', "comment:// why", "number:1"],
  dart: ['final x = 1; // why\nreturn "a";', "keyword:final", "comment:// why", 'string:"a"'],
  rust: ['fn f() { let x = 1; } // why\nlet s = "a";', "keyword:fn", "def:f", "number:1", "comment:// why", 'string:"a"'],
  diff: ["@@ -1 +1 @@\n-a\n+b\n c", "meta:@@ -1 +1 @@", "deleted:-a", "inserted:+b"],
  go: ['func f() { return "a", 1 } // why', "keyword:func", 'string:"a"', "number:1", "comment:// why"],
  toml: ['[t] # why\na = "b"\nc = 1', "atom:[t]", "comment:# why", "property:a", 'string:"b"', "number:1"],
  dockerfile: ['# why\nFROM x AS y\nCMD ["a"]', "comment:# why", "keyword:FROM", 'string:"a"'],
  ruby: ["def f # why\n  'a' + 1\nend", "keyword:def", "def:f", "comment:# why", "string:'a'", "number:1"],
  lua: ['local x = "a" -- why\nreturn 1', "keyword:local", 'string:"a"', "comment:-- why", "number:1"],
  powershell: ['function f { "a" } # why\nif ($x -eq 1) {}', "keyword:function", 'string:"a"', "comment:# why", "operator:-eq", "number:1"],
  cython: ["cdef int x = 1 # why", "comment:# why", "number:1"],
  objc: ["@interface A // why\nint x = 1;", "comment:// why", "number:1"],
};

const LANGUAGES = Object.keys(SAMPLES);

// There are many languages.
fc.configureGlobal({ numRuns: 40 });

function open(language: string): LineHighlighter {
  const lines = codeHighlighter.open(language);
  if (lines === null) throw new Error(`${language} is unknown`);
  return lines;
}

function joined(pieces: readonly Piece[]): string {
  return pieces.map(({ text }) => text).join("");
}

/** Coloured pieces as `class:text`. */
function colours(language: string, code: string): string[] {
  const lines = open(language);
  return code
    .split("\n")
    .flatMap((line) => lines.line(line))
    .filter(({ style }) => style !== "")
    .map(({ text, style }) => `${style.replace("streamchat-hl-", "")}:${text.trim()}`);
}

/** Lines that look like code: what begins and ends things in some language, words, and anything. */
const line = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ..."( ) [ ] { } < > </ /> \" ' ` \"\"\" ''' # // /* */ -- <!-- --> <script> </script> <style> $ ${ #{ @ & \\ = : ; , . | ~~~ ``` % f\" r#\" [[ ]] <# #> #= =# <<EOF EOF".split(" "),
      ),
      fc.constantFrom(..."def class function let const if end begin do return import a b1 _c 0 1.5 0x1F".split(" ")),
      fc.constantFrom(" ", "  ", "\t", "é", "😀", "\u2028"),
      fc.string({ maxLength: 4 }).map((text) => text.replace(/[\r\n]/g, " ")),
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(""));
const code = fc.array(line, { maxLength: 12 });

describe.each(LANGUAGES)("in %s", (language) => {
  const [sample, ...expected] = SAMPLES[language] ?? [""];

  it("keywords, strings, comments and the like have their colours", () => {
    expect(colours(language, sample)).toEqual(expect.arrayContaining(expected));
  });

  it("the pieces of a line, joined, are the line", () => {
    fc.assert(
      fc.property(code, (written) => {
        const lines = open(language);
        for (const text of written) expect(joined(lines.line(text))).toBe(text);
      }),
    );
  });

  it("a part of a line changes no state, and the whole line as a part shows what it shows as a line", () => {
    fc.assert(
      fc.property(code, fc.array(fc.nat(40), { maxLength: 3 }), (written, cuts) => {
        const lines = open(language);
        const undisturbed = open(language);
        for (const text of written) {
          for (const cut of cuts) expect(joined(lines.partial(text.slice(0, cut)))).toBe(text.slice(0, cut));
          const whole = text === "" ? [] : lines.partial(text);
          const shown = lines.line(text);
          expect(shown).toEqual(undisturbed.line(text));
          expect(whole).toEqual(shown);
        }
      }),
    );
  });

  it("no two neighbours have the same colour, and none is empty", () => {
    fc.assert(
      fc.property(code, (written) => {
        const lines = open(language);
        for (const text of written) {
          const pieces = lines.line(text);
          for (const [place, piece] of pieces.entries()) {
            expect(piece.text).not.toBe("");
            expect(piece.style).not.toBe(pieces[place + 1]?.style);
          }
        }
      }),
    );
  });
});

describe("state carries over lines", () => {
  it.each([
    ["python", '"""a\nb\n"""\nc', "string:b"],
    ["javascript", "/* a\nb\n*/ c", "comment:b"],
    ["javascript", "`a\nb`", "string:b`"],
    ["html", "<!-- a\nb -->", "comment:b -->"],
    ["html", "<script>\nlet x\n</script>", "keyword:let"],
    ["html", "<style>\np { color: red }\n</style>", "property:color"],
    ["css", "/* a\nb */", "comment:b */"],
    ["c", "/* a\nb */", "comment:b */"],
    ["rust", "/* a\nb */", "comment:b */"],
    ["sql", "/* a\nb */", "comment:b */"],
    ["sql", "'a\nb'", "string:b'"],
    ["lua", "--[[ a\nb ]]", "comment:b ]]"],
    ["julia", "#= a\nb =#", "comment:b =#"],
    ["go", "`a\nb`", "string:b`"],
    ["powershell", "<# a\nb #>", "comment:b #>"],
    ["bash", "cat <<EOF\nb\nEOF", "string:b"],
    ["yaml", "a: |\n  b", "string:b"],
  ])("in %s: %j", (language, written, expected) => {
    expect(colours(language, written)).toContain(expected);
  });

  it("in Markdown the lines of a fenced block are not Markdown", () => {
    expect(colours("markdown", "```\n# a\n\n# b\n```\n# c")).toEqual(["meta:```", "meta:```", "heading:# c"]);
  });
});

it.each(["", "text", "plaintext", "output", "brainfuck", "constructor", "__proto__", "{}", "   "])(
  "%j is no language that is known",
  (language) => {
    expect(codeHighlighter.open(language)).toBeNull();
  },
);

it.each(
  "py python3 ipython Python {r} jl js jsx ts tsx node sh bash zsh console c++ h hpp yml htm xml svg md rs patch postgres mysql sqlite jsonc json5 cs kt golang docker rb ps1 {.python} language-js py:main.py".split(" "),
)("%j is a name of a language", (name) => {
  expect(codeHighlighter.open(name)).not.toBeNull();
});

describe("a mode that fails", () => {
  const thrower: StreamParser<{ seen: string[] }> = {
    startState: () => ({ seen: [] }),
    token(stream, state) {
      const read = stream.next() ?? "";
      if (read === "!") throw new Error("as it may");
      state.seen.push(read);
      return "keyword";
    },
  };

  it("leaves the rest of the line plain, and begins the next one afresh", () => {
    const lines = new ModeLines(thrower);
    const shown = [
      { text: "ab", style: "streamchat-hl-keyword" },
      { text: "!c", style: "" },
    ];
    expect(lines.partial("ab!c")).toEqual(shown);
    expect(lines.line("ab!c")).toEqual(shown);
    expect(lines.line("d")).toEqual([{ text: "d", style: "streamchat-hl-keyword" }]);
  });

  it("by standing still is not waited for", () => {
    const lines = new ModeLines({ token: () => "keyword" });
    expect(lines.line("abc")).toEqual([{ text: "abc", style: "" }]);
  });

  it("by going around in a circle is not waited for", () => {
    const lines = new ModeLines({
      token(stream) {
        while (!stream.match("never"));
        return null;
      },
    });
    expect(lines.line("abc")).toEqual([{ text: "abc", style: "" }]);
  });

  it("at a line separator within a line, which no dot matches, does not fail", () => {
    const lines = open("toml");
    expect(lines.line('a = "b\u2028c"').at(-1)).toEqual({ text: '"b\u2028c"', style: "streamchat-hl-string" });
  });

  it("by going back, or past the end, repeats and adds nothing", () => {
    let way = 3;
    const lines = new ModeLines({
      token(stream) {
        stream.pos += way;
        way = way === 3 ? -2 : 100;
        return "atom";
      },
    });
    expect(joined(lines.line("abcdef"))).toBe("abcdef");
  });

  it("at an empty line is forgiven", () => {
    const lines = new ModeLines({
      ...thrower,
      blankLine() {
        throw new Error("as it may");
      },
    });
    expect(lines.line("")).toEqual([]);
  });
});

it("an empty line is told to the mode, but not a part that is still empty", () => {
  let blanks = 0;
  const lines = new ModeLines({ token: (stream) => (stream.skipToEnd(), null), blankLine: () => void blanks++ });
  lines.partial("");
  expect(blanks).toBe(0);
  lines.line("");
  expect(blanks).toBe(1);
});

describe("work is linear in the code's length", () => {
  /** A mode that counts the characters it is shown, and how much state is copied. */
  function counting(): { readonly lines: LineHighlighter; readonly count: { read: number; copied: number } } {
    const count = { read: 0, copied: 0 };
    const lines = new ModeLines<{ depth: number[] }>({
      startState: () => ({ depth: [] }),
      copyState(state) {
        count.copied += state.depth.length;
        return { depth: state.depth.slice() };
      },
      token(stream, state) {
        count.read++;
        if (stream.next() === "(") state.depth.push(1);
        return null;
      },
    });
    return { lines, count };
  }

  it("each character of a complete line is read once", () => {
    const { lines, count } = counting();
    for (let row = 0; row < 100; row++) lines.line("0123456789");
    expect(count).toEqual({ read: 1_000, copied: 0 });
  });

  it("a part reads its own line only", () => {
    const { lines, count } = counting();
    for (let row = 0; row < 100; row++) lines.line("0123456789");
    count.read = 0;
    lines.partial("abc");
    expect(count.read).toBe(3);
  });

  it("a line that is very long is plain, and not read", () => {
    const { lines, count } = counting();
    const long = "x".repeat(LONGEST_LINE + 1);
    expect(lines.partial(long)).toEqual([{ text: long, style: "" }]);
    expect(lines.line(long)).toEqual([{ text: long, style: "" }]);
    expect(count.read).toBe(0);
  });

  it("state that piles up is given up, so that a part never copies much", () => {
    const { lines, count } = counting();
    for (let row = 0; row < 1_000; row++) {
      lines.line("((((((((((");
      count.copied = 0;
      lines.partial("(");
      expect(count.copied).toBeLessThan(1_000);
    }
  });

  it("also where the state is a chain", () => {
    interface Link {
      readonly prev: Link | null;
    }
    let longest = 0;
    const lines = new ModeLines<{ context: Link | null }>({
      startState: () => ({ context: null }),
      token(stream, state) {
        stream.next();
        state.context = { prev: state.context };
        let length = 0;
        for (let link: Link | null = state.context; link !== null; link = link.prev) length++;
        longest = Math.max(longest, length);
        return null;
      },
    });
    for (let row = 0; row < 1_000; row++) lines.line("((((((((((");
    expect(longest).toBeLessThan(1_000);
  });
});
