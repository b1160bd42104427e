import { describe, expect, it } from "vitest";
import { ClientSession, type Outcome, type SendOptions } from "../../src/protocol/client.ts";
import { MAX_FRAME_BYTES } from "../../src/protocol/frames.gen.ts";
import { steps, transcripts } from "../transcripts.ts";

interface Step {
  connected?: number;
  disconnected?: number | null;
  tick?: number;
  received?: unknown;
  now?: number;
  call?: "models" | "open" | "leave" | "send" | "stop" | "conversations" | "delete" | "restore" | "rename" | "export";
  args?: { conversation?: string; run?: string; title?: string; form?: "md" } & SendOptions;
  out: unknown[];
  deadline?: number;
}

const names = transcripts("client-");

describe("the client session follows the transcript", () => {
  it("and there are transcripts for it", () => expect(names.length).toBeGreaterThanOrEqual(5));

  it.each(names)("%s", (name) => {
    const session = new ClientSession("test/1", () => 0.5);
    steps<Step>(name).forEach((step, index) => {
      const line = `${name}:${index + 2}`;
      const out = take(session, step).map((outcome) => JSON.parse(JSON.stringify(shown(outcome))));
      expect(out, line).toEqual(step.out);
      if (step.deadline !== undefined) expect(session.deadline(), line).toBe(step.deadline);
    });
  });
});

function take(session: ClientSession, step: Step): Outcome[] {
  if (step.connected !== undefined) return session.connected(step.connected);
  if (step.disconnected !== undefined) return session.disconnected(step.disconnected);
  if (step.tick !== undefined) return session.tick(step.tick);
  if (step.received !== undefined) {
    const frame = step.received;
    const text = typeof frame === "string" ? frame : JSON.stringify(frame);
    return session.received(text, step.now ?? 0);
  }
  const { conversation = "", run = "", title = "", form = "md", ...options } = step.args ?? {};
  switch (step.call) {
    case "models":
      return session.models()[1];
    case "open":
      return session.open(conversation)[1];
    case "leave":
      return session.leave(conversation)[1];
    case "send":
      return session.send(conversation, run, options)[1];
    case "stop":
      return session.stop(run)[1];
    case "conversations":
      return session.conversations(options as Parameters<ClientSession["conversations"]>[0])[1];
    case "delete":
      return session.delete(conversation)[1];
    case "restore":
      return session.restore(conversation)[1];
    case "rename":
      return session.rename(conversation, title)[1];
    case "export":
      return session.export(conversation, form)[1];
    default:
      throw new Error(`no step: ${JSON.stringify(step)}`);
  }
}

function shown(outcome: Outcome): object {
  switch (outcome.type) {
    case "write":
      return { write: outcome.frame };
    case "answer": {
      const { id, ok, error } = outcome;
      return { answer: { id, ...(ok && { ok }), ...(error && { error }) } };
    }
    case "deliver":
    case "replace":
    case "views":
    case "gone": {
      const { type, ...rest } = outcome;
      return { [type]: rest };
    }
    case "outdated":
      return { outdated: true };
    case "drop":
      return { drop: outcome.reason };
    case "retry":
      return { retry: outcome.delay_s };
    case "ended":
      return { ended: outcome.error };
    case "live":
      return { live: true };
  }
}

describe("what a view says of itself", () => {
  it("goes out while its conversation is open, and again after each reconnect, until it is left", () => {
    const session = new ClientSession("test/1", () => 0);
    const frames = (outcomes: Outcome[]): unknown[] => outcomes.flatMap((one) => (one.type === "write" ? [one.frame.type] : []));
    const greet = (): Outcome[] => {
      session.connected(0);
      const limits = { max_frame_bytes: 1, window_bytes: 1, join_bytes: 1 };
      return session.received(JSON.stringify({ type: "welcome", session: "s", user: "ada", heartbeat_s: 15, limits, version: "0" }), 0);
    };
    const ok = (id: string): Outcome[] =>
      session.received(JSON.stringify({ type: "ok", id, conversation: "c1", epoch: "e1", head: 0 }), 0);
    const [asked] = session.open("c1");
    expect(session.present("c1", { typing: true })).toEqual([]);
    expect(frames(greet())).toEqual(["open"]);
    expect(session.present("c1", { typing: true, seen: 3 })).toEqual([]);
    expect(ok(asked)).toContainEqual({ type: "write", frame: { type: "presence", conversation: "c1", typing: true, seen: 3 } });
    expect(frames(session.present("c1", { seen: 4 }))).toEqual(["presence"]);
    session.disconnected(1006);
    const opened = greet().flatMap((one) => (one.type === "write" && one.frame.type === "open" ? [one.frame.id] : []));
    expect(ok(opened[0] ?? "")).toContainEqual({ type: "write", frame: { type: "presence", conversation: "c1", seen: 4 } });
    session.leave("c1");
    expect(session.present("c1", { typing: true })).toEqual([]);
  });
});

describe("a prompt that no frame holds", () => {
  // A euro sign is three bytes.
  it.each([
    [MAX_FRAME_BYTES - 1000, "x", true],
    [MAX_FRAME_BYTES, "x", false],
    [MAX_FRAME_BYTES / 3, "€", false],
  ])("of %i times %s fails here and is never sent", (count, character, fits) => {
    const session = new ClientSession("test/1", () => 0);
    session.connected(0);
    const text = character.repeat(count);
    const [id, outcomes] = session.send("c1", "r1", { message: { parts: [{ type: "text", text }] } });
    if (fits) expect(outcomes).toEqual([]);
    else expect(outcomes).toMatchObject([{ type: "answer", id, ok: null, error: { code: "too_large" } }]);
  });
});
