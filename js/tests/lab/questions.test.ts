import { expect, it } from "vitest";
import { errorQuestion, failed, passage } from "../../src/lab/questions.ts";
import { FakeNotebook } from "../fakes/notebook.ts";

const error = (message: string) =>
  ({ type: "error", name: "ValueError", message, traceback: "\u001b[31mTraceback\u001b[0m\nValueError: no" }) as const;

it("asks about an error by its name and the first line of what it says", () => {
  const notebook = new FakeNotebook();
  const cell = notebook.add("check()", { executionCount: 4, outputs: [{ type: "text", text: "on the way" }, error("\u001b[1mno\u001b[0m\nreally")] });
  expect(failed(cell)).toBe(true);
  const asked = errorQuestion(notebook, cell);
  expect(asked?.text).toBe("Explain this error in Cell [4], and how to mend it: ValueError: no");
  expect(asked?.waiting.context.body).toBe("```python\ncheck()\n```\n\nOutput:\n\n```\non the way\nTraceback\nValueError: no\n```");
});

it("keeps a question short, however long the error is", () => {
  const notebook = new FakeNotebook();
  const asked = errorQuestion(notebook, notebook.add("x", { outputs: [error("y".repeat(100_000))] }));
  expect(asked?.text.length).toBeLessThan(500);
});

it("asks nothing about a cell that did not fail", () => {
  const notebook = new FakeNotebook();
  const cell = notebook.add("1", { outputs: [{ type: "text", text: "1" }] });
  expect(failed(cell)).toBe(false);
  expect(errorQuestion(notebook, cell)).toBeNull();
});

it("takes what is selected, and else all of the cell", () => {
  const notebook = new FakeNotebook();
  const cell = notebook.add("a = 1\nb = 2", { executionCount: 2 });
  expect(passage(notebook, cell, "b = 2").context).toEqual({ label: "Selection in Cell [2]", body: "```python\nb = 2\n```" });
  expect(passage(notebook, cell, " \n").context).toEqual({ label: "Cell [2]", body: "```python\na = 1\nb = 2\n```" });
});
