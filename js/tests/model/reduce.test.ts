import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { branch, EMPTY, fold, reduce } from "../../src/model/reduce.ts";
import type { Conversation, Event } from "../../src/protocol/frames.gen.ts";
import { steps, transcripts } from "../transcripts.ts";

type Step = { event: Event } | { state: Conversation };
const names = transcripts("reduce-");

function eventsOf(name: string): Event[] {
  return steps<Step>(name).flatMap((step) => ("event" in step ? [step.event] : []));
}

describe("reduce", () => {
  it.each(names)("gives the state that Python gives: %s", (name) => {
    let state = EMPTY;
    for (const step of steps<Step>(name)) {
      if ("event" in step) state = reduce(state, step.event);
      else expect(state).toEqual(step.state);
    }
  });

  it.each(names)("of a batch, cut anywhere, equals one by one: %s", (name) => {
    const events = eventsOf(name);
    const whole = events.reduce(reduce, EMPTY);
    fc.assert(
      fc.property(fc.array(fc.nat(events.length)), (cuts) => {
        let state = EMPTY;
        let from = 0;
        for (const cut of [...cuts.sort((a, b) => a - b), events.length]) {
          state = fold(state, events.slice(from, cut));
          from = cut;
        }
        expect(state).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  it("changes nothing for a run it does not know", () => {
    const event: Event = { type: "text-delta", run: "r", part: "1", delta: "x", t: 0 };
    expect(reduce(EMPTY, event)).toBe(EMPTY);
  });
});

describe("branch", () => {
  const message = (id: string, parent: string | null) =>
    ({ id, parent, role: "user", parts: [], run: null }) as const;

  it("goes from the newest message up to the root", () => {
    const messages = [message("a", null), message("b", "a"), message("c", "a"), message("d", "c")];
    const shown = branch({ ...EMPTY, messages });
    expect(shown.map((one) => one.id)).toEqual(["a", "c", "d"]);
  });

  it("ends where parents turn in a circle", () => {
    const messages = [message("a", "b"), message("b", "a")];
    expect(branch({ ...EMPTY, messages }).map((one) => one.id)).toEqual(["a", "b"]);
  });
});
