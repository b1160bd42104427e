// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../../src/connection.ts";
import { provideNotebooks, type NotebookKernel } from "../../src/notebook.ts";
import { writing } from "../../src/view/mentions.ts";
import widget from "../../src/widget.ts";
import { FakeNotebook } from "../fakes/notebook.ts";
import { FakeTransport } from "../fakes/transport.ts";

const KEY = Symbol.for("jupyter_streamchat.connection/3");
const page = globalThis as { [KEY]?: Connection };

let transport: FakeTransport;
let element: HTMLElement;
let lifetime: AbortController;
/** What the widget's kernel was asked. */
let asked: { type: string; id: string; names?: string[] }[];
let hear: (content: unknown) => void;

beforeEach(async () => {
  transport = new FakeTransport();
  page[KEY] = new Connection(transport, () => 1);
  element = document.createElement("div");
  document.body.append(element);
  lifetime = new AbortController();
  asked = [];
  const listeners = new Set<(content: unknown) => void>();
  hear = (content) => listeners.forEach((listener) => listener(content));
  const traits: Record<string, unknown> = { conversation: "c1", run: "", model: "", params: {} };
  const model = {
    get: (name: string) => traits[name],
    on: (event: string, listener: (content: unknown) => void) => void (event === "msg:custom" && listeners.add(listener)),
    off: (_: string, listener: (content: unknown) => void) => void listeners.delete(listener),
    send: (content: unknown) => void asked.push(content as (typeof asked)[number]),
  };
  widget.render({ model, el: element, signal: lifetime.signal });
  await vi.waitFor(() => expect(transport.links).toHaveLength(1));
  transport.last.greet();
  transport.last.opened("c1");
});

afterEach(() => {
  lifetime.abort();
  element.remove();
  delete page[KEY];
  vi.useRealTimers();
});

const area = (): HTMLTextAreaElement => element.querySelector("textarea") as HTMLTextAreaElement;
function write(text: string): void {
  area().value = text;
  area().setSelectionRange(text.length, text.length);
  area().dispatchEvent(new InputEvent("input", { bubbles: true }));
}
const press = (key: string): boolean => area().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const options = (): string[] => [...element.querySelectorAll("[role=option]")].map((one) => one.textContent ?? "");
const chips = (): string[] => [...element.querySelectorAll(".streamchat-contexts .streamchat-name")].map((one) => one.textContent ?? "");
const texts = (): unknown[] => (transport.last.of("send")[0]?.message?.parts ?? []).map((part) => (part.type === "text" ? part.text : part));

const FRAME = { name: "frame", type: "DataFrame", shape: [1200, 3] };
async function listed(...names: unknown[]): Promise<void> {
  await vi.waitFor(() => expect(asked.at(-1)?.type).toBe("names"));
  hear({ type: "names", id: asked.at(-1)?.id, names });
}

it.each([
  ["@", 0, ""],
  ["look at @fr", 8, "fr"],
  ["(@größe", 1, "größe"],
  ["@cell:12", 0, "cell:12"],
])("%j is a mention from %i on", (text, start, query) => {
  expect(writing(text, text.length)).toEqual({ start, query });
});

it.each(["me@example", "@ x", "@a b", "a@@b", "pkg/@scope", "@1"])("%j ends in no mention", (text) => {
  expect(writing(text, text.length)).toBeNull();
});

