// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../../src/connection.ts";
import type { Event } from "../../src/protocol/frames.gen.ts";
import { pagePreferences } from "../../src/preferences.ts";
import widget, { type WidgetModel } from "../../src/widget.ts";
import { FakeTransport } from "../fakes/transport.ts";

const KEY = Symbol.for("jupyter_streamchat.connection/3");
const page = globalThis as { [KEY]?: Connection };

let transport: FakeTransport;
let element: HTMLElement;
let lifetime: AbortController;

beforeEach(() => {
  transport = new FakeTransport();
  page[KEY] = new Connection(transport, () => 1);
  element = document.createElement("div");
  document.body.append(element);
  lifetime = new AbortController();
});

afterEach(() => {
  lifetime.abort();
  element.remove();
  delete page[KEY];
});

class FakeModel implements WidgetModel {
  readonly traits: Record<string, unknown>;
  constructor(traits: Record<string, unknown> = {}) {
    this.traits = { conversation: "c1", run: "", model: "", params: {}, ...traits };
  }
  get(name: string): unknown {
    return this.traits[name];
  }
  readonly told: unknown[] = [];
  on(): void {}
  off(): void {}
  send(content: unknown): void {
    this.told.push(content);
  }
}

function mount(traits: Record<string, unknown> = {}): () => void {
  return widget.render({ model: new FakeModel(traits), el: element, signal: lifetime.signal });
}

/** A widget whose connection is live and whose conversation is empty. */
async function ready(traits: Record<string, unknown> = {}): Promise<void> {
  mount(traits);
  await vi.waitFor(() => expect(transport.links).toHaveLength(1));
  transport.last.greet();
  transport.last.opened("c1");
  await vi.waitFor(() => expect(transport.last.of("models")).toHaveLength(1));
  transport.last.say({
    type: "ok",
    id: transport.last.of("models")[0]?.id ?? "",
    models: [
      { id: "demo/fast", provider: "demo", name: "fast" },
      { id: "demo/slow", provider: "demo", name: "slow" },
    ],
    default: "demo/fast",
    problems: [{ provider: "openai", message: "No key." }],
  });
  await vi.waitFor(() => expect(find("select").querySelectorAll("option")).toHaveLength(3));
}

function find<Found extends HTMLElement = HTMLElement>(selector: string): Found {
  const found = element.querySelector<Found>(selector);
  if (found === null) throw new Error(`no ${selector} in ${element.innerHTML}`);
  return found;
}

async function write(text: string): Promise<HTMLTextAreaElement> {
  const field = find<HTMLTextAreaElement>("textarea");
  field.value = text;
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  await vi.waitFor(() => {
    const send = element.querySelector<HTMLButtonElement>("[aria-label=Send]");
    expect(send?.disabled ?? true).toBe(text.trim() === "");
  });
  return field;
}

function press(key: string, init: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init });
  find("textarea").dispatchEvent(event);
  return event;
}

/** Send, and let the relay take it. Returns the run. */
async function ask(text: string): Promise<string> {
  await write(text);
  press("Enter");
  const send = transport.last.of("send").at(-1);
  const run = send?.run ?? "";
  transport.last.events("c1", { type: "message", t: 0, message: { id: `m${run}`, role: "user", parts: [{ type: "text", text }], parent: null, run } });
  start(run, `m${run}`);
  transport.last.say({ type: "ok", id: send?.id ?? "", run, message: `a${run}`, duplicate: false });
  await vi.waitFor(() => expect(element.querySelector(".streamchat-answer")).not.toBeNull());
  return run;
}

function start(run: string, parent: string | null): void {
  transport.last.events("c1", { type: "start", t: 0, run, message: { id: `a${run}`, role: "assistant", parent }, model: "demo/fast", provider: "demo" });
}

function stream(run: string, ...deltas: string[]): void {
  const events: Event[] = [{ type: "text-start", t: 1, run, part: "1" }];
  for (const delta of deltas) events.push({ type: "text-delta", t: 2, run, part: "1", delta });
  transport.last.events("c1", ...events);
}

function finish(run: string): void {
  transport.last.events(
    "c1",
    { type: "text-end", t: 3, run, part: "1" },
    {
      type: "finish", t: 4, run, finish_reason: "stop", raw_reason: "stop",
      usage: { input: 3, output: 20, estimated: true }, timing: { total_ms: 900, ttft_ms: 412, output_per_s: 52.7 },
    },
  );
}

const shows = (text: string | RegExp) =>
  vi.waitFor(() => expect(element.textContent).toMatch(text));

