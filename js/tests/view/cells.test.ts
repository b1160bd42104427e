import fc from "fast-check";
import { expect, it } from "vitest";
import { bounded, cellContext, cellLabel, cellPictures, glance, MOST_OUTPUT, MOST_SOURCE, plain, waitingCell } from "../../src/view/cells.ts";
import { FakeNotebook } from "../fakes/notebook.ts";

it("is called by its number, or by its place where it has none", () => {
  const notebook = new FakeNotebook();
  expect(cellLabel(notebook.add("1", { executionCount: 3 }))).toBe("Cell [3]");
  expect(cellLabel(notebook.add("2"))).toBe("Cell 2, not run");
  expect(cellLabel(notebook.add("# a", { type: "markdown" }))).toBe("Text cell 3");
});

it("reads as its code and what that showed", () => {
  const cell = new FakeNotebook().add("print(1)\n1 / 0", {
    executionCount: 3,
    outputs: [
      { type: "text", text: "1\n" },
      { type: "image", mediaType: "image/png", data: "aGk=" },
      { type: "error", name: "ZeroDivisionError", message: "division by zero", traceback: "\u001b[0;31mTraceback\u001b[0m\ndivision by zero" },
    ],
  });
  expect(cellContext(cell, "python")).toEqual({
    label: "Cell [3]",
    body: "```python\nprint(1)\n1 / 0\n```\n\nOutput:\n\n```\n1\nTraceback\ndivision by zero\n```",
  });
});

it("has its pictures as files", async () => {
  const outputs = [{ type: "image", mediaType: "image/png", data: "aGk=" }, { type: "image", mediaType: "image/png", data: "?" }] as const;
  const [file, ...rest] = cellPictures(new FakeNotebook().add("plot()", { executionCount: 1, outputs }));
  expect(rest).toEqual([]);
  expect([file?.name, file?.type, await file?.text()]).toEqual(["Cell [1] 1.png", "image/png", "hi"]);
});

it("is bounded, and says so", () => {
  const outputs = [{ type: "text", text: "y".repeat(50_000) }] as const;
  const { body } = cellContext(new FakeNotebook().add("x".repeat(50_000), { outputs }), "python");
  expect(body.length).toBeLessThan(MOST_SOURCE + MOST_OUTPUT + 200);
  expect(body).toContain("… (40000 characters left out) …");
  expect(body).toContain("… (44000 characters left out) …");
});

it("keeps the beginning and the end of what is too long, without half a character", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), fc.integer({ min: 2, max: 100 }), (text, most) => {
      const cut = bounded(text, most);
      if (text.length <= most) return cut === text;
      const [head = "", tail = ""] = cut.split(/\n… \(\d+ characters left out\) …\n/);
      expect(text.startsWith(head) && text.endsWith(tail)).toBe(true);
      expect(head.length + tail.length).toBeLessThanOrEqual(most);
      expect(cut).not.toMatch(/\p{Surrogate}/u);
      return true;
    }),
  );
});

it("shows what a terminal would show: no colours, and the last of what was written over itself", () => {
  expect(plain("\u001b[1;31mred\u001b[0m \u001b]8;;https://x\u0007link\u001b]8;;\u0007")).toBe("red link");
  expect(plain("10%\r20%\r100%\r\ndone\n")).toBe("100%\ndone\n");
});

it("reads a line of a megabyte as fast as many short ones", () => {
  const before = performance.now();
  expect(plain("y".repeat(1_000_000))).toHaveLength(1_000_000);
  expect(plain("\r".repeat(1_000_000))).toBe("");
  expect(plain(`${"y\r".repeat(500_000)}z`)).toBe("z");
  // A pattern that begins anew at each letter took minutes.
  expect(performance.now() - before).toBeLessThan(2_000);
});

it("is listed by its first line that says something", () => {
  const notebook = new FakeNotebook();
  expect(glance(notebook.add("\n\n  x = 1\ny"))).toBe("x = 1");
  expect(glance(notebook.add("z".repeat(200)))).toHaveLength(80);
});

it("goes with the prompt as it is by then, or as it was last seen", () => {
  const notebook = new FakeNotebook();
  const { id } = notebook.add("x = 1");
  const waiting = waitingCell(notebook, notebook.cells()[0]!);
  notebook.replace(id, "x = 2");
  expect(waiting.renew?.()?.body).toBe("```python\nx = 2\n```");
  notebook.list = [];
  expect(waiting.renew?.()).toBeNull();
  expect(waiting.context.body).toBe("```python\nx = 1\n```");
});

it("is plain at once, however long a line is", () => {
  const line = "x".repeat(1_000_000);
  const before = performance.now();
  expect(plain(line)).toBe(line);
  expect(performance.now() - before).toBeLessThan(1_000);
});
