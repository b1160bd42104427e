// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createMarkdownStream } from "../../src/markdown/index.ts";
import { provideNotebooks } from "../../src/notebook.ts";
import { pagePreferences } from "../../src/preferences.ts";
import { CellActions } from "../../src/view/codeactions.ts";
import { FakeNotebook } from "../fakes/notebook.ts";

let notebook: FakeNotebook;
let lifetime: AbortController;
let chat: HTMLElement;

beforeEach(() => {
  notebook = new FakeNotebook();
  lifetime = new AbortController();
  chat = document.createElement("div");
  chat.className = "streamchat";
  document.body.append(chat);
});

afterEach(() => {
  lifetime.abort();
  chat.remove();
});

function answer(markdown: string): { more: (text: string) => void; end: () => void } {
  const content = document.createElement("div");
  chat.append(content);
  const stream = createMarkdownStream(content, { actions: new CellActions(lifetime.signal).add });
  stream.push(markdown);
  stream.flush();
  return { more: (text) => (stream.push(text), stream.flush()), end: () => stream.end() };
}

const buttons = (): string[] => [...chat.querySelectorAll(".streamchat-md-code-head button")].map((one) => one.getAttribute("aria-label") ?? "").filter((label) => !["Fold", "Wrap"].includes(label));
const button = (label: string): HTMLElement => {
  const found = [...chat.querySelectorAll<HTMLElement>("button")].find((one) => (one.getAttribute("aria-label") ?? one.textContent) === label);
  if (found === undefined) throw new Error(`no ${label} in ${chat.innerHTML}`);
  return found;
};
const dialog = (): HTMLDialogElement | null => chat.querySelector("dialog");
const lines = (): string[] => [...(dialog()?.querySelectorAll("li") ?? [])].map((line) => line.textContent ?? "");
const BLOCK = "```python\ntotal = max(values)\n```\n";

describe("where the page has no notebook", () => {
  it("a block is only copied", () => {
    answer(BLOCK);
    expect(buttons()).toEqual(["Copy"]);
  });
});

