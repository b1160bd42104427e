import { describe, expect, it } from "vitest";
import { ConversationStore } from "../../src/conversation.ts";
import type { Conversation, Event, Message, RunRecord } from "../../src/protocol/frames.gen.ts";
import { Reading } from "../../src/view/reading.ts";
import { entries, queue } from "../../src/view/shown.ts";

/** A conversation of messages "id<parent"; those that begin with `a` are answers, with their own id as their run. */
function conversation(...messages: string[]): Conversation {
  const made = messages.map((text): Message => {
    const [id = "", parent] = text.split("<");
    const role = id.startsWith("a") ? "assistant" : "user";
    return { id, role, parts: [], parent: parent ?? null, run: role === "assistant" ? id : `of-${id}` };
  });
  const runs = made
    .filter(({ role }) => role === "assistant")
    .map(({ id }): RunRecord => ({ id, message: id, model: "demo/fast", provider: "demo", state: "done" }));
  const settings = { model: "", params: {} };
  return { messages: made, runs: Object.fromEntries(runs.map((run) => [run.id, run])), settings, title: "" };
}

function withdrawn(state: Conversation, run: string): Conversation {
  const record = { ...state.runs[run], state: "interrupted", abort_reason: "user", position: 1 } as RunRecord;
  return { ...state, runs: { ...state.runs, [run]: record } };
}

const shown = (reading: Reading, state: Conversation): string =>
  reading.path(state).map(({ message }) => message.id).join(" ");

describe("what a view reads", () => {
  it("is the branch with the newest message at first", () => {
    const reading = new Reading();
    expect(shown(reading, conversation("p1", "a1<p1", "p2", "a2<p2", "p3<a1"))).toBe("p1 a1 p3");
  });

  it("goes on with what follows, and is not moved by what joins elsewhere", () => {
    const reading = new Reading();
    const first = ["p1", "a1<p1"];
    shown(reading, conversation(...first));
    expect(shown(reading, conversation(...first, "p2<a1", "a2<p2"))).toBe("p1 a1 p2 a2");
    expect(shown(reading, conversation(...first, "p2<a1", "a2<p2", "p3", "a3<p3", "a4<p1"))).toBe("p1 a1 p2 a2");
  });

  it("moves to a message of one's own, once the log has it", () => {
    const reading = new Reading();
    shown(reading, conversation("p1", "a1<p1"));
    reading.expect("of-p2");
    expect(shown(reading, conversation("p1", "a1<p1"))).toBe("p1 a1");
    expect(shown(reading, conversation("p1", "a1<p1", "p2"))).toBe("p2");
    reading.expect("a3");
    const all = conversation("p1", "a1<p1", "p2", "a2<p2", "a3<p1");
    expect(shown(reading, all)).toBe("p1 a3");
    // It was awaited once; from then on the reader decides.
    reading.choose(all, "p2");
    expect(shown(reading, all)).toBe("p2 a2");
  });

  it("knows the versions of each message, and what was shown below each of them", () => {
    const reading = new Reading();
    const state = conversation("p1", "a1<p1", "a2<p1", "p2<a1", "p3<a1", "p4");
    reading.choose(state, "p2");
    expect(reading.path(state).map(({ siblings }) => siblings)).toEqual([["p1", "p4"], ["a1", "a2"], ["p2", "p3"]]);
    reading.choose(state, "p4");
    expect(shown(reading, state)).toBe("p4");
    reading.choose(state, "p1");
    expect(shown(reading, state)).toBe("p1 a1 p2");
  });

  it("leaves out a prompt that was taken out of the queue, also where something follows it", () => {
    const state = withdrawn(conversation("p1", "a1<p1", "p2<a1", "a2<p2"), "a2");
    expect(shown(new Reading(), state)).toBe("p1 a1");
    const asked = (state: Conversation): Conversation => ({
      ...state,
      messages: state.messages.map((one) => (one.id === "p2" ? { ...one, run: "a2" } : one)),
    });
    const followed = asked(withdrawn(conversation("p1", "a1<p1", "p2<a1", "a2<p2", "p3<a2"), "a2"));
    expect(shown(new Reading(), followed)).toBe("p1 a1 p3");
    const again = asked(withdrawn(conversation("p1", "a1<p1", "p2<a1", "a2<p2", "a4<p2", "p3<a4"), "a2"));
    expect(shown(new Reading(), again)).toBe("p1 a1 p2 a4 p3");
    const beside = withdrawn(conversation("p1", "a1<p1", "p2<a1", "a2<p2", "p3<a1"), "a2");
    expect(new Reading().path(beside).at(-1)?.siblings).toEqual(["p3"]);
  });

  it("ends where a forged state goes in circles", () => {
    expect(shown(new Reading(), conversation("p1", "p1<p1", "p2<p3", "p3<p2"))).toBe("p1");
  });
});

