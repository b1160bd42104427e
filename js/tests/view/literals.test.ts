import { transformSync } from "esbuild";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../../src/", import.meta.url));
/** Not shown: names of keys, of events and of kinds of elements. */
const UNSEEN = /^(Enter|Escape|Tab|Home|End|Arrow(Up|Down)|Files|Backspace|Delete|PageUp|PageDown|[A-Z]+)$/;

describe("the words of a chat", () => {
  const modules = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter(
    (name) => /\.tsx?$/.test(name) && !/strings\.ts$|^markdown\/|frames\.gen/.test(name),
  );

  it.each(modules)("are not in %s, but in one place", (name) => {
    const loader = name.endsWith("x") ? "tsx" : "ts";
    const { code } = transformSync(readFileSync(join(SRC, name), "utf8").replace(/\/\*.*?\*\//gs, ""), { loader, jsx: "automatic", minifySyntax: true, charset: "utf8" });
    // A text in TSX is a literal by now; what is shown begins as a sentence or is a child or a label of an element.
    const literals = [...code.matchAll(/"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)].map((found) => found[1] ?? found[2] ?? "");
    expect(literals.filter((text) => /^[A-Z][a-z’]+/.test(text) && !UNSEEN.test(text))).toEqual([]);
    const shown = /(?:children|"aria-label"|title|placeholder|alt|label|text): (?:\[\s*)?"([^"]*[A-Za-z]{2}[^"]*)"/g;
    expect([...code.matchAll(shown)].map((found) => found[1])).toEqual([]);
    const among = /^\s*"([^"]*[a-z]{2}[^"]*)",?$/gm;
    expect([...code.matchAll(among)].map((found) => found[1] ?? "").filter((text) => / [a-z]|…/.test(text) && !/^[-\w ]*(jp|streamchat)-/.test(text))).toEqual([]);
  });

  it("are found by JupyterLab's extraction: each is a literal of a call of `trans`", () => {
    const source = ["view", "transport", "protocol"].map((place) => readFileSync(join(SRC, place, "strings.ts"), "utf8")).join("");
    const calls = [...source.matchAll(/trans\.(__|_n)\(\s*"/g)].length;
    expect(calls).toBe([...source.matchAll(/\btrans\.(__|_n)\(/g)].length);
    expect(calls).toBeGreaterThan(100);
  });
});
