/** Which branch of a conversation a view shows: kept while the view lives, and moved only by who reads it. */

import { branch, heard, withdrawn } from "../model/reduce.ts";
import type { Conversation, Message } from "../protocol/frames.gen.ts";

/** The key of what follows no message. */
const ROOT = "";

/** A message on the screen, and what stands in its place in other branches, itself among them, oldest first. */
export interface Step {
  readonly message: Message;
  readonly siblings: readonly string[];
}

export class Reading {
  /** The message that was shown last after each message. */
  readonly #chosen = new Map<string, string>();
  /** Runs that were asked for here and are not in the log yet. */
  readonly #awaited = new Set<string>();

  /** Show the branch of this run as soon as the log has it. */
  expect(run: string): void {
    this.#awaited.add(run);
  }

  /** Whether a run was asked for here, and the log does not have it yet. */
  expects(run: string): boolean {
    return this.#awaited.has(run);
  }

  forget(run: string): void {
    this.#awaited.delete(run);
  }

  /** Show this message, and below it what was shown there last. */
  choose(state: Conversation, id: string): void {
    const known = new Set(state.messages.map((message) => message.id));
    for (const message of branch(state, id)) this.#chosen.set(place(message, known), message.id);
  }

  /**
   * The branch to show. Where nothing was shown yet, that is the one with the newest message; from then on what joins
   * elsewhere leaves it as it is. A prompt that was taken out of the queue is not shown.
   */
  path(state: Conversation): readonly Step[] {
    for (const run of this.#awaited) {
      const answer = state.runs[run]?.message;
      const found = state.messages.findLast((one) => one.id === answer || one.run === run);
      if (found !== undefined) this.choose(state, found.id);
      if (answer !== undefined) this.#awaited.delete(run);
    }
    const below = children(state);
    const newest = newestBelow(state);
    const steps: Step[] = [];
    const seen = new Set<string>();
    for (let key = ROOT; ; ) {
      const here = below.get(key) ?? [];
      const chosen = this.#chosen.get(key);
      const message =
        here.find((one) => one.id === chosen) ??
        here.reduce<Message | undefined>(
          (best, one) =>
            best === undefined || (newest.get(one.id) ?? 0) > (newest.get(best.id) ?? 0) ? one : best,
          undefined,
        );
      if (message === undefined || seen.has(message.id)) return heardOf(state, steps);
      seen.add(message.id);
      this.#chosen.set(key, message.id);
      steps.push({ message, siblings: here.map((one) => one.id) });
      key = message.id;
    }
  }
}

/** What was taken back is passed over, also where others follow it. */
function heardOf(state: Conversation, steps: readonly Step[]): readonly Step[] {
  const is = heard(state, steps.map(({ message }) => message));
  return steps.filter(({ message }) => is(message));
}

function place(message: Message, known: ReadonlySet<string>): string {
  return message.parent !== null && known.has(message.parent) ? message.parent : ROOT;
}

/** The messages after each message, without prompts that were withdrawn and that nothing refers to. */
function children(state: Conversation): Map<string, Message[]> {
  const known = new Set(state.messages.map((message) => message.id));
  const below = new Map<string, Message[]>();
  // What follows a message stands behind it: from the end on, all of that is known.
  for (const message of state.messages.toReversed()) {
    const answers = below.get(message.id) ?? [];
    const gone =
      message.role === "user" &&
      answers.length > 0 &&
      answers.every(({ id, run }) => run !== null && withdrawn(state, run) && !below.has(id));
    if (gone) continue;
    const key = place(message, known);
    below.set(key, [message, ...(below.get(key) ?? [])]);
  }
  return below;
}

/** For each message, how new the newest is that follows it, itself among them. */
function newestBelow(state: Conversation): Map<string, number> {
  const newest = new Map<string, number>();
  for (const [index, message] of [...state.messages.entries()].reverse()) {
    const own = Math.max(index, newest.get(message.id) ?? 0);
    newest.set(message.id, own);
    if (message.parent !== null) newest.set(message.parent, Math.max(own, newest.get(message.parent) ?? 0));
  }
  return newest;
}
