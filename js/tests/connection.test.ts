import { beforeEach, describe, expect, it, vi } from "vitest";
import { Connection, LINGER_MS, randomId } from "../src/connection.ts";
import { textOf } from "../src/model/reduce.ts";
import { FakeTransport } from "./fakes/transport.ts";

let transport: FakeTransport;
let connection: Connection;
let lifetime: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  transport = new FakeTransport();
  connection = new Connection(transport, () => 1);
  lifetime = new AbortController();
});

async function live(): Promise<void> {
  connection.hold(lifetime.signal);
  transport.last.greet();
  await vi.advanceTimersByTimeAsync(0);
}

describe("one socket a page", () => {
  it("serves any number of holders and conversations, and opens each conversation once", async () => {
    await live();
    connection.hold(lifetime.signal);
    const one = connection.follow("c1", lifetime.signal);
    expect(connection.follow("c1", lifetime.signal)).toBe(one);
    expect(connection.follow("c2", lifetime.signal)).not.toBe(one);
    expect(transport.links).toHaveLength(1);
    expect(transport.last.of("open").map((open) => open.conversation)).toEqual(["c1", "c2"]);
  });

  it("closes some time after the last holder left, and opens again for the next", async () => {
    await live();
    lifetime.abort();
    await vi.advanceTimersByTimeAsync(LINGER_MS - 1);
    expect(transport.last.closed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(transport.last.closed).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(transport.links).toHaveLength(1);
    connection.hold(new AbortController().signal);
    expect(transport.links).toHaveLength(2);
  });

  it("leaves a conversation some time after its last watcher left, not before", async () => {
    await live();
    const watching = new AbortController();
    const store = connection.follow("c1", watching.signal);
    watching.abort();
    await vi.advanceTimersByTimeAsync(LINGER_MS - 1);
    expect(connection.follow("c1", lifetime.signal)).toBe(store);
    await vi.advanceTimersByTimeAsync(LINGER_MS * 2);
    expect(transport.last.of("leave")).toHaveLength(0);
  });

  it("asks for the models when it is live", async () => {
    await live();
    const id = transport.last.of("models")[0]?.id ?? "";
    transport.last.say({ type: "ok", id, models: [], default: "demo/fast", problems: [] });
    expect(connection.catalog?.default).toBe("demo/fast");
  });
});

describe("a lost link", () => {
  it("is opened again after the delay, and goes on from the cursor", async () => {
    await live();
    const store = connection.follow("c1", lifetime.signal);
    transport.last.opened("c1");
    transport.last.events("c1", { type: "title", title: "One", t: 0 });
    transport.last.cut(1006);
    expect(connection.status).toMatchObject({ kind: "reconnecting", retryAt: Date.now() + 500 });
    await vi.advanceTimersByTimeAsync(499);
    expect(transport.links).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(transport.links).toHaveLength(2);
    transport.last.greet();
    expect(connection.status.kind).toBe("live");
    expect(transport.last.of("open")).toMatchObject([{ conversation: "c1", after: 1, epoch: "e1" }]);
    expect(store.state.title).toBe("One");
  });

  it("is found by the heartbeat: a ping after silence, and the end after more", async () => {
    await live();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(transport.last.of("ping")).toHaveLength(1);
    expect(transport.last.closed).toBe(false);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(transport.links[0]?.closed).toBe(true);
    expect(connection.status.kind).toBe("reconnecting");
  });

  it("says why when it was refused, goes on trying, and forgets the reason once it is live", async () => {
    transport.reason = { code: "not_found", message: "Not enabled.", retryable: true };
    connection.hold(lifetime.signal);
    transport.last.cut(1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.status).toMatchObject({ kind: "reconnecting", reason: transport.reason });
    await vi.advanceTimersByTimeAsync(500);
    expect(transport.links).toHaveLength(2);
    expect(connection.status).toMatchObject({ kind: "reconnecting", reason: transport.reason });
    transport.last.greet();
    expect(connection.status).toEqual({ kind: "live" });
  });

  it("that worked before is not blamed on a proxy while the server may be stopping", async () => {
    transport.reason = { code: "internal", message: "A proxy?", retryable: true };
    transport.passing = true;
    await live();
    transport.last.cut(1001);
    const reasons: unknown[] = [];
    for (const delay of [500, 1_000, 2_000, 4_000]) {
      await vi.advanceTimersByTimeAsync(delay);
      transport.last.cut(1006);
      await vi.advanceTimersByTimeAsync(0);
      reasons.push(connection.status.kind === "reconnecting" ? connection.status.reason : "no status");
    }
    expect(reasons).toEqual([null, null, null, transport.reason]);
    await vi.advanceTimersByTimeAsync(8_000);
    transport.last.greet();
    transport.last.cut(1001);
    await vi.advanceTimersByTimeAsync(500);
    transport.last.cut(1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.status).toMatchObject({ kind: "reconnecting", reason: null });
  });

  it("that never worked is told about at once", async () => {
    transport.reason = { code: "internal", message: "A proxy?", retryable: true };
    transport.passing = true;
    connection.hold(lifetime.signal);
    transport.last.cut(1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.status).toMatchObject({ kind: "reconnecting", reason: transport.reason });
  });

  it("is tried at once when the person asks", async () => {
    await live();
    transport.last.cut(1006);
    connection.retryNow();
    expect(transport.links).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(transport.links).toHaveLength(2);
  });

  it("stays lost where the relay said so", async () => {
    await live();
    transport.last.cut(4401);
    expect(connection.status).toMatchObject({ kind: "ended", reason: { code: "unauthorized" } });
    const store = connection.follow("c1", lifetime.signal);
    const { result } = connection.send(store, { text: "hi" });
    expect(await result).toMatchObject({ kind: "refused", error: { code: "unauthorized" } });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(transport.links).toHaveLength(1);
  });
});

describe("a prompt", () => {
  it("shows at once, and gives its place to the log", async () => {
    await live();
    const store = connection.follow("c1", lifetime.signal);
    transport.last.opened("c1");
    const { run, result } = connection.send(store, { text: "hi", model: "demo/fast" });
    expect([...store.outbox.values()]).toEqual([{ run, text: "hi", files: [], context: [], parent: null, held: false }]);
    const send = transport.last.of("send")[0];
    expect(send).toMatchObject({ run, model: "demo/fast", message: { parts: [{ type: "text", text: "hi" }] } });
    transport.last.say({ type: "ok", id: send?.id ?? "", run, message: "a1", duplicate: false });
    expect(await result).toEqual({ kind: "accepted" });
    expect(store.outbox.size).toBe(1);
    transport.last.events(
      "c1",
      { type: "message", t: 0, message: { id: "m1", role: "user", parts: [], parent: null, run } },
      { type: "start", t: 0, run, message: { id: "a1", role: "assistant", parent: "m1" }, model: "m", provider: "p" },
    );
    expect(store.outbox.size).toBe(0);
  });

  it("that is refused leaves nothing behind", async () => {
    await live();
    const store = connection.follow("c1", lifetime.signal);
    const { result } = connection.send(store, { text: "hi" });
    const error = { code: "model_unknown", message: "No such model.", retryable: false } as const;
    transport.last.say({ type: "fail", id: transport.last.of("send")[0]?.id ?? "", error });
    expect(await result).toEqual({ kind: "refused", error });
    expect(store.outbox.size).toBe(0);
  });

  it("written while offline goes out once, after the greeting", async () => {
    const store = connection.follow("c1", lifetime.signal);
    const { run } = connection.send(store, { text: "hi" });
    expect(store.outbox.get(run)?.held).toBe(true);
    await live();
    expect(transport.last.written.map((frame) => frame.type)).toEqual(["hello", "open", "send", "models"]);
    expect(store.outbox.get(run)?.held).toBe(false);
  });

  it("written while offline can be taken back", async () => {
    const store = connection.follow("c1", lifetime.signal);
    const { run, result } = connection.send(store, { text: "hi" });
    connection.stop(store, run);
    expect(await result).toEqual({ kind: "withdrawn" });
    await live();
    expect(transport.last.of("send")).toHaveLength(0);
    expect(transport.last.of("stop")).toHaveLength(0);
    expect(store.outbox.size).toBe(0);
  });

  it("whose answer was lost is sent again as the same run, and its stop after it", async () => {
    await live();
    const store = connection.follow("c1", lifetime.signal);
    const { run } = connection.send(store, { text: "hi" });
    connection.stop(store, run);
    connection.stop(store, run);
    expect(transport.last.of("stop")).toHaveLength(1);
    transport.last.cut(1006);
    await vi.advanceTimersByTimeAsync(500);
    transport.last.greet();
    const again = transport.last.written.map((frame) => frame.type);
    expect(again.filter((type) => type === "send" || type === "stop")).toEqual(["send", "stop"]);
    expect(transport.last.of("send")[0]?.run).toBe(run);
  });
});

describe("growing text", () => {
  it("goes to who watches its run, and nothing else is told", async () => {
    await live();
    const store = connection.follow("c1", lifetime.signal);
    transport.last.opened("c1");
    const run = randomId();
    transport.last.events(
      "c1",
      { type: "start", t: 0, run, message: { id: "a1", role: "assistant", parent: null }, model: "m", provider: "p" },
      { type: "text-start", t: 1, run, part: "1" },
    );
    const deltas: unknown[] = [];
    const changes = vi.fn();
    store.onDelta(run, (delta) => deltas.push(delta), lifetime.signal);
    store.subscribe(changes, lifetime.signal);
    transport.last.events("c1", { type: "text-delta", t: 2, run, part: "1", delta: "Hel" });
    transport.last.events("c1", { type: "text-delta", t: 3, run, part: "1", delta: "lo" });
    expect(deltas).toEqual([{ part: "1", text: "Hel" }, { part: "1", text: "lo" }]);
    expect(changes).not.toHaveBeenCalled();
    expect(store.state.messages.map(textOf)).toEqual(["Hello"]);
  });
});

describe("ids", () => {
  it("are what the wire allows, and differ", () => {
    const ids = Array.from({ length: 1000 }, randomId);
    expect(new Set(ids).size).toBe(1000);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{24}$/);
  });
});