describe("the composer", () => {
  it("sends with Enter, and is empty then", async () => {
    await ready({ model: "demo/slow", params: { system: "be brief" } });
    const field = await write("hello");
    expect(press("Enter").defaultPrevented).toBe(true);
    expect(transport.last.of("send")).toMatchObject([
      { conversation: "c1", model: "demo/slow", params: { system: "be brief" }, message: { parts: [{ type: "text", text: "hello" }] } },
    ]);
    await vi.waitFor(() => expect(field.value).toBe(""));
  });

  it("sends what stands in the field, once, however busy the page is", async () => {
    await ready();
    // No wait between the input and the keys: nothing is drawn in between.
    const field = find<HTMLTextAreaElement>("textarea");
    field.value = "typed on a busy page";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    press("Enter");
    press("Enter");
    expect(transport.last.of("send")).toMatchObject([
      { message: { parts: [{ type: "text", text: "typed on a busy page" }] } },
    ]);
  });

  it("breaks the line with Shift+Enter, and leaves the Enter of a composition alone", async () => {
    await ready();
    await write("hello");
    expect(press("Enter", { shiftKey: true }).defaultPrevented).toBe(false);
    expect(press("Enter", { isComposing: true }).defaultPrevented).toBe(false);
    expect(press("Enter", { keyCode: 229 }).defaultPrevented).toBe(false);
    expect(transport.last.of("send")).toHaveLength(0);
  });

  it("sends nothing that is only space", async () => {
    await ready();
    await write(" \n ");
    press("Enter");
    expect(transport.last.of("send")).toHaveLength(0);
  });

  it("keeps its keys from the page's shortcuts", async () => {
    await ready();
    const heard = vi.fn();
    document.addEventListener("keydown", heard);
    press("d");
    document.removeEventListener("keydown", heard);
    expect(heard).not.toHaveBeenCalled();
    expect(find(".streamchat").dataset["lmSuppressShortcuts"]).toBe("true");
  });
});

describe("a prompt", () => {
  it("shows at once, with Stop, before the relay has said anything", async () => {
    await ready();
    await write("hello");
    press("Enter");
    await shows("Sending…");
    expect(find(".streamchat-prompt").textContent).toBe("hello");
    find("[aria-label=Stop]").click();
    expect(transport.last.of("stop")[0]?.run).toBe(transport.last.of("send")[0]?.run);
    await shows("Stopping…");
  });

  it("keeps its nodes when the log takes it over", async () => {
    await ready();
    await write("hello");
    press("Enter");
    await shows("Sending…");
    const nodes = [find(".streamchat-prompt"), find(".streamchat-answer")];
    const run = transport.last.of("send")[0]?.run ?? "";
    transport.last.events("c1", { type: "message", t: 0, message: { id: "m", role: "user", parts: [{ type: "text", text: "hello" }], parent: null, run } });
    start(run, "m");
    await shows("Queued…");
    expect([find(".streamchat-prompt"), find(".streamchat-answer")]).toEqual(nodes);
    expect(element.querySelectorAll(".streamchat-prompt, .streamchat-answer")).toHaveLength(2);
  });

  it("that is refused goes back into the composer, with the reason", async () => {
    await ready();
    const field = await write("hello");
    press("Enter");
    await vi.waitFor(() => expect(field.value).toBe(""));
    await write("meanwhile");
    transport.last.say({
      type: "fail",
      id: transport.last.of("send")[0]?.id ?? "",
      error: { code: "model_unknown", message: "No model “x”.", retryable: false },
    });
    await vi.waitFor(() => expect(field.value).toBe("hello\n\nmeanwhile"));
    await shows("No model “x”.");
    expect(element.querySelector(".streamchat-prompt")).toBeNull();
  });

  it("goes to the picked model once, then to the one the conversation uses", async () => {
    await ready();
    const picker = find<HTMLSelectElement>("select");
    picker.value = "demo/slow";
    picker.dispatchEvent(new window.Event("change", { bubbles: true }));
    await ask("hello");
    expect(transport.last.of("send")[0]?.model).toBe("demo/slow");
    transport.last.events("c1", { type: "settings", t: 0, model: "demo/fast" });
    await vi.waitFor(() => expect(find<HTMLSelectElement>("select").value).toBe("demo/fast"));
  });
});

