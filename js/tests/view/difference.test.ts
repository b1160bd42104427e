import fc from "fast-check";
import { expect, it } from "vitest";
import { counted, difference, type Line } from "../../src/view/difference.ts";

const text = (lines: readonly Line[], without: Line["kind"]): string =>
  lines.filter(({ kind }) => kind !== without).map(({ pieces }) => pieces.map(({ text }) => text).join("")).join("\n");
/** Code as it is written: few lines, many of them alike. */
const code = fc.array(fc.oneof(fc.constantFrom("x = 1", "y = x + 1", "", "    return x", "print(x, y)"), fc.string({ maxLength: 12 })), { maxLength: 14 }).map((lines) => lines.join("\n"));

it("what is the same or removed is the one text, what is the same or added the other", () => {
  fc.assert(
    fc.property(code, code, (before, after) => {
      const lines = difference(before, after);
      expect(text(lines, "added")).toBe(before);
      expect(text(lines, "removed")).toBe(after);
    }),
    { numRuns: 500 },
  );
});

it("a text is no different from itself", () => {
  fc.assert(
    fc.property(code, (one) => {
      expect(counted(difference(one, one))).toEqual({ removed: 0, added: 0 });
    }),
  );
});

it("marks the words that changed in a line, and no words of lines that have nothing in common", () => {
  const [removed, added] = difference("total = sum(values)", "total = max(values)");
  expect(removed?.pieces.filter(({ changed }) => changed)).toEqual([{ text: "sum", changed: true }]);
  expect(added?.pieces.filter(({ changed }) => changed)).toEqual([{ text: "max", changed: true }]);
  const other = difference("import os", "frame.plot()");
  expect(other.flatMap(({ pieces }) => pieces).some(({ changed }) => changed)).toBe(false);
});

it("lines that are alike stand with each other, whatever came before them and between", () => {
  const before = "def mean(values, w=None):\n    return values.mean()\n\nchat = Chat()";
  const after = "import numpy as np\n\ndef mean(values, weights=None):\n    return values.mean()";
  expect(difference(before, after).map(({ kind, pieces }) => [kind[0], pieces.map(({ text, changed }) => (changed ? `<${text}>` : text)).join("")])).toEqual([
    ["a", "import numpy as np"],
    ["a", ""],
    ["r", "def mean(values, <w>=None):"],
    ["a", "def mean(values, <weights>=None):"],
    ["s", "    return values.mean()"],
    ["r", ""],
    ["r", "chat = Chat()"],
  ]);
});

it("lines that were only added leave the others alone", () => {
  expect(difference("a\nc", "a\nb\nc").map(({ kind }) => kind)).toEqual(["same", "added", "same"]);
  expect(difference("", "a").map(({ kind }) => kind)).toEqual(["added"]);
});

it("of texts that are long and have nothing in common says so at once", () => {
  const [before, after] = [1, 2].map((seed) => Array.from({ length: 20_000 }, (_, at) => `${seed} ${at}`).join("\n"));
  const from = performance.now();
  expect(counted(difference(before ?? "", after ?? ""))).toEqual({ removed: 20_000, added: 20_000 });
  expect(performance.now() - from).toBeLessThan(3000);
});

it("is found soon where a line is full of data", () => {
  const line = (from: number): string => Array.from({ length: 60_000 }, (_, at) => from + at).join(", ");
  const before = performance.now();
  expect(counted(difference(`a = 1\nx = [${line(0)}]`, `a = 1\nx = [${line(100_000)}]`))).toEqual({ removed: 1, added: 1 });
  expect(performance.now() - before).toBeLessThan(2_000);
});
