// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../../src/connection.ts";
import type { Event, Message } from "../../src/protocol/frames.gen.ts";
import { setTranslation, trans, type TranslationBundle } from "../../src/translation.ts";
import { duration, ordinal, plain } from "../../src/view/numbers.ts";
import * as strings from "../../src/view/strings.ts";
import widget from "../../src/widget.ts";
import { FakeTransport } from "../fakes/transport.ts";

afterEach(() => setTranslation(null));

/** Marks what is said, and leaves what is filled in. */
const marked: TranslationBundle = {
  __: (text, ...values) => `⟦${text.replace(/%(\d)/g, (mark, place) => String(values[place - 1] ?? mark))}⟧`,
  _n: (one, many, count, ...values) => marked.__(count === 1 ? one : many, count, ...values),
};

/** What stands outside of all marks. */
function unmarked(text: string): string {
  let left = text.replace(/https:[/\w%]+/g, "");
  for (let before = ""; before !== left; ) [before, left] = [left, left.replace(/⟦[^⟦⟧]*⟧/g, "")];
  return left;
}

describe("the words of a chat", () => {
  it("take their arguments as JupyterLab fills them in", () => {
    expect(trans.__("%2 of %1, 100 %%", 1, "%1")).toBe("%1 of 1, 100 %");
    expect(trans._n("%1 message", "%1 messages", 1)).toBe("1 message");
    expect(trans._n("%2 token", "%2 tokens", 7, "~7")).toBe("~7 tokens");
  });

  it("are English until a translation comes, then its own, with its numbers", () => {
    expect([strings.placeInQueue(ordinal(22)), duration(0.416), plain(12345)]).toEqual(["Queued, 22nd in line…", "0.42 s", "12345"]);
    expect([11, 12, 13, 101, 3].map(ordinal)).toEqual(["11th", "12th", "13th", "101st", "3rd"]);
    setTranslation({ ...marked, __: (text, ...values) => (text === "%1 s" ? `${values[0]} Sek.` : text) }, "de_DE");
    expect([ordinal(22), duration(0.416), strings.send()]).toEqual(["22", "0,42 Sek.", "Send"]);
    setTranslation(marked, "no such language");
    expect(plain(1.5, 1)).toBe("1.5");
  });
});

