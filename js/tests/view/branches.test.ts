// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../../src/connection.ts";
import type { Message } from "../../src/protocol/frames.gen.ts";
import widget from "../../src/widget.ts";
import { FakeTransport } from "../fakes/transport.ts";

const KEY = Symbol.for("jupyter_streamchat.connection/3");
const page = globalThis as { [KEY]?: Connection };

let transport: FakeTransport;
let element: HTMLElement;
let lifetime: AbortController;

beforeEach(async () => {
  transport = new FakeTransport();
  page[KEY] = new Connection(transport, () => 1);
  element = document.createElement("div");
  document.body.append(element);
  lifetime = new AbortController();
  const traits: Record<string, unknown> = { conversation: "c1", run: "", model: "demo/fast", params: {} };
  const model = { get: (name: string) => traits[name], on() {}, off() {}, send() {} };
  widget.render({ model, el: element, signal: lifetime.signal });
  await vi.waitFor(() => expect(transport.links).toHaveLength(1));
  transport.last.greet();
  transport.last.opened("c1");
  await vi.waitFor(() => expect(transport.last.of("models")).toHaveLength(1));
  const names = ["fast", "slow", "sleepy"];
  transport.last.say({
    type: "ok", id: transport.last.of("models")[0]?.id ?? "", default: "demo/fast", problems: [],
    models: names.map((name) => ({ id: `demo/${name}`, provider: "demo", name })),
  });
});

afterEach(() => {
  lifetime.abort();
  element.remove();
  delete page[KEY];
});

const prompts = (): string[] => [...element.querySelectorAll(".streamchat-prompt")].map((one) => one.textContent ?? "");
const contents = (): string[] => [...element.querySelectorAll(".streamchat-content")].map((one) => one.textContent ?? "");

function named(label: string, index = 0): HTMLElement {
  const all = [...element.querySelectorAll<HTMLElement>("button, textarea, [role=menu], [role=group]")];
  const found = all.filter((one) => (one.getAttribute("aria-label") ?? one.textContent?.trim()) === label).at(index);
  if (found === undefined) throw new Error(`no ${label} in ${element.innerHTML}`);
  return found;
}

