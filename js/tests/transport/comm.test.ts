import { beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../../src/connection.ts";
import type { ConversationStore } from "../../src/conversation.ts";
import { kernelConnection } from "../../src/kernel.ts";
import { EMPTY, fold, textOf } from "../../src/model/reduce.ts";
import { HEEDED_MS, OPENS_MS, SIGN_MS, SILENT_MS, commTransport } from "../../src/transport/comm.ts";
import { FakeKernel, type Message } from "../fakes/kernel.ts";
import { CONVERSATION } from "../fakes/relay.ts";

const RUN = "r1";

let kernel: FakeKernel;
let connection: Connection;
let lifetime: AbortController;
let store: ConversationStore;

beforeEach(() => {
  vi.useFakeTimers();
  kernel = new FakeKernel();
  lifetime = new AbortController();
  connection = new Connection(commTransport(kernel.model, lifetime.signal), () => 0);
});

function follow(): void {
  connection.hold(lifetime.signal);
  store = connection.follow(CONVERSATION, lifetime.signal);
}

/** Let everything arrive that can. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) {
    await vi.advanceTimersByTimeAsync(0);
    kernel.flush();
  }
  await vi.advanceTimersByTimeAsync(0);
}

/** Let time pass, in which the kernel gives its signs of life. */
async function pass(ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 1000) {
    await vi.advanceTimersByTimeAsync(1000);
    kernel.flush();
  }
}

async function live(): Promise<void> {
  follow();
  await settle();
  expect(connection.status.kind).toBe("live");
}

function begin(): void {
  const message = { id: "m1", role: "assistant", parent: null } as const;
  kernel.relay.append({ type: "start", run: RUN, t: 0, message, model: "m", provider: "p" });
  kernel.relay.append({ type: "text-start", run: RUN, t: 0, part: "1" });
}

function say(delta: string): void {
  kernel.relay.append({ type: "text-delta", run: RUN, t: 1, part: "1", delta });
}

function shown(): string {
  return store.state.messages.map(textOf).join("");
}

function links(): number {
  return new Set(kernel.taken.map((message) => message.link)).size;
}

describe("a link", () => {
  it("opens, follows and shows", async () => {
    await live();
    begin();
    say("Once ");
    say("upon");
    await settle();
    expect(shown()).toBe("Once upon");
    expect(connection.relay).toBe("kernel");
    expect(links()).toBe(1);
  });

  it("numbers what it sends, and joins what is sent at once", async () => {
    await live();
    const before = kernel.taken.length;
    connection.stop(store, "r7");
    connection.refreshCatalog();
    await settle();
    expect(kernel.taken.slice(before).map((message) => message.frames?.length)).toEqual([2]);
    const numbers = kernel.taken.map((message) => message.n);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  it("gives a sign of life", async () => {
    await live();
    const before = kernel.taken.length;
    await pass(SIGN_MS);
    expect(kernel.taken.slice(before).some((message) => message.frames?.length === 0)).toBe(true);
    expect(links()).toBe(1);
  });

  it("leaves nothing behind", async () => {
    await live();
    lifetime.abort();
    await settle();
    expect(kernel.open).toEqual([]);
    expect(kernel.listeners).toBe(0);
  });

  it("ignores what is no message of ours, and what is another page's", async () => {
    await live();
    for (const content of [null, 7, {}, { type: "link" }, { type: "link", link: 3 }, { type: "shown" }]) {
      kernel.emit("msg:custom", content);
    }
    kernel.say({ link: "another", n: 1, got: 0, frames: [{ type: "bye", error: { code: "internal", message: "", retryable: false } }] });
    kernel.say({ link: "another", closed: 4403 });
    await settle();
    expect(connection.status.kind).toBe("live");
    expect(links()).toBe(1);
  });

  it("is one for all views of a widget", async () => {
    const name = "k".repeat(24);
    const made = kernelConnection(name, kernel.model, lifetime.signal);
    expect(kernelConnection(name, new FakeKernel().model, lifetime.signal)).toBe(made);
    made.hold(lifetime.signal);
    made.hold(lifetime.signal);
    await settle();
    expect(kernel.open).toHaveLength(1);
    lifetime.abort();
    const { signal } = new AbortController();
    expect(kernelConnection(name, kernel.model, signal)).not.toBe(made);
  });
});

describe("what a comm loses, doubles and turns round", () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))("is healed, with seed %i", async (seed) => {
    let state = seed + 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    await live();
    begin();
    await settle();
    let late: Message[] = [];
    kernel.bend = (message) => {
      const arrive = [...late];
      late = [];
      switch (random(6)) {
        case 0:
          return arrive;
        case 1:
          return [...arrive, message, message];
        case 2:
          late = [message];
          return arrive;
        case 3:
          return [message, ...arrive];
        default:
          return [...arrive, message];
      }
    };
    let said = "";
    for (let turn = 0; turn < 60; turn += 1) {
      for (let count = random(4); count > 0; count -= 1) {
        const delta = ["word ", "ä", "漢字", "😀", "\n", "\u2028"][random(6)] ?? "";
        said += delta;
        say(delta);
      }
      kernel.flush();
      await vi.advanceTimersByTimeAsync(random(50));
    }
    kernel.relay.append({ type: "text-end", run: RUN, t: 2, part: "1" });
    kernel.bend = (message) => [message];
    await pass(60_000);
    expect(shown()).toBe(said);
    expect(store.state).toEqual(fold(EMPTY, kernel.relay.log));
    expect(connection.status.kind).toBe("live");
  });

  it("costs a new link only where something is missing", async () => {
    await live();
    begin();
    kernel.bend = (message) => [message, message];
    say("twice");
    await settle();
    expect([shown(), links()]).toEqual(["twice", 1]);
    let lost = 0;
    kernel.bend = (message) => ((message.frames?.length ?? 0) > 0 && lost++ === 0 ? [] : [message]);
    say(" gone");
    await settle();
    await settle();
    expect([shown(), links(), lost > 0]).toEqual(["twice gone", 2, true]);
    expect(kernel.open).toHaveLength(1);
  });

  it("shows by the next sign of life, where it was the last message", async () => {
    await live();
    begin();
    await settle();
    kernel.bend = () => [];
    say("the end");
    kernel.flush();
    kernel.bend = (message) => [message];
    expect(shown()).toBe("");
    await pass(5_000);
    expect(shown()).toBe("the end");
  });
});

