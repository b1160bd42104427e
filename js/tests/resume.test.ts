/** After any cut, sleep or restart the page shows what the log says, over exactly one new socket. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { CONNECT_TIMEOUT_MS, Connection } from "../src/connection.ts";
import type { ConversationStore } from "../src/conversation.ts";
import { EMPTY, fold, textOf } from "../src/model/reduce.ts";
import { CONVERSATION, FakeRelay } from "./fakes/relay.ts";

const RUN = "r1";
const CUTS = 20;
const TWO_HOURS_S = 2 * 60 * 60;

let relay: FakeRelay;
let connection: Connection;
let store: ConversationStore;
/** What a view shows that appends each delta, and reads the state again only when it is told to. */
let screen: string;

beforeEach(() => {
  vi.useFakeTimers();
  relay = new FakeRelay();
});

/** A page that follows the conversation; `jitter` 0 comes back at once. */
function start(jitter: number): void {
  connection = new Connection(relay, () => jitter);
  const { signal } = new AbortController();
  connection.hold(signal);
  store = connection.follow(CONVERSATION, signal);
  screen = "";
  store.onDelta(RUN, (delta) => (screen = delta === null ? shown() : screen + delta.text), signal);
}

function shown(): string {
  return store.state.messages.map(textOf).join("");
}

function begin(): void {
  const message = { id: "m1", role: "assistant", parent: null } as const;
  relay.append({ type: "start", run: RUN, t: 0, message, model: "m", provider: "p" });
  relay.append({ type: "text-start", run: RUN, t: 0, part: "1" });
}

function say(delta: string): void {
  relay.append({ type: "text-delta", run: RUN, t: 1, part: "1", delta });
}

/** Let everything arrive that can. */
async function settle(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  while (relay.last.carry()) await vi.advanceTimersByTimeAsync(0);
}

/** Let time pass in steps, in each of which everything arrives. */
async function pass(seconds: number): Promise<void> {
  for (let at = 0; at < seconds; at += 5) await settle(5_000);
}

/** Numbers in [0, below), the same for a seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed + 1;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("cuts", () => {
  it.each(Array.from({ length: 100 }, (_, seed) => seed))("of seed %i lose and double nothing", async (seed) => {
    const random = numbers(seed);
    const words = ["word ", "ä", "漢字", "😀", "\n", "\u0000", "\u2028", "👩‍👧"];
    start(0);
    await settle();
    begin();
    let said = "";
    for (let cuts = 0; cuts < CUTS; ) {
      for (let count = random(4); count > 0; count -= 1) {
        const delta = words[random(words.length)] ?? "";
        said += delta;
        say(delta);
      }
      await vi.advanceTimersByTimeAsync(0);
      relay.last.carry(random(7));
      if (random(3) === 0) continue;
      cuts += 1;
      relay.last.cut(1006);
    }
    relay.append({ type: "text-end", run: RUN, t: 2, part: "1" });
    await vi.advanceTimersByTimeAsync(0);
    await settle();
    expect(shown()).toBe(said);
    expect(screen).toBe(said);
    expect(store.state).toEqual(fold(EMPTY, relay.log));
    expect(relay.links).toHaveLength(CUTS + 1);
  });
});

describe("exactly one socket more", () => {
  beforeEach(async () => {
    start(1);
    await settle();
    begin();
    say("before ");
    await settle();
  });

  async function expectOneReconnect(): Promise<void> {
    await pass(600);
    expect(connection.status).toEqual({ kind: "live" });
    expect([relay.links.length, relay.greeted]).toEqual([2, 2]);
    say("after");
    await settle();
    expect(screen).toBe("before after");
  }

  /** The machine sleeps: no timer runs, and the clock goes on or stands still, as the platform likes. */
  function sleep(counted: boolean): void {
    const now = performance.now.bind(performance);
    if (counted) vi.spyOn(performance, "now").mockImplementation(() => now() + TWO_HOURS_S * 1000);
    vi.setSystemTime(Date.now() + TWO_HOURS_S * 1000);
    relay.last.dead = true;
  }

  it.each([true, false])("after a sleep of two hours, be it counted by the clock (%s)", async (counted) => {
    await settle(4_000);
    sleep(counted);
    await expectOneReconnect();
  });

  it("after a sleep that began between a ping and its pong", async () => {
    await vi.advanceTimersByTimeAsync(15_000);
    sleep(true);
    await expectOneReconnect();
  });

  it("after a sleep whose end the network tells before any timer", async () => {
    sleep(true);
    relay.last.cut(1006);
    await expectOneReconnect();
  });

  it("after a sleep while the page was waiting to connect again", async () => {
    relay.last.cut(1006);
    sleep(true);
    await expectOneReconnect();
  });

  it("in a hidden tab, whose timers run once a minute, and none without a cut", async () => {
    const timer = globalThis.setTimeout;
    const throttled = (run: () => void, ms = 0): unknown => timer(run, Math.ceil(ms / 60_000) * 60_000);
    vi.stubGlobal("setTimeout", throttled);
    await pass(1800);
    expect(relay.links).toHaveLength(1);
    relay.last.dead = true;
    await expectOneReconnect();
    vi.unstubAllGlobals();
  });

  it("after a server was restarted, however often it refused meanwhile", async () => {
    relay.last.cut(1001);
    relay.meets = "refuses";
    await pass(60);
    expect(relay.greeted).toBe(1);
    relay.meets = "opens";
    const refused = relay.links.length - 1;
    expect(refused).toBeLessThanOrEqual(8);
    await pass(600);
    expect(relay.links.length - refused).toBe(2);
    expect(relay.greeted).toBe(2);
    say("after");
    await settle();
    expect(screen).toBe("before after");
  });

  it("where one that never opens is given up, as a network that swallows leaves it", async () => {
    relay.last.cut(1006);
    relay.meets = "is silent";
    await vi.advanceTimersByTimeAsync(500 + CONNECT_TIMEOUT_MS - 1);
    relay.meets = "opens";
    expect(relay.links.map((link) => link.closed)).toEqual([true, false]);
    await pass(600);
    expect(connection.status).toEqual({ kind: "live" });
    expect([relay.links.length, relay.greeted]).toEqual([3, 2]);
  });
});