describe("an @", () => {
  it("lists the variables of the widget's kernel, and names them to who cannot see them", async () => {
    write("Plot @");
    await listed({ name: "heights", type: "list", shape: [3] }, FRAME, { name: "bad name", type: "int" }, 3);
    await vi.waitFor(() => expect(options()).toEqual(["@heightslist, 3", "@frameDataFrame, 1,200 × 3"]));
    expect(element.querySelector("[role=listbox]")?.getAttribute("aria-label")).toBe("What can be mentioned");
    const active = area().getAttribute("aria-activedescendant") ?? "";
    expect(document.getElementById(active)?.textContent).toBe("@heightslist, 3");
    expect(area().getAttribute("aria-controls")).toBe(element.querySelector("[role=listbox]")?.id);
    expect(element.querySelector(".streamchat-mentions [role=status]")?.textContent).toBe("2 suggestions");
  });

  it("is chosen by keys, stands in the text, and its chip says what goes along", async () => {
    write("Plot @");
    await listed({ name: "heights", type: "list", shape: [3] }, FRAME);
    await vi.waitFor(() => expect(options()).toHaveLength(2));
    press("ArrowDown");
    await vi.waitFor(() => expect(element.querySelector("[aria-selected=true]")?.textContent).toContain("@frame"));
    press("Enter");
    expect(area().value).toBe("Plot @frame ");
    await vi.waitFor(() => expect(chips()).toEqual(["frame — DataFrame, 1,200 × 3"]));
    expect(options()).toEqual([]);
    expect(transport.last.of("send")).toEqual([]);
  });

  it("is left by Escape, and writing on does not bring the list back", async () => {
    write("@f");
    await listed(FRAME);
    await vi.waitFor(() => expect(options()).toHaveLength(1));
    press("Escape");
    await vi.waitFor(() => expect(options()).toEqual([]));
    write("@fr");
    await Promise.resolve();
    expect(options()).toEqual([]);
    write("@fr @");
    await vi.waitFor(() => expect(options()).toHaveLength(1));
  });

  it("that is written out does not hold Enter up", async () => {
    write("@frame");
    await listed(FRAME);
    await vi.waitFor(() => expect(options()).toHaveLength(1));
    press("Enter");
    await vi.waitFor(() => expect(asked.at(-1)).toMatchObject({ type: "describe", names: ["frame"] }));
    expect(options()).toEqual([]);
  });

  it("without an answer says that the kernel is busy", async () => {
    vi.useFakeTimers();
    write("@");
    await vi.advanceTimersByTimeAsync(4_100);
    expect(element.querySelector(".streamchat-mentions p")?.textContent).toContain("The kernel is busy or gone");
  });
});

describe("a prompt with a mention", () => {
  beforeEach(async () => {
    write("What is odd in @frame?");
    await listed(FRAME);
    await vi.waitFor(() => expect(chips()).toHaveLength(1));
  });

  it("leaves with what the kernel then shows, and that is in the conversation", async () => {
    press("Enter");
    press("Enter");
    await vi.waitFor(() => expect(asked.at(-1)?.type).toBe("describe"));
    expect(transport.last.of("send")).toEqual([]);
    await vi.waitFor(() => expect(area().readOnly).toBe(true));
    press("Enter");
    hear({ type: "describe", id: asked.at(-1)?.id, described: [{ ...FRAME, text: "A DataFrame." }] });
    await vi.waitFor(() => expect(texts()).toEqual(["What is odd in @frame?", "\n\nframe — DataFrame, 1,200 × 3:\n\nA DataFrame."]));
    expect(area().value).toBe("");
    expect(asked.filter(({ type }) => type === "describe")).toHaveLength(1);
    await vi.waitFor(() => expect(element.querySelector(".streamchat-prompt summary")?.textContent).toBe("frame — DataFrame, 1,200 × 3"));
    expect(chips()).toEqual([]);
  });

  it("stays where something cannot be shown, and says why", async () => {
    press("Enter");
    await vi.waitFor(() => expect(asked.at(-1)?.type).toBe("describe"));
    hear({ type: "describe", id: asked.at(-1)?.id, described: [{ name: "frame", problem: "There is no variable frame." }] });
    await vi.waitFor(() => expect(element.textContent).toContain("There is no variable frame."));
    expect(transport.last.of("send")).toEqual([]);
    expect([area().value, area().readOnly]).toEqual(["What is odd in @frame?", false]);
  });

  it("sends nothing of what was left out", async () => {
    element.querySelector<HTMLElement>(".streamchat-contexts .streamchat-remove")?.click();
    await vi.waitFor(() => expect(chips()).toEqual([]));
    press("Enter");
    expect(texts()).toEqual(["What is odd in @frame?"]);
    expect(asked.filter(({ type }) => type === "describe")).toEqual([]);
  });

  it("can be held back by Escape while the kernel is asked", async () => {
    press("Enter");
    await vi.waitFor(() => expect(area().readOnly).toBe(true));
    press("Escape");
    await vi.waitFor(() => expect(area().readOnly).toBe(false));
    expect(area().value).toBe("What is odd in @frame?");
    expect(transport.last.of("send")).toEqual([]);
  });
});