describe("an answer", () => {
  it("grows as Markdown without its nodes being made anew, and ends with its figures", async () => {
    await ready();
    const run = await ask("hello");
    stream(run, "# One\n\n", "a **b");
    await vi.waitFor(() => expect(find(".streamchat-content").textContent).toBe("Onea b"));
    const bold = find(".streamchat-content strong");
    const heading = find(".streamchat-content h1");
    transport.last.events("c1", { type: "text-delta", t: 2, run, part: "1", delta: "** c" });
    await vi.waitFor(() => expect(find(".streamchat-content").textContent).toBe("Onea b c"));
    expect(find(".streamchat-content h1")).toBe(heading);
    expect(find(".streamchat-content strong")).toBe(bold);
    finish(run);
    await vi.waitFor(() => expect(find(".streamchat-content").innerHTML).toBe("<h1>One</h1><p>a <strong>b</strong> c</p>"));
    await shows("0.41 s to first token");
    expect(element.textContent).toContain("~53 tokens/s");
    expect(element.textContent).toContain("demo/fast");
    expect(element.querySelector("[aria-label=Stop]")).toBeNull();
  });

  it("is announced by sentence, not word by word", async () => {
    await ready();
    const run = await ask("hello");
    stream(run, "words");
    await vi.waitFor(() => expect(find("[role=status]").textContent).toBe("Answering…"));
    expect(element.querySelector(".streamchat-content")?.closest("[aria-live]")).toBeNull();
    transport.last.events("c1", { type: "text-delta", t: 2, run, part: "1", delta: " are **here**. More" });
    await vi.waitFor(() => expect(find("[role=status]").textContent).toBe("words are here."));
    finish(run);
    await vi.waitFor(() => expect(find("[role=status]").textContent).toBe("More Answer complete."));
  });

  it("is announced only by how it stands where a person wants that", async () => {
    const { value } = pagePreferences();
    pagePreferences().set({ ...value, readAloud: false });
    await ready();
    const run = await ask("hello");
    stream(run, "One. Two. Three");
    await vi.waitFor(() => expect(find("[role=status]").textContent).toBe("Answering…"));
    finish(run);
    await vi.waitFor(() => expect(find("[role=status]").textContent).toBe("Answer complete."));
    pagePreferences().set(value);
  });

  it("that is stopped is read no further", async () => {
    await ready();
    const run = await ask("hello");
    stream(run, "One. Two");
    await vi.waitFor(() => expect(find("[role=status]").textContent).toBe("One."));
    find("[aria-label=Stop]").click();
    await vi.waitFor(() => expect(find("[role=status]").textContent).toBe("Stopping…"));
  });

  it("that failed keeps what came, says why, and can be tried again", async () => {
    await ready();
    const run = await ask("hello");
    stream(run, "partial");
    transport.last.events(
      "c1",
      { type: "text-end", t: 3, run, part: "1" },
      { type: "error", t: 4, run, error: { code: "provider_overloaded", message: "Overloaded. Try again.", retryable: true } },
    );
    await shows("Overloaded. Try again.");
    expect(element.textContent).toContain("partial");
    const retry = [...element.querySelectorAll("button")].find((one) => one.textContent?.includes("Retry"));
    retry?.click();
    const again = transport.last.of("send")[1];
    expect(again).toMatchObject({ parent: `m${run}` });
    expect(again).not.toHaveProperty("message");
    await vi.waitFor(() => expect(element.textContent).not.toContain("partial"));
    expect(element.querySelectorAll(".streamchat-prompt")).toHaveLength(1);
  });

  it("is stopped by Escape, the oldest first", async () => {
    await ready();
    const run = await ask("hello");
    await write("more");
    press("Enter");
    press("Escape");
    await vi.waitFor(() => expect(transport.last.of("stop").map((stop) => stop.run)).toEqual([run]));
    await shows("Stopping…");
    press("Escape");
    const second = transport.last.of("send")[1]?.run;
    expect(transport.last.of("stop").map((stop) => stop.run)).toEqual([run, second]);
  });

  it("survives a snapshot without losing or doubling a letter", async () => {
    await ready();
    const run = await ask("hello");
    stream(run, "one ");
    await shows("one");
    const message = { id: `a${run}`, role: "assistant" as const, parent: `m${run}`, run, parts: [{ type: "text" as const, id: "1", text: "one two", open: true }] };
    transport.last.say({
      type: "snapshot", conversation: "c1", epoch: "e2", seq: 9,
      state: { messages: [message], runs: { [run]: { id: run, message: message.id, model: "m", provider: "p", state: "running" } }, settings: { model: "", params: {} }, title: "" },
    });
    transport.last.say({ type: "events", conversation: "c1", epoch: "e2", from: 10, to: 10, events: [{ type: "text-delta", t: 2, run, part: "1", delta: " three" }] });
    await vi.waitFor(() => expect(find(".streamchat-content").textContent).toBe("one two three"));
  });
});

