// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../../src/connection.ts";
import type { View } from "../../src/protocol/frames.gen.ts";
import { AGAIN_MS, PAUSE_MS, SEEN_MS } from "../../src/view/presence.ts";
import widget from "../../src/widget.ts";
import { FakeTransport } from "../fakes/transport.ts";

const KEY = Symbol.for("jupyter_streamchat.connection/3");
const page = globalThis as { [KEY]?: Connection };

let transport: FakeTransport;
let element: HTMLElement;
let lifetime: AbortController;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] });
  transport = new FakeTransport();
  page[KEY] = new Connection(transport, () => 1);
  element = document.createElement("div");
  document.body.append(element);
  lifetime = new AbortController();
  const traits: Record<string, unknown> = { conversation: "c1", run: "", model: "demo/fast", params: {} };
  widget.render({ model: { get: (name) => traits[name], on() {}, off() {}, send() {} }, el: element, signal: lifetime.signal });
  await pass(300);
  transport.last.greet();
  transport.last.opened("c1");
  await pass();
});

afterEach(() => {
  lifetime.abort();
  element.remove();
  delete page[KEY];
  vi.useRealTimers();
});

const pass = (ms = 50): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const said = () => transport.last.of("presence").map(({ typing, seen }) => ({ typing, seen }));
const field = (): HTMLTextAreaElement => element.querySelector("textarea") as HTMLTextAreaElement;

async function type(text: string): Promise<void> {
  field().value = text;
  field().dispatchEvent(new InputEvent("input", { bubbles: true }));
  await pass();
}

async function others(...views: View[]): Promise<void> {
  transport.last.say({ type: "views", conversation: "c1", views });
  await pass();
}

function answered(): void {
  const message = { id: "a1", role: "assistant" as const, parent: null };
  transport.last.events(
    "c1",
    { type: "start", t: 0, run: "r1", message, model: "demo/fast", provider: "demo" },
    { type: "text-start", t: 1, run: "r1", part: "1" },
    { type: "text-delta", t: 1, run: "r1", part: "1", delta: "hello" },
    { type: "text-end", t: 1, run: "r1", part: "1" },
    { type: "finish", t: 2, run: "r1", finish_reason: "stop", raw_reason: "stop", usage: { input: 1, output: 1 }, timing: { total_ms: 2 } },
  );
}

describe("a view", () => {
  it("says that it is there, and that somebody types, again while they do and once when they stop", async () => {
    expect(said()).toEqual([{ typing: false, seen: 0 }]);
    await type("H");
    await type("He");
    expect(said().slice(1)).toEqual([{ typing: true, seen: 0 }]);
    await pass(AGAIN_MS);
    await type("Hel");
    expect(said().slice(2)).toEqual([{ typing: true, seen: 0 }]);
    await pass(PAUSE_MS);
    expect(said().slice(3)).toEqual([{ typing: false, seen: 0 }]);
    await type("Hell");
    await type("");
    expect(said().slice(4)).toEqual([{ typing: true, seen: 0 }, { typing: false, seen: 0 }]);
    await pass(PAUSE_MS * 3);
    expect(said()).toHaveLength(6);
  });

  it("types no more when its prompt is sent", async () => {
    await type("Hello");
    field().dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    await pass();
    expect(said().at(-1)).toEqual({ typing: false, seen: 0 });
  });

  it("says what was seen once an answer is whole, and not while its page is hidden", async () => {
    const visible = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    answered();
    await pass(SEEN_MS * 3);
    expect(said()).toHaveLength(1);
    visible.mockReturnValue("visible");
    document.dispatchEvent(new Event("visibilitychange"));
    await pass(SEEN_MS);
    expect(said().at(-1)).toEqual({ typing: false, seen: 5 });
    visible.mockRestore();
  });

  it("shows who types elsewhere: no name for one's own tabs, and nothing else moves", async () => {
    await others({ session: "s2", user: "ada", typing: true });
    expect(element.querySelector(".streamchat-elsewhere")?.textContent).toBe("Typing in another tab…");
    await others({ session: "s2", user: "ada", typing: true }, { session: "s3", user: "user:bob", typing: true });
    expect(element.querySelector(".streamchat-elsewhere")?.textContent).toBe("bob is typing…");
    await others({ session: "s2", user: "ada" });
    expect(element.querySelector(".streamchat-elsewhere")).toBeNull();
  });

  it("counts down to the next attempt of a provider that is busy", async () => {
    const progress = (): string | null | undefined => element.querySelector(".streamchat-progress")?.textContent;
    const message = { id: "a1", role: "assistant" as const, parent: null };
    transport.last.events(
      "c1",
      { type: "start", t: 0, run: "r1", message, model: "demo/fast", provider: "demo" },
      { type: "status", t: 1, run: "r1", state: "retrying", retry_after: 4.2 },
    );
    await pass();
    expect(progress()).toBe("The provider is busy. Trying again in 5 s…");
    await pass(3000);
    expect(progress()).toBe("The provider is busy. Trying again in 2 s…");
    await pass(3000);
    expect(progress()).toBe("The provider is busy. Trying again…");
    transport.last.events(
      "c1",
      { type: "status", t: 1, run: "r1", state: "running" },
      { type: "status", t: 1, run: "r1", state: "retrying", retry_after: 9 },
    );
    await pass();
    expect(progress()).toBe("The provider is busy. Trying again in 9 s…");
  });

  it("marks the newest answer as seen when another view has seen all of it", async () => {
    answered();
    await others({ session: "s2", user: "ada", seen: 4 });
    expect(element.querySelector(".streamchat-seen")).toBeNull();
    await others({ session: "s2", user: "ada", seen: 5 });
    expect(element.querySelector(".streamchat-seen")?.getAttribute("aria-label")).toBe("Seen in another tab");
    await others();
    expect(element.querySelector(".streamchat-seen")).toBeNull();
  });
});