describe("a kernel", () => {
  it("that has forgotten a link is asked for another", async () => {
    await live();
    kernel.say({ link: kernel.open[0] ?? "", closed: null });
    await settle();
    await settle();
    expect(connection.status.kind).toBe("live");
    expect(links()).toBe(2);
  });

  it("that computes is said to hear nothing, until it does", async () => {
    await live();
    kernel.busy = true;
    connection.stop(store, RUN);
    await pass(HEEDED_MS + 1000);
    expect(connection.blocked).toBe(true);
    // Its thread still speaks.
    begin();
    say("on and on");
    await settle();
    await pass(120_000);
    expect([shown(), connection.status.kind, links()]).toEqual(["on and on", "live", 1]);
    kernel.busy = false;
    await settle();
    expect(connection.blocked).toBe(false);
    expect(kernel.taken.some((message) => JSON.stringify(message).includes('"stop"'))).toBe(true);
  });

  it.each(["comm_live_update", "comm:close"])("that ends (%s) leaves what came, and a line", async (event) => {
    await live();
    begin();
    say("half of it");
    await settle();
    kernel.dead = true;
    kernel.emit(event);
    await pass(2000);
    expect(connection.status).toMatchObject({ kind: "ended", reason: { message: expect.stringContaining("Run the cell again") } });
    expect(shown()).toBe("half of it");
    expect(store.state.runs[RUN]?.state).toBe("error");
    expect(store.state.messages[0]?.parts[0]).not.toMatchObject({ open: true });
    const { result } = connection.send(store, { text: "Are you there?" });
    expect((await result).kind).toBe("refused");
    expect(vi.getTimerCount()).toBeLessThan(3);
  });

  it("whose comm throws has ended, too", async () => {
    await live();
    kernel.model.send = () => {
      throw new Error("Cannot send");
    };
    connection.stop(store, RUN);
    await pass(2000);
    expect(connection.status.kind).toBe("ended");
  });

  it("that is silent for long is looked for, and found again", async () => {
    await live();
    kernel.dead = true;
    await pass(SILENT_MS + OPENS_MS + 4000);
    expect(connection.status).toMatchObject({ kind: "reconnecting", reason: { message: expect.stringContaining("does not answer") } });
    kernel.dead = false;
    begin();
    say("back");
    await pass(60_000);
    expect([connection.status.kind, shown()]).toEqual(["live", "back"]);
  });
});