describe("a reply view", () => {
  it("shows only its run's answer, with Stop, and no composer", async () => {
    mount({ run: "r1" });
    await vi.waitFor(() => expect(transport.links).toHaveLength(1));
    transport.last.greet();
    transport.last.opened("c1");
    start("r0", null);
    stream("r0", "not this");
    start("r1", null);
    transport.last.events("c1", { type: "status", t: 0, run: "r1", state: "queued", position: 2 });
    await shows("Queued, 2nd in line…");
    stream("r1", "this");
    await vi.waitFor(() => expect(find(".streamchat-content").textContent).toBe("this"));
    expect(element.textContent).not.toContain("not this");
    expect(element.querySelector("textarea, select")).toBeNull();
    [...element.querySelectorAll("button")].find((one) => one.textContent?.includes("Stop"))?.click();
    expect(transport.last.of("stop")).toMatchObject([{ run: "r1" }]);
  });
});

function evilRun(): string {
  return '"><img src=x onerror=alert(1)>';
}

describe("what cannot be shown says so", () => {
  it.each([["../etc"], [""], ["x".repeat(65)], [7], ["<img src=x>"]])("a forged id %j", (conversation) => {
    mount({ conversation });
    expect(element.textContent).toContain("id is not valid");
    expect(transport.links).toHaveLength(0);
  });

  it("a forged model and forged parameters are words and fields of a prompt", async () => {
    const evil = '<img src="https://evil.example/x" onerror="alert(1)">';
    mount({ model: evil, params: { system: evil, ["__proto__"]: { polluted: true } } });
    await vi.waitFor(() => expect(transport.links).toHaveLength(1));
    transport.last.greet();
    transport.last.opened("c1");
    await vi.waitFor(() => expect(find("select").textContent).toContain(evil));
    expect(element.querySelector("img, script, iframe, [onerror]")).toBeNull();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([[evilRun()], [7], [{}]])("a forged run %j", async (run) => {
    mount({ run });
    expect(element.querySelector("img, script, iframe, [onerror]")).toBeNull();
  });

  it("a page without a Jupyter server", () => {
    delete page[KEY];
    mount();
    expect(element.textContent).toContain("does not know a Jupyter server");
  });
});

describe("lifetimes", () => {
  it("end with the signal or the cleanup, and leave nothing in the page", async () => {
    await ready();
    lifetime.abort();
    expect(element.childNodes).toHaveLength(0);
    lifetime = new AbortController();
    const cleanUp = mount();
    cleanUp();
    expect(element.childNodes).toHaveLength(0);
  });
});

describe("what is left", () => {
  it("is not spoken of while nothing has an end", async () => {
    transport.usage = { tokens_today: { used: 5000 } };
    await ready();
    expect(element.querySelector(".streamchat-left")).toBeNull();
  });

  it("is told of what is nearest its end, and anew when an answer has ended", async () => {
    transport.usage = {
      tokens_today: { used: 40_000, limit: 100_000 },
      usd_today: { used: 1.5, limit: 2 },
      tokens_in_conversation: { used: 0 },
    };
    await ready();
    await vi.waitFor(() => expect(find(".streamchat-left").textContent).toBe("about $0.50 of $2.00 left today"));
    expect(find(".streamchat-left").title).toBe("about $0.50 of $2.00 left today\n60,000 of 100,000 tokens left today");
    transport.usage = { tokens_today: { used: 99_000, limit: 100_000 } };
    const message = { id: "m1", role: "assistant", parent: null } as const;
    transport.last.events(
      "c1",
      { type: "start", run: "r1", t: 0, message, model: "demo/fast", provider: "demo" },
      { type: "abort", run: "r1", t: 1, reason: "budget" },
    );
    await vi.waitFor(() => expect(find(".streamchat-left").textContent).toBe("1K of 100K tokens left today"));
    expect(find(".streamchat-left").className).toContain("streamchat-little");
  });
});

it("an answer says how many messages its model was not told", async () => {
  await ready();
  const message = { id: "m1", role: "assistant", parent: null } as const;
  transport.last.events(
    "c1",
    { type: "start", run: "r1", t: 0, message, model: "demo/fast", provider: "demo" },
    { type: "status", run: "r1", t: 0, state: "running", left_out: 3 },
    { type: "text-start", run: "r1", t: 1, part: "1" },
    { type: "abort", run: "r1", t: 1, reason: "user" },
  );
  await vi.waitFor(() => expect(find(".streamchat-figures").textContent).toContain("3 earlier messages left out"));
});

describe("a tool call", () => {
  const call = (...events: Partial<Event>[]): void =>
    transport.last.events("c1", ...events.map((event) => ({ t: 1, run: "r1", part: "1", ...event }) as Event));
  const named = (label: string): HTMLButtonElement => {
    const found = [...element.querySelectorAll("button")].find((button) => button.textContent === label);
    if (found === undefined) throw new Error(`no button ${label}`);
    return found;
  };

  const asked = async (): Promise<void> => {
    await ready();
    start("r1", null);
    call(
      { type: "status", state: "running" } as Partial<Event>,
      { type: "tool-input-start", name: "remove" },
      { type: "tool-input-available", name: "remove", input: { path: "<b>a</b>.csv" } },
      { type: "tool-approval-request", digest: "d1" },
    );
    await vi.waitFor(() => expect(element.querySelector(".streamchat-asked")).not.toBeNull());
  };

  it("that needs somebody's decision shows all that it would do, and waits", async () => {
    await asked();
    expect(find(".streamchat-asked").textContent).toContain("Run remove in your kernel?");
    expect(find(".streamchat-asked pre").textContent).toBe('{\n  "path": "<b>a</b>.csv"\n}');
    expect(find(".streamchat-progress").textContent).toBe("Waiting for your decision…");
    expect(find("[role=status]").textContent).toBe("Waiting for your decision…");
  });

  it("is shown with the numbers that would run, also those that JavaScript would round", async () => {
    await ready();
    start("r1", null);
    const text = '{"amount": 12345678901234567890, "big": [-9007199254740993, 1.5e3], "text": "1234567890123456789"}';
    call(
      { type: "tool-input-start", name: "pay" },
      { type: "tool-input-delta", delta: text },
      { type: "tool-input-available", name: "pay", input: JSON.parse(text) },
      { type: "tool-approval-request", digest: "d1" },
    );
    await vi.waitFor(() => expect(element.querySelector(".streamchat-asked")).not.toBeNull());
    expect(find(".streamchat-asked pre").textContent?.replace(/\s+/g, " ")).toBe(
      '{ "amount": 12345678901234567890, "big": [ -9007199254740993, 1500 ], "text": "1234567890123456789" }',
    );
  });

  it("shows what is not meant to be seen, and a name of any length", async () => {
    await ready();
    start("r1", null);
    call(
      { type: "tool-input-start", name: "x".repeat(100) },
      { type: "tool-input-available", name: "x", input: { path: "a\u202Evsc.exe", html: "<img src=x onerror=alert(1)>" } },
      { type: "tool-approval-request", digest: "d1" },
    );
    await vi.waitFor(() => expect(element.querySelector(".streamchat-asked")).not.toBeNull());
    expect(find(".streamchat-asked pre").textContent).toContain("a⟨U+202E⟩vsc.exe");
    expect(element.querySelector("img")).toBeNull();
    call({ type: "tool-output-error", error: "There is no such tool." });
    await vi.waitFor(() => expect(find("summary code").textContent).toBe("x".repeat(64)));
  });

  it("is allowed once, for what was seen", async () => {
    await asked();
    named("Allow once").click();
    await vi.waitFor(() => expect(transport.last.of("approve")).toHaveLength(1));
    expect(transport.last.of("approve")[0]).toMatchObject({ run: "r1", part: "1", digest: "d1", allow: true });
    await vi.waitFor(() => expect(named("Allow once").disabled).toBe(true));
    call({ type: "tool-approval-response", allowed: true });
    await vi.waitFor(() => expect(find(".streamchat-progress").textContent).toBe("Running remove…"));
    call({ type: "tool-output-available", output: "gone" });
    await vi.waitFor(() => expect(find("summary").textContent).toContain("remove"));
    expect(element.querySelector(".streamchat-asked")).toBeNull();
    find("summary").click();
    await vi.waitFor(() => expect(find(".streamchat-tool").textContent).toContain("→ gone"));
  });

  it("that is not allowed says so, and a decision that comes too late says why", async () => {
    await asked();
    named("Don’t allow").click();
    await vi.waitFor(() => expect(transport.last.of("approve")[0]?.allow).toBe(false));
    const error = { code: "conflict", message: "This call was decided already.", retryable: false } as const;
    transport.last.say({ type: "fail", id: transport.last.of("approve")[0]?.id ?? "", error });
    await vi.waitFor(() => expect(find(".streamchat-asked").textContent).toContain("was decided already"));
    call({ type: "tool-approval-response", allowed: false }, { type: "tool-output-error", error: "No." });
    await vi.waitFor(() => expect(find(".streamchat-failed").textContent).toContain("not allowed"));
  });
});