describe("what is typed", () => {
  function store(state: Conversation): ConversationStore {
    const made = new ConversationStore("c1");
    made.replace(state);
    return made;
  }

  it("follows the branch that is shown", () => {
    const reading = new Reading();
    const state = conversation("p1", "a1<p1", "p2", "a2<p2");
    expect(entries(store(state), reading).leaf).toBeUndefined();
    reading.choose(state, "p1");
    expect(entries(store(state), reading).leaf).toBe("a1");
  });

  it("takes the place of what it edits at once, in this view alone", () => {
    const [mine, other] = [new Reading(), new Reading()];
    const edited = store(conversation("p1", "a1<p1", "p2<a1", "a2<p2"));
    const keys = (reading: Reading): string[] => entries(edited, reading).shown.map(({ key }) => key);
    const before = keys(other);
    edited.outbox.set("r9", { run: "r9", text: "edited", files: [], context: [], parent: "a1", held: false });
    mine.expect("r9");
    expect(keys(mine)).toEqual(["p-of-p1", "a-a1", "p-r9", "a-r9"]);
    expect(keys(other)).toEqual(before);
    edited.outbox.set("r9", { run: "r9", text: "edited", files: [], context: [], parent: "", held: false });
    expect(keys(mine)).toEqual(["p-r9", "a-r9"]);
  });

  it("while an answer is written stands in the queue", () => {
    const state = conversation("p1", "a1<p1", "p2<a1", "a2<p2", "p3<a2", "a3<p3");
    const runs = Object.fromEntries(
      Object.values(state.runs).map((run) => [run.id, { ...run, state: run.id === "a1" ? "running" : "queued" } as RunRecord]),
    );
    const marked = queue(entries(store({ ...state, runs }), new Reading()).shown);
    expect(marked.map((entry) => (entry.kind === "prompt" ? [entry.key, entry.queued] : entry.key))).toEqual([
      ["p-of-p1", undefined], "a-a1", ["p-of-p2", "a2"], ["p-of-p3", "a3"],
    ]);
  });

  it("waits as any answer where it only waits for its turn", () => {
    const state = conversation("p1", "a1<p1", "p2<a1", "a2<p2");
    const a2 = { ...state.runs["a2"], state: "queued" } as RunRecord;
    const marked = queue(entries(store({ ...state, runs: { ...state.runs, a2 } }), new Reading()).shown);
    expect(marked.at(-1)).toMatchObject({ kind: "answer", run: "a2" });
  });
});

it("a run that ran before it was stopped is not withdrawn", () => {
  const store = new ConversationStore("c1");
  const events: Event[] = [
    { type: "message", t: 0, message: { id: "p1", role: "user", parts: [], parent: null, run: "r1" } },
    { type: "start", t: 0, run: "r1", message: { id: "a1", role: "assistant", parent: "p1" }, model: "m", provider: "p" },
    { type: "status", t: 0, run: "r1", state: "queued", position: 2 },
    { type: "status", t: 1, run: "r1", state: "running" },
    { type: "abort", t: 2, run: "r1", reason: "user" },
  ];
  store.deliver(events);
  expect(shown(new Reading(), store.state)).toBe("p1 a1");
  store.replace({ messages: [], runs: {}, settings: { model: "", params: {} }, title: "" });
  store.deliver(events.filter((event) => event.type !== "status" || event.state === "queued"));
  expect(shown(new Reading(), store.state)).toBe("");
});
