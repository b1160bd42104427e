/** What of a conversation is on the screen: the branch that is read, and what was sent but is not in the log yet. */

import type { ConversationStore, Outgoing } from "../conversation.ts";
import { ended, newest, textOf } from "../model/reduce.ts";
import type { FilePart, Message, RunRecord } from "../protocol/frames.gen.ts";
import { spoken, type Context } from "./context.ts";
import type { Reading, Step } from "./reading.ts";

/** Keys stay when an entry of the outbox becomes one of the log, so its nodes stay too. */
export type Entry = PromptEntry | AnswerEntry;

export interface PromptEntry {
  readonly kind: "prompt";
  readonly key: string;
  readonly text: string;
  readonly files: readonly FilePart[];
  readonly context: readonly Context[];
  readonly message?: Message;
  readonly siblings: readonly string[];
  /** The run that waits for the answer above, where it has to. */
  readonly queued?: string;
}

export interface AnswerEntry {
  readonly kind: "answer";
  readonly key: string;
  readonly run: string;
  readonly held: boolean;
  readonly siblings: readonly string[];
  readonly message?: Message;
  readonly record?: RunRecord;
}

/** The entries of a view, oldest first; `leaf` is what a prompt typed now follows, where that is not the newest message. */
export function entries(
  store: ConversationStore,
  reading: Reading,
): { readonly shown: readonly Entry[]; readonly leaf: string | undefined } {
  const { state } = store;
  const path = reading.path(state);
  const leaf = path.at(-1)?.message.id;
  const { sent, steps } = outgoing(store, reading, path);
  const shown: Entry[] = [];
  const prompts = new Set<string>();
  for (const { message, siblings } of steps) {
    if (message.role === "user") {
      if (message.run !== null) prompts.add(message.run);
      const key = `p-${message.run ?? message.id}`;
      const files = message.parts.filter((part) => part.type === "file");
      shown.push({ kind: "prompt", key, ...spoken(message), files, message, siblings });
    } else if (message.role === "assistant") {
      const run = message.run ?? message.id;
      const record = state.runs[run];
      const known = record === undefined ? { message } : { message, record };
      shown.push({ kind: "answer", key: `a-${run}`, run, held: false, siblings, ...known });
    }
  }
  for (const { run, text, files, context, held } of sent) {
    // The prompt may be in the log already, and its run not yet.
    const asks = text !== "" || files.length + context.length > 0;
    const parts = [text, ...context].map((one) => ({ type: "text" as const, text: one }));
    if (asks && !prompts.has(run)) shown.push({ kind: "prompt", key: `p-${run}`, ...spoken({ parts }), files, siblings: [] });
    shown.push({ kind: "answer", key: `a-${run}`, run, held, siblings: [] });
  }
  return { shown, leaf: sent.length > 0 || leaf === newest(state)?.id ? undefined : leaf };
}

/** Prompts that wait for the answer above are marked, and the answers that they will have left out. */
export function queue(shown: readonly Entry[]): readonly Entry[] {
  const marked: Entry[] = [];
  let writing = false;
  for (const entry of shown) {
    if (entry.kind === "prompt") {
      marked.push(entry);
      continue;
    }
    const before = marked.at(-1);
    if (writing && waits(entry) && before?.kind === "prompt" && before.queued === undefined) {
      marked[marked.length - 1] = { ...before, queued: entry.run };
    } else {
      marked.push(entry);
    }
    writing ||= goesOn(entry);
  }
  return marked;
}

/** Runs on the screen that go on and were not told to stop, oldest first. */
export function running(store: ConversationStore, shown: readonly Entry[]): string[] {
  return shown.flatMap((entry) =>
    entry.kind === "answer" && !store.stopping.has(entry.run) && goesOn(entry) ? [entry.run] : [],
  );
}

/** What is on its way, and the branch that it joins: an edited prompt leaves the one that was read. */
function outgoing(
  store: ConversationStore,
  reading: Reading,
  path: readonly Step[],
): { readonly sent: readonly Outgoing[]; readonly steps: readonly Step[] } {
  const { state, outbox } = store;
  const atNewest = path.at(-1)?.message.id === newest(state)?.id;
  const sent = [...outbox.values()].filter(
    ({ run, parent }) => !(run in state.runs) && (reading.expects(run) || (parent === null && atNewest)),
  );
  const from = sent.findLastIndex(({ parent }) => parent !== null);
  const first = sent[from];
  if (first === undefined) return { sent, steps: path };
  const logged = path.findIndex(({ message }) => message.run === first.run);
  // An empty parent is the beginning.
  const end = logged === -1 ? path.findIndex(({ message }) => message.id === first.parent) : logged;
  return { sent: sent.slice(from), steps: path.slice(0, end + 1) };
}

/** About how high an entry is, in pixels: so many for what it is, and a line for so many characters. */
export function guessed(entry: Entry): number {
  const [frame, line] = entry.kind === "prompt" ? [44, 70] : [64, 95];
  return frame + Math.ceil(textIn(entry).length / line) * 22;
}

export function textIn(entry: Entry): string {
  if (entry.kind === "prompt") return entry.text;
  return entry.message === undefined ? "" : textOf(entry.message);
}

function goesOn({ record, message }: AnswerEntry): boolean {
  return record === undefined ? message === undefined : !ended(record);
}

function waits({ record, message }: AnswerEntry): boolean {
  return record === undefined ? message === undefined : (record.state ?? "queued") === "queued";
}
