/** What of a conversation is on the screen: the newest branch, and what was sent but is not in the log yet. */

import type { ConversationStore } from "../conversation.ts";
import { branch, ended, textOf } from "../model/reduce.ts";
import type { FilePart, Message, RunRecord } from "../protocol/frames.gen.ts";

/** Keys stay when an entry of the outbox becomes one of the log, so its nodes stay too. */
export type Entry =
  | { readonly kind: "prompt"; readonly key: string; readonly text: string; readonly files: readonly FilePart[] }
  | {
      readonly kind: "answer";
      readonly key: string;
      readonly run: string;
      readonly held: boolean;
      readonly message?: Message;
      readonly record?: RunRecord;
    };

export function entries(store: ConversationStore): Entry[] {
  const { state } = store;
  const sent = [...store.outbox.values()].filter((one) => !(one.run in state.runs));
  const elsewhere = sent.find((one) => one.parent !== null)?.parent ?? undefined;
  const messages = branch(state, elsewhere);
  const shown: Entry[] = [];
  const prompts = new Set<string>();
  for (const message of messages) {
    if (message.role === "user") {
      if (message.run !== null) prompts.add(message.run);
      const files = message.parts.filter((part) => part.type === "file");
      shown.push({ kind: "prompt", key: `p-${message.run ?? message.id}`, text: textOf(message), files });
    } else if (message.role === "assistant") {
      const run = message.run ?? message.id;
      const record = state.runs[run];
      const known = record === undefined ? { message } : { message, record };
      shown.push({ kind: "answer", key: `a-${run}`, run, held: false, ...known });
    }
  }
  for (const { run, text, files, held } of sent) {
    // The prompt may be in the log already, and its run not yet.
    const asks = text !== "" || files.length > 0;
    if (asks && !prompts.has(run)) shown.push({ kind: "prompt", key: `p-${run}`, text, files });
    shown.push({ kind: "answer", key: `a-${run}`, run, held });
  }
  return shown;
}

/** Runs on the screen that go on and were not told to stop, oldest first. */
export function running(store: ConversationStore, shown: readonly Entry[]): string[] {
  return shown.flatMap((entry) =>
    entry.kind === "answer" &&
    !store.stopping.has(entry.run) &&
    (entry.record === undefined ? entry.message === undefined : !ended(entry.record))
      ? [entry.run]
      : [],
  );
}