function press(target: HTMLElement, key: string): void {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

function fill(label: string, text: string): HTMLTextAreaElement {
  const field = named(label, 0) as HTMLTextAreaElement;
  field.value = text;
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  return field;
}

function prompted(id: string, text: string, parent: string | null, run = `r-${id}`, more: Message["parts"] = []): void {
  const message: Message = { id, role: "user", parts: [{ type: "text", text }, ...more], parent, run };
  transport.last.events("c1", { type: "message", t: 0, message });
}

function started(id: string, parent: string, run = `r-${id}`): void {
  const message = { id, role: "assistant" as const, parent };
  transport.last.events("c1", { type: "start", t: 0, run, message, model: "demo/fast", provider: "demo" });
}

function answered(id: string, text: string, parent: string, run = `r-${id}`): void {
  started(id, parent, run);
  transport.last.events(
    "c1",
    { type: "text-start", t: 1, run, part: "1" },
    { type: "text-delta", t: 1, run, part: "1", delta: text },
    { type: "text-end", t: 1, run, part: "1" },
    { type: "finish", t: 2, run, finish_reason: "stop", raw_reason: "stop", usage: { input: 1, output: 1 }, timing: { total_ms: 2 } },
  );
}

async function talk(): Promise<void> {
  prompted("p1", "one", null);
  answered("a1", "first answer", "p1");
  prompted("p2", "two", "a1");
  answered("a2", "second answer", "p2");
  await vi.waitFor(() => expect(contents()).toEqual(["first answer", "second answer"]));
}

async function edit(index: number): Promise<HTMLTextAreaElement> {
  element.querySelectorAll<HTMLElement>(".streamchat-edit")[index]?.click();
  await vi.waitFor(() => expect(element.querySelector(".streamchat-editor")).not.toBeNull());
  const field = element.querySelector<HTMLTextAreaElement>(".streamchat-editor textarea");
  if (field === null) throw new Error("no editor");
  return field;
}

describe("an edited prompt", () => {
  it("takes the old one's place when it is sent, and joins beside it", async () => {
    await talk();
    const field = await edit(1);
    expect([field.value, document.activeElement]).toEqual(["two", field]);
    field.value = "two, better";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    press(field, "Enter");
    const sent = transport.last.of("send").at(-1);
    expect(sent).toMatchObject({ parent: "a1", message: { parts: [{ type: "text", text: "two, better" }] } });
    await vi.waitFor(() => expect(prompts()).toEqual(["one", "two, better"]));
    expect(contents()).toEqual(["first answer"]);
    // Nobody types into the page's shortcuts.
    expect(document.activeElement).toBe(named("Prompt"));
    prompted("p3", "two, better", "a1", sent?.run);
    answered("a3", "better answer", "p3", sent?.run);
    await vi.waitFor(() => expect(contents()).toEqual(["first answer", "better answer"]));
    expect(named("Version 2 of 2").textContent).toBe("2/2");
  });

  it("is left as it was with Escape, and the keyboard stays with it", async () => {
    await talk();
    press(await edit(0), "Escape");
    await vi.waitFor(() => expect(element.querySelector(".streamchat-editor")).toBeNull());
    expect(document.activeElement).toBe(named("Edit prompt"));
    expect(transport.last.of("send")).toHaveLength(0);
  });

  it("gives the keyboard to nothing but what was just used", async () => {
    await talk();
    prompted("p3", "two, too", "a1");
    answered("a3", "beside", "p3");
    await vi.waitFor(() => expect(named("Version 1 of 2")).toBeDefined());
    press(await edit(1), "Escape");
    await vi.waitFor(() => expect(document.activeElement).toBe(named("Edit prompt", 1)));
    named("Next version").click();
    await vi.waitFor(() => expect(contents()).toEqual(["first answer", "beside"]));
    named("Previous version").click();
    await vi.waitFor(() => expect(contents()).toEqual(["first answer", "second answer"]));
    expect(document.activeElement).toBe(named("Previous version"));
    press(await edit(1), "Escape");
    await vi.waitFor(() => expect(document.activeElement).toBe(named("Edit prompt", 1)));
  });

  it("at the beginning begins anew, and keeps its files", async () => {
    const file = { type: "file", url: "data:image/png;base64,AA==", media_type: "image/png", name: "a.png", id: "2" } as const;
    prompted("p1", "what is it?", null, "r1", [file]);
    answered("a1", "a picture", "p1", "r1");
    await vi.waitFor(() => expect(contents()).toEqual(["a picture"]));
    press(await edit(0), "Enter");
    expect(transport.last.of("send").at(-1)).toMatchObject({
      parent: "", message: { parts: [{ type: "file", url: file.url }, { type: "text", text: "what is it?" }] },
    });
  });

  it("that is refused is in its editor again, with the reason", async () => {
    await talk();
    const field = await edit(1);
    field.value = "too much";
    press(field, "Enter");
    const error = { code: "budget_exhausted", message: "Nothing is left for today.", retryable: false } as const;
    transport.last.say({ type: "fail", id: transport.last.of("send").at(-1)?.id ?? "", error });
    await vi.waitFor(() => expect(element.querySelector(".streamchat-editor")?.textContent).toContain("Nothing is left"));
    expect(element.querySelector<HTMLTextAreaElement>(".streamchat-editor textarea")?.value).toBe("too much");
    expect(contents()).toEqual(["first answer", "second answer"]);
  });
});

describe("another answer", () => {
  it("comes from the picked model, beside the first, and the arrows lead back", async () => {
    await talk();
    named("Regenerate", 1).click();
    const sent = transport.last.of("send").at(-1);
    expect(sent).toMatchObject({ parent: "p2", model: "demo/fast" });
    expect(sent).not.toHaveProperty("message");
    await vi.waitFor(() => expect(contents()).toEqual(["first answer"]));
    answered("a3", "third answer", "p2", sent?.run);
    await vi.waitFor(() => expect(contents()).toEqual(["first answer", "third answer"]));
    named("Previous version").click();
    await vi.waitFor(() => expect(contents()).toEqual(["first answer", "second answer"]));
    // The arrow stays under the finger, also where it leads no further.
    expect(document.activeElement).toBe(named("Previous version"));
    expect(named("Previous version").getAttribute("aria-disabled")).toBe("true");
  });

  it("comes from another model by the keyboard alone", async () => {
    await talk();
    named("Choose another model", 1).click();
    const menu = await vi.waitFor(() => named("Models"));
    expect(document.activeElement?.textContent).toContain("fast");
    for (const key of ["s", "ArrowDown", "Home", "End"]) press(menu, key);
    expect(document.activeElement?.textContent).toContain("sleepy");
    press(menu, "s");
    expect(document.activeElement?.textContent).toContain("slow");
    (document.activeElement as HTMLElement).click();
    expect(transport.last.of("send").at(-1)).toMatchObject({ parent: "p2", model: "demo/slow" });
    await vi.waitFor(() => expect(element.querySelector("[role=menu]")).toBeNull());
  });

  it("is not asked for with Escape", async () => {
    await talk();
    named("Choose another model", 1).click();
    press(await vi.waitFor(() => named("Models")), "Escape");
    await vi.waitFor(() => expect(element.querySelector("[role=menu]")).toBeNull());
    expect(document.activeElement).toBe(named("Choose another model", 1));
    expect(transport.last.of("send")).toHaveLength(0);
  });

  it("that is refused says why", async () => {
    await talk();
    named("Regenerate", 1).click();
    const error = { code: "model_unknown", message: "No model “x”.", retryable: false } as const;
    transport.last.say({ type: "fail", id: transport.last.of("send").at(-1)?.id ?? "", error });
    await vi.waitFor(() => expect(element.querySelector("[role=alert]")?.textContent).toBe("No model “x”."));
    expect(contents()).toEqual(["first answer", "second answer"]);
  });

  it("of somebody else does not move the reader, whose prompts follow what they read", async () => {
    await talk();
    prompted("p9", "elsewhere", null);
    answered("a9", "to somebody else", "p9");
    await vi.waitFor(() => expect(named("Version 1 of 2").textContent).toBe("1/2"));
    expect(contents()).toEqual(["first answer", "second answer"]);
    press(fill("Prompt", "go on"), "Enter");
    expect(transport.last.of("send").at(-1)).toMatchObject({ parent: "a2" });
  });
});

describe("a prompt of files alone", () => {
  it("can be sent again, and with words", async () => {
    const file = { type: "file" as const, id: "1", url: "blob:sha256/0", media_type: "application/pdf", name: "notes.pdf" };
    transport.last.events("c1", { type: "message", t: 0, message: { id: "p1", role: "user", parts: [file], parent: null, run: "r-a1" } });
    answered("a1", "first answer", "p1", "r-a1");
    await vi.waitFor(() => expect(contents()).toEqual(["first answer"]));
    named("Edit prompt").click();
    await vi.waitFor(() => expect(element.querySelector(".streamchat-editor")?.textContent).toContain("notes.pdf"));
    const send = [...element.querySelectorAll<HTMLButtonElement>(".streamchat-editor button")].at(-1);
    expect(send?.disabled).toBe(false);
    send?.click();
    const { id: _, ...told } = file;
    await vi.waitFor(() => expect(transport.last.of("send")).toHaveLength(1));
    expect(transport.last.of("send")[0]).toMatchObject({ parent: "", message: { parts: [told] } });
    expect(transport.last.of("send")[0]?.message?.parts).toHaveLength(1);
  });
});

describe("a follow-up", () => {
  async function queued(): Promise<string> {
    prompted("p1", "one", null);
    started("a1", "p1");
    await vi.waitFor(() => expect(element.querySelector(".streamchat-answer")).not.toBeNull());
    press(fill("Prompt", "and then?"), "Enter");
    const run = transport.last.of("send").at(-1)?.run ?? "";
    prompted("p2", "and then?", "a1", run);
    started("a2", "p2", run);
    transport.last.events("c1", { type: "status", t: 0, run, state: "queued", position: 1 });
    await vi.waitFor(() => expect(named("Remove from the queue")).toBeDefined());
    return run;
  }

  it("stands in the queue under the answer that is being written", async () => {
    await queued();
    expect(element.querySelector(".streamchat-queued")?.textContent).toBe("and then?Queued");
    expect(element.querySelectorAll(".streamchat-answer")).toHaveLength(1);
    expect(element.querySelector("[role=status]")?.textContent).toBe("Queued, 1st in line…");
  });

  it("that is removed goes back into the empty composer", async () => {
    const run = await queued();
    named("Remove from the queue").click();
    expect(transport.last.of("stop")).toMatchObject([{ run }]);
    transport.last.events("c1", { type: "abort", t: 3, run, reason: "user" });
    await vi.waitFor(() => expect((named("Prompt") as HTMLTextAreaElement).value).toBe("and then?"));
    expect(prompts()).toEqual(["one"]);
    press(named("Prompt"), "Enter");
    // What follows the newest message does not follow a prompt that was taken back.
    expect(transport.last.of("send").at(-1)).not.toHaveProperty("parent");
    await vi.waitFor(() => expect(prompts()).toEqual(["one", "and then?"]));
  });

  it("is removed wherever it stands, and those behind it move up", async () => {
    const run = await queued();
    prompted("p3", "and last?", "a2", "r3");
    started("a3", "p3", "r3");
    transport.last.events("c1", { type: "status", t: 0, run: "r3", state: "queued", position: 2 });
    await vi.waitFor(() => expect(element.querySelectorAll(".streamchat-queued")).toHaveLength(2));
    await vi.waitFor(() => expect(element.querySelectorAll(".streamchat-queued")[1]?.textContent).toBe("and last?Queued, 2nd in line"));
    named("Remove from the queue").click();
    expect(transport.last.of("stop")).toMatchObject([{ run }]);
    transport.last.events(
      "c1",
      { type: "abort", t: 3, run, reason: "user" },
      { type: "status", t: 0, run: "r3", state: "queued", position: 1 },
    );
    await vi.waitFor(() => expect(prompts()).toEqual(["one", "and last?"]));
    expect(element.querySelectorAll(".streamchat-queued")).toHaveLength(1);
    expect((named("Prompt") as HTMLTextAreaElement).value).toBe("and then?");
  });

  it("that is removed does not take the place of what is written meanwhile", async () => {
    const run = await queued();
    fill("Prompt", "something else");
    named("Remove from the queue").click();
    transport.last.events("c1", { type: "abort", t: 3, run, reason: "user" });
    await vi.waitFor(() => expect(prompts()).toEqual(["one"]));
    expect((named("Prompt") as HTMLTextAreaElement).value).toBe("something else");
  });

  it("whose turn came before it was removed stays", async () => {
    const run = await queued();
    named("Remove from the queue").click();
    transport.last.events(
      "c1",
      { type: "status", t: 1, run, state: "running" },
      { type: "abort", t: 3, run, reason: "user" },
    );
    await vi.waitFor(() => expect(element.textContent).toContain("Stopped"));
    expect(prompts()).toEqual(["one", "and then?"]);
    expect((named("Prompt") as HTMLTextAreaElement).value).toBe("");
  });
});

describe("an answer that was stopped", () => {
  it("is gone on with by a button, under it and without a prompt", async () => {
    prompted("p1", "one", null);
    started("a1", "p1");
    const text = { run: "r-a1", part: "1", t: 1 };
    transport.last.events(
      "c1",
      { type: "text-start", ...text },
      { type: "text-delta", ...text, delta: "half of" },
      { type: "text-end", ...text },
      { type: "abort", t: 2, run: "r-a1", reason: "user" },
    );
    (await vi.waitFor(() => named("Continue"))).click();
    const sent = transport.last.of("send").at(-1);
    expect(sent).toMatchObject({ parent: "a1" });
    expect(sent).not.toHaveProperty("message");
    answered("a2", "the rest", "a1", sent?.run);
    await vi.waitFor(() => expect(contents()).toEqual(["half of", "the rest"]));
    expect(prompts()).toEqual(["one"]);
    expect(element.textContent).not.toContain("Continue");
  });
});

describe("what a person thinks of an answer", () => {
  it("is kept by a click, and taken back by another", async () => {
    await talk();
    named("Good answer", 1).click();
    expect(transport.last.of("rate")).toMatchObject([{ conversation: "c1", message: "a2", value: "up" }]);
    expect(named("Good answer", 1).getAttribute("aria-pressed")).toBe("false");
    transport.last.events("c1", { type: "feedback", t: 0, message: "a2", value: "up" });
    await vi.waitFor(() => expect(named("Good answer", 1).getAttribute("aria-pressed")).toBe("true"));
    expect(named("Good answer", 0).getAttribute("aria-pressed")).toBe("false");
    named("Good answer", 1).click();
    named("Bad answer", 1).click();
    expect(transport.last.of("rate").map(({ value }) => value)).toEqual(["up", "none", "down"]);
  });

  it("that cannot be kept says why", async () => {
    await talk();
    named("Bad answer").click();
    const error = { code: "rate_limited", message: "Too much at once.", retryable: true } as const;
    transport.last.say({ type: "fail", id: transport.last.of("rate").at(-1)?.id ?? "", error });
    await vi.waitFor(() => expect(element.querySelector("[role=alert]")?.textContent).toBe("Too much at once."));
  });
});

describe("the title", () => {
  const title = (): string => element.querySelector("h2")?.textContent ?? "";

  async function renaming(label: string): Promise<HTMLInputElement> {
    named(label).click();
    return vi.waitFor(() => element.querySelector("input:not([type=file])") ?? Promise.reject(new Error("no field")));
  }

  it("can be given once something was said, and is shown when the relay has it", async () => {
    expect(element.querySelector(".streamchat-title")).toBeNull();
    await talk();
    const field = await renaming("Name this conversation");
    expect(document.activeElement).toBe(field);
    field.value = " Of tides ";
    press(field, "Enter");
    expect(transport.last.of("rename")).toMatchObject([{ conversation: "c1", title: "Of tides" }]);
    await vi.waitFor(() => expect(element.querySelector("input:not([type=file])")).toBeNull());
    expect(document.activeElement).toBe(named("Prompt"));
    transport.last.events("c1", { type: "title", t: 0, title: "Of tides" });
    await vi.waitFor(() => expect(title()).toBe("Of tides"));
  });

  it("is left as it was with Escape, and kept by going elsewhere", async () => {
    await talk();
    transport.last.events("c1", { type: "title", t: 0, title: "Of tides" });
    await vi.waitFor(() => expect(title()).toBe("Of tides"));
    let field = await renaming("Rename this conversation");
    field.value = "Of ebb";
    press(field, "Escape");
    await vi.waitFor(() => expect(element.querySelector("input:not([type=file])")).toBeNull());
    expect(transport.last.of("rename")).toHaveLength(0);
    field = await renaming("Rename this conversation");
    field.value = "Of flood";
    field.dispatchEvent(new FocusEvent("blur"));
    expect(transport.last.of("rename").map((one) => one.title)).toEqual(["Of flood"]);
  });

  it("has the export of what is read beside it, and the deletion", async () => {
    const saved: string[] = [];
    vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:x");
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      saved.push(this.download);
    });
    await talk();
    const choose = async (label: string): Promise<void> => {
      named("Export or delete this conversation").click();
      await vi.waitFor(() => named(label));
      named(label).click();
    };
    await choose("Export as JSON Lines");
    await vi.waitFor(() => expect(transport.last.of("export")).toMatchObject([{ conversation: "c1", form: "jsonl" }]));
    transport.last.say({ type: "ok", id: transport.last.of("export")[0]?.id ?? "", name: "one.jsonl", text: "{}\n" });
    await vi.waitFor(() => expect(saved).toEqual(["one.jsonl"]));
    vi.restoreAllMocks();
    await choose("Delete this conversation");
    expect(transport.last.of("delete")).toMatchObject([{ conversation: "c1" }]);
    transport.last.say({ type: "deleted", conversation: "c1", restorable: true });
    await vi.waitFor(() => expect(element.textContent).toBe("This conversation was deleted.Restore"));
    expect(document.activeElement).toBe(named("Restore"));
    named("Restore").click();
    expect(transport.last.of("restore")).toMatchObject([{ conversation: "c1" }]);
    transport.last.say({ type: "restored", conversation: "c1" });
    transport.last.opened("c1");
    await vi.waitFor(() => expect(named("Prompt")).toBeDefined());
  });

  it("comes back with what was being written when a deletion is taken back", async () => {
    await talk();
    const field = named("Prompt") as HTMLTextAreaElement;
    field.value = "half a thou";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await vi.waitFor(() => expect(transport.last.of("presence").at(-1)?.typing).toBe(true));
    transport.last.say({ type: "deleted", conversation: "c1", restorable: true });
    await vi.waitFor(() => named("Restore").click());
    transport.last.say({ type: "restored", conversation: "c1" });
    transport.last.opened("c1");
    await vi.waitFor(() => expect((named("Prompt") as HTMLTextAreaElement).value).toBe("half a thou"));
  });

  it("goes with everything else where somebody has deleted the conversation for good", async () => {
    await talk();
    transport.last.say({ type: "deleted", conversation: "c1" });
    await vi.waitFor(() => expect(element.textContent).toBe("This conversation was deleted."));
    // What comes late is nobody's.
    transport.last.events("c1", { type: "title", t: 0, title: "Late" });
    expect(element.textContent).toBe("This conversation was deleted.");
  });

  it("of somebody hostile is words, with its marks to be seen", async () => {
    await talk();
    transport.last.events("c1", { type: "title", t: 0, title: "<img src=x>\u202e" });
    await vi.waitFor(() => expect(title()).toBe("<img src=x>⟨U+202E⟩"));
    expect(element.querySelector("img")).toBeNull();
  });
});

describe("what a model thought", () => {
  it.each([
    [300, "Thought for a moment"],
    [4100, "Thought for 4 s"],
    [65_000, "Thought for 1 min 5 s"],
  ])("for %i ms is folded under how long it did", async (took, label) => {
    prompted("p1", "one", null);
    started("a1", "p1");
    const part = { run: "r-a1", part: "1" };
    transport.last.events(
      "c1",
      { type: "reasoning-start", ...part, t: 100 },
      { type: "reasoning-delta", ...part, t: 100, delta: "Hm." },
    );
    const summary = await vi.waitFor(() => element.querySelector("summary") ?? Promise.reject(new Error("none")));
    expect(summary.textContent).toBe("Thinking…");
    transport.last.events("c1", { type: "reasoning-end", ...part, t: 100 + took });
    await vi.waitFor(() => expect(summary.textContent).toBe(label));
    expect(contents()).toEqual([]);
    summary.click();
    await vi.waitFor(() => expect(contents()).toEqual(["Hm."]));
  });
});