/** All that a person may say here is Greek: a Latin letter outside of the marks is a word that was not translated. */
describe("a translation", () => {
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

  const mount = (run = ""): void => {
    const traits: Record<string, unknown> = { conversation: "c1", run, model: "", params: {} };
    widget.render({ model: { get: (name) => traits[name], on() {}, off() {}, send() {} }, el: element, signal: lifetime.signal });
  };

  const untranslated = (): string[] => {
    const found: string[] = [];
    const shown = [...element.querySelectorAll("*")].flatMap((one) =>
      ["aria-label", "title", "placeholder", "alt", "label"].map((name) => one.getAttribute(name) ?? ""),
    );
    for (const text of [element.textContent ?? "", ...shown]) found.push(...(unmarked(text).match(/.{0,20}[A-Za-z].{0,20}/g) ?? []));
    return found;
  };

  const models = async (): Promise<void> => {
    await vi.waitFor(() => expect(transport.links).toHaveLength(1));
    transport.last.greet();
    transport.last.opened("c1");
    await vi.waitFor(() => expect(transport.last.of("models")).toHaveLength(1));
    const id = transport.last.of("models")[0]?.id ?? "";
    const all = ["α", "β"].map((name) => ({ id: `π/${name}`, provider: "π", name }));
    transport.last.say({ type: "ok", id, models: all, default: "π/α", problems: [{ provider: "ω", message: "Λ." }] });
  };

  const prompt = (run: string, parent: string | null, parts: Message["parts"] = [{ type: "text", text: "ερώτηση" }]): Event => ({
    type: "message",
    t: 0,
    message: { id: `m${run}`, role: "user", parts, parent, run },
  });
  const start = (run: string, parent: string): Event => ({
    type: "start",
    t: 0,
    run,
    message: { id: `a${run}`, role: "assistant", parent },
    model: "π/α",
    provider: "π",
  });
  const said = (run: string, text: string): Event[] => [
    { type: "text-start", t: 1, run, part: "1" },
    { type: "text-delta", t: 2, run, part: "1", delta: text },
    { type: "text-end", t: 3, run, part: "1" },
  ];
  const finish = (run: string, finish_reason: "stop" | "length" = "stop"): Event => ({
    type: "finish", t: 4, run, finish_reason, raw_reason: "stop",
    usage: { input: 3, output: 20, cached: 1, reasoning: 2 }, timing: { total_ms: 900, ttft_ms: 412, output_per_s: 52.7 },
  });

  it("reaches every control of a chat that is drawn already, in all its states", async () => {
    transport.usage = { tokens_today: { used: 99_000, limit: 100_000 }, usd_today: { used: 1.5, limit: 2 } };
    mount();
    await models();
    const markdown = "> [!NOTE]\n> α\n\n- [x] α\n- [ ] β\n\n![γ](https://ε/ζ)\n\nα[^1]\n\n[^1]: β\n\n```\n" + "α\n".repeat(50) + "```\n";
    transport.last.events(
      "c1",
      { type: "title", t: 0, title: "τίτλος" },
      prompt("1", null, [{ type: "file", id: "f", url: "blob:sha256/0", media_type: "text/plain", name: "α" }, { type: "text", text: "ερώτηση" }]),
      start("1", "m1"), ...said("1", "α"), finish("1", "length"),
      start("2", "m1"),
      { type: "reasoning-start", t: 1, run: "2", part: "0" },
      { type: "reasoning-delta", t: 1, run: "2", part: "0", delta: "α" },
      { type: "reasoning-end", t: 1300, run: "2", part: "0" },
      ...said("2", markdown),
      { type: "status", run: "2", t: 0, state: "running", left_out: 3 },
      finish("2"),
      prompt("3", "a2"), start("3", "m3"), { type: "error", t: 4, run: "3", error: { code: "internal", message: "Λ.", retryable: true } },
      prompt("4", "a3"), start("4", "m4"), { type: "abort", t: 4, run: "4", reason: "budget" },
      prompt("5", "a4"), start("5", "m5"),
      { type: "status", run: "5", t: 0, state: "running" },
      { type: "tool-input-start", t: 1, run: "5", part: "1", name: "μ" },
      { type: "tool-input-available", t: 1, run: "5", part: "1", name: "μ", input: {} },
      { type: "tool-approval-request", t: 1, run: "5", part: "1", digest: "d" },
      { type: "tool-input-start", t: 1, run: "5", part: "2", name: "ν" },
      { type: "tool-input-available", t: 1, run: "5", part: "2", name: "ν", input: {} },
      { type: "tool-output-error", t: 1, run: "5", part: "2", error: "Λ." },
      prompt("6", "a5"), start("6", "m6"),
    );
    await vi.waitFor(() => expect(element.querySelectorAll(".streamchat-prompt")).toHaveLength(5));
    await vi.waitFor(() => expect(element.querySelector(".streamchat-left")).not.toBeNull());
    expect(untranslated()).not.toEqual([]);
    lifetime.abort();
    lifetime = new AbortController();
    setTranslation(marked, "el");
    mount();
    await vi.waitFor(() => expect(element.querySelectorAll(".streamchat-prompt")).toHaveLength(5));
    await vi.waitFor(() => expect(element.querySelector(".streamchat-left")).not.toBeNull());
    expect(element.querySelectorAll("[aria-label], [title]").length).toBeGreaterThan(50);
    for (const drawn of [".streamchat-md-folded", ".streamchat-md-alert", "[aria-label='⟦To do⟧']", ".streamchat-md-footnotes", ".streamchat-asked"]) {
      expect(element.querySelector(drawn), drawn).not.toBeNull();
    }
    expect(untranslated()).toEqual([]);
    for (const label of ["⟦Edit prompt⟧", "⟦Choose another model⟧", "⟦Rename this conversation⟧"]) {
      [...element.querySelectorAll<HTMLElement>(`[aria-label="${label}"]`)].at(-1)?.click();
    }
    await vi.waitFor(() => expect(element.querySelector("[role=menu], .streamchat-editor")).not.toBeNull());
    expect(untranslated()).toEqual([]);
  });

  it("reaches a chat that is on the screen already", async () => {
    mount();
    await models();
    await vi.waitFor(() => expect(element.querySelector("[aria-label='Attach files']")).not.toBeNull());
    setTranslation(marked, "el");
    await vi.waitFor(() => expect(element.querySelector("[aria-label='⟦Attach files⟧']")).not.toBeNull());
    expect(untranslated()).toEqual([]);
  });
});
