import { describe, expect, it } from "vitest";
import { EMPTY, fold } from "../../src/model/reduce.ts";
import { ClientSession } from "../../src/protocol/client.ts";
import type { Conversation } from "../../src/protocol/frames.gen.ts";
import { steps, transcripts } from "../transcripts.ts";

interface Step {
  client?: string;
  lost?: boolean;
  in?: { type: string; conversation?: string };
  out: Record<string, unknown[]>;
}

/** A client that knows of a conversation only what the relay's frames told it. */
class Follower {
  readonly session = new ClientSession("test/1", () => 0.5);
  readonly states = new Map<string, { seq: number; state: Conversation }>();

  take(frame: unknown): void {
    for (const outcome of this.session.received(JSON.stringify(frame), 0)) {
      if (outcome.type === "drop") throw new Error(outcome.reason);
      if (outcome.type === "replace") this.states.set(outcome.conversation, outcome);
      if (outcome.type === "deliver") {
        const { conversation, seq, events } = outcome;
        const before = this.states.get(conversation)?.state ?? EMPTY;
        this.states.set(conversation, { seq, state: fold(before, events) });
      }
    }
  }
}

const names = transcripts("relay-");

describe("what the relay says leads every client to the same state", () => {
  it("and there are transcripts of it", () => expect(names.length).toBeGreaterThanOrEqual(4));

  it.each(names)("%s", (name) => {
    const followers = new Map<string, Follower>();
    /** By conversation and seq: the state that somebody was in, be it Python's snapshot or our own reduce. */
    const seen = new Map<string, Conversation>();
    for (const { client, lost, in: request, out } of steps<Step>(name)) {
      if (client !== undefined) {
        const follower = followers.get(client) ?? new Follower();
        followers.set(client, follower);
        if (lost) follower.session.disconnected(1006);
        if (request?.type === "hello") follower.session.connected(0);
        if (request?.type === "open") follower.session.open(request.conversation ?? "");
      }
      for (const [receiver, frames] of Object.entries(out)) {
        const follower = followers.get(receiver);
        for (const frame of frames) follower?.take(frame);
        for (const [conversation, { seq, state }] of follower?.states ?? []) {
          const key = `${conversation} ${seq}`;
          const known = seen.get(key);
          if (known === undefined) seen.set(key, state);
          else expect(state, `${name}: ${receiver} at ${key}`).toEqual(known);
        }
      }
    }
    for (const { session } of followers.values()) expect(session.state).toBe("live");
  });
});