describe("where a plugin provides the notebook", () => {
  beforeEach(() => provideNotebooks(notebook, lifetime.signal));

  it("a block is offered once it is complete, with the cell that is meant", () => {
    notebook.add("values = [1]", { executionCount: 3 });
    const { more } = answer("```python\ntotal = ");
    expect(buttons()).toEqual(["Copy"]);
    more("1\n```\n");
    expect(buttons()).toEqual(["Insert below", "Replace cell [3]", "Copy"]);
    expect(button("Insert below").title).toBe("Make a new cell of this code below cell [3]");
  });

  it.each([
    ["python", 3],
    ["PY", 3],
    ["", 3],
    ["bash", 1],
    ["r", 1],
  ])("a block of %j has %i buttons in a notebook of Python", (language, count) => {
    notebook.add("");
    answer(`\`\`\`${language}\nls\n\`\`\`\n`);
    expect(buttons()).toHaveLength(count);
  });

  it("an empty block, a notebook without cells and a cell that takes no code are offered less", () => {
    answer("```python\n\n```\n");
    answer(BLOCK);
    expect(buttons()).toEqual(["Copy", "Copy"]);
    chat.replaceChildren();
    notebook.add("# Text", { type: "markdown" });
    answer(BLOCK);
    expect(buttons()).toEqual(["Insert below", "Copy"]);
  });

  it("the words follow the selected cell, and the buttons stay", async () => {
    const first = notebook.add("a", { executionCount: 1 });
    const second = notebook.add("b");
    notebook.selected = first.id;
    answer(BLOCK);
    const before = button("Replace cell [1]");
    notebook.selected = second.id;
    notebook.changed();
    await vi.waitFor(() => expect(button("Replace cell no. 2")).toBe(before));
  });

  it("what is replaced is the cell that is selected now, though another one has its number", async () => {
    notebook.add("old = 1", { executionCount: 3 });
    const other = notebook.add("new = 1", { executionCount: 3, index: 0 });
    answer(BLOCK);
    notebook.selected = other.id;
    notebook.changed();
    await new Promise(requestAnimationFrame);
    button("Replace cell [3]").click();
    expect(lines().join("\n")).toContain("new = 1");
  });

  it("a person who wants none of it has none", async () => {
    notebook.add("a");
    answer(BLOCK);
    const preferences = pagePreferences();
    const before = preferences.value;
    preferences.set({ ...before, codeActions: false });
    await vi.waitFor(() => expect(buttons()).toEqual(["Copy"]));
    preferences.set(before);
    await vi.waitFor(() => expect(buttons()).toHaveLength(3));
  });

  it("inserts below the cell in which the chat stands", async () => {
    const own = notebook.add("chat", { executionCount: 1 });
    notebook.add("other");
    notebook.selected = "cell-1";
    chat.dataset["cell"] = own.id;
    answer(BLOCK);
    button("Insert below").click();
    expect(notebook.list.map(({ source }) => source)).toEqual(["chat", "total = max(values)", "other"]);
    expect(notebook.selected).toBe(notebook.list[1]?.id);
    await vi.waitFor(() => expect(buttons()[0]).toBe("Inserted"));
  });

  it("shows what would change before it replaces, and Enter replaces", () => {
    notebook.add("total = sum(values)", { executionCount: 3 });
    answer(BLOCK);
    button("Replace cell [3]").click();
    expect(notebook.list[0]?.source).toBe("total = sum(values)");
    expect(dialog()?.querySelector("h2")?.textContent).toBe("Replace cell [3]?");
    expect(dialog()?.textContent).toContain("1 line removed, 1 line added.");
    expect(lines()).toEqual(["Removed: total = sum(values)", "Added: total = max(values)"]);
    expect([...(dialog()?.querySelectorAll("mark") ?? [])].map((one) => one.textContent)).toEqual(["sum", "max"]);
    dialog()?.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    expect(notebook.list[0]?.source).toBe("total = max(values)");
    expect(dialog()).toBeNull();
    expect(buttons()).toContain("Replaced");
  });

  it("Escape and Cancel leave the cell as it is", () => {
    notebook.add("total = 0", { executionCount: 3 });
    answer(BLOCK);
    for (const leave of [
      () => dialog()?.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true })),
      () => button("Cancel").click(),
    ]) {
      button("Replace cell [3]").click();
      leave();
      expect(dialog()).toBeNull();
      expect(notebook.list[0]?.source).toBe("total = 0");
    }
  });

  it("a cell that was changed meanwhile is shown again before it is replaced", async () => {
    notebook.add("total = 0", { executionCount: 3 });
    answer(BLOCK);
    button("Replace cell [3]").click();
    const accept = (): void => dialog()?.querySelector<HTMLElement>(".streamchat-allow")?.click();
    notebook.replace("cell-0", "mine = 1");
    accept();
    await vi.waitFor(() => expect(dialog()?.textContent).toContain("The cell was changed in between."));
    expect(lines()[0]).toBe("Removed: mine = 1");
    expect(notebook.list[0]?.source).toBe("mine = 1");
    accept();
    expect(notebook.list[0]?.source).toBe("total = max(values)");
  });

  it("a cell that is gone or takes nothing says so", async () => {
    const cell = notebook.add("total = 0", { executionCount: 3 });
    answer(BLOCK);
    button("Replace cell [3]").click();
    const accept = (): void => dialog()?.querySelector<HTMLElement>(".streamchat-allow")?.click();
    notebook.list = [{ ...cell, editable: false }];
    accept();
    await vi.waitFor(() => expect(dialog()?.textContent).toContain("This cell cannot be changed now"));
    notebook.list = [];
    accept();
    await vi.waitFor(() => expect(dialog()?.textContent).toContain("This cell is not there any more."));
  });

  it("what steers the eye is shown, and the dialog ends with its chat", () => {
    notebook.add("a\u202eb", { executionCount: 3 });
    answer(BLOCK);
    button("Replace cell [3]").click();
    expect(lines()[0]).toBe("Removed: a⟨U+202E⟩b");
    lifetime.abort();
    expect(dialog()).toBeNull();
  });
});