describe("where a plugin provides the notebook", () => {
  it("a cell goes with its outputs, as it is when the prompt leaves", async () => {
    const notebook = new FakeNotebook();
    notebook.add("1 / 0", { executionCount: 3, outputs: [{ type: "error", name: "E", message: "m", traceback: "Traceback: no" }] });
    notebook.add("never run");
    provideNotebooks(notebook, lifetime.signal);
    write("Why @ce");
    await listed();
    await vi.waitFor(() => expect(options()).toEqual(["@cell:31 / 0"]));
    press("Tab");
    expect(area().value).toBe("Why @cell:3 ");
    press("Enter");
    await vi.waitFor(() => expect(texts()).toHaveLength(2));
    expect(texts()[1]).toContain("Cell [3]:\n\n```python\n1 / 0\n```");
    expect(texts()[1]).toContain("Traceback: no");
  });
});

it("the pictures that a mentioned cell shows go with it, and leave with it", async () => {
  const notebook = new FakeNotebook();
  const png = btoa("\x89PNG\r\n\x1a\n....");
  notebook.add("plot()", { executionCount: 4, outputs: [{ type: "image", mediaType: "image/png", data: png }] });
  provideNotebooks(notebook, lifetime.signal);
  const pictures = (): number => element.querySelectorAll(".streamchat-thumb").length;
  write("Explain @cell:4");
  await vi.waitFor(() => expect(pictures()).toBe(1));
  write("Explain @cell:");
  await vi.waitFor(() => expect(pictures()).toBe(0));
  write("Explain @cell:4 ");
  await vi.waitFor(() => expect(element.querySelector(".streamchat-thumb")?.getAttribute("aria-busy")).toBe("false"));
  press("Enter");
  await vi.waitFor(() => expect(transport.last.of("send")[0]?.message?.parts).toHaveLength(3));
  expect(transport.last.of("send")[0]?.message?.parts[0]).toMatchObject({ type: "file", media_type: "image/png" });
});

it.each([
  ["No module named 'jupyter_streamchat'", "python", "This kernel does not have jupyter_streamchat"],
  ["", "r", "Only variables of a Python kernel can be mentioned."],
])("the panel says why a notebook's kernel has none: %s %s", async (words, language, said) => {
  const { Mentions } = await import("../../src/view/mentions.ts");
  const notebook = new FakeNotebook();
  const kernel: NotebookKernel = { busy: false, evaluate: () => Promise.reject(new Error(words)) };
  Object.assign(notebook, { kernel, language });
  provideNotebooks(notebook, lifetime.signal);
  const mentions = new Mentions(null);
  mentions.look(element);
  await vi.waitFor(() => expect(mentions.problem).toContain(said));
});

it("the panel says that a notebook's kernel is busy", async () => {
  const { Mentions } = await import("../../src/view/mentions.ts");
  const notebook = new FakeNotebook();
  const evaluate: NotebookKernel["evaluate"] = (_, signal) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  Object.assign(notebook, { kernel: { busy: true, evaluate } });
  provideNotebooks(notebook, lifetime.signal);
  const mentions = new Mentions(null);
  mentions.look(element);
  await vi.waitFor(() => expect(mentions.problem).toContain("The kernel is busy"), 3000);
});

it("a variable is that of the notebook whose variables were listed, whichever is in front when the prompt leaves", async () => {
  const { Mentions } = await import("../../src/view/mentions.ts");
  const of = (text: string): FakeNotebook => {
    const told = { names: [FRAME], described: [{ ...FRAME, text }] };
    const evaluate = () => Promise.resolve({ "application/vnd.jupyter-streamchat.mentions+json": told });
    return Object.assign(new FakeNotebook(), { kernel: { busy: false, evaluate } });
  };
  let front = of("the first's");
  provideNotebooks({ find: () => front, subscribe: () => undefined }, lifetime.signal);
  const mentions = new Mentions(null);
  mentions.look(null);
  await vi.waitFor(() => expect(mentions.found("@frame", null)).toHaveLength(1));
  front = of("the second's");
  const [told] = await mentions.contexts(mentions.found("@frame", null), null, lifetime.signal);
  expect(told?.body).toBe("the first's");
});
