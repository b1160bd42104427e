/** `reduce`: how a conversation grows, one event at a time. The mirror of `streamchat_relay/model/reduce.py`. */

import type {
  Conversation,
  Event,
  Message,
  ReasoningDelta,
  RunRecord,
  TextDelta,
} from "../protocol/frames.gen.ts";

export type Part = Message["parts"][number];
export type ToolPart = Extract<Part, { type: "tool" }>;

/** What a conversation is before its first event. */
export const EMPTY: Conversation = {
  messages: [],
  runs: {},
  settings: { model: "", params: {} },
  title: "",
};

/**
 * The conversation after one more event.
 *
 * Pure and total: an event of a run or part that the conversation does not know changes nothing, so a log that lost its
 * beginning still reads. Fields at their default are left out, as they are on the wire, so that a reduced state equals a
 * snapshot of it.
 */
export function reduce(conversation: Conversation, event: Event): Conversation {
  switch (event.type) {
    case "message":
      return { ...conversation, messages: [...conversation.messages, event.message] };
    case "settings":
      return {
        ...conversation,
        settings: { model: event.model ?? "", params: event.params ?? {} },
      };
    case "title":
      return { ...conversation, title: event.title };
    case "feedback": {
      const rated = Object.values(conversation.runs).find(({ message }) => message === event.message);
      const feedback = event.value === "none" ? null : event.value;
      return rated === undefined ? conversation : withRun(conversation, rated.id, { feedback });
    }
    case "start": {
      const { id, role, parent } = event.message;
      const message: Message = { id, role, parts: [], parent: parent ?? null, run: event.run };
      const record: RunRecord = {
        id: event.run,
        message: id,
        model: event.model,
        provider: event.provider,
      };
      return {
        ...conversation,
        messages: [...conversation.messages, message],
        runs: { ...conversation.runs, [event.run]: record },
      };
    }
    case "status":
      return withRun(conversation, event.run, {
        state: event.state,
        position: event.position ?? null,
        retry_after: event.retry_after ?? null,
        left_out: event.left_out ?? null,
      });
    case "text-start":
      return addPart(conversation, event, { type: "text", id: event.part, text: "", open: true });
    case "reasoning-start":
      return addPart(conversation, event, {
        type: "reasoning",
        id: event.part,
        text: "",
        open: true,
        started_t: event.t,
      });
    case "text-delta":
    case "reasoning-delta":
      return withPart(conversation, event, (part) =>
        part.type === "text" || part.type === "reasoning"
          ? { ...part, text: part.text + event.delta }
          : part,
      );
    case "text-end":
      return withPart(conversation, event, closed);
    case "reasoning-end":
      return withPart(conversation, event, (part) =>
        part.type === "reasoning" ? { ...sealed(closed(part), event), ended_t: event.t } : part,
      );
    case "tool-input-start":
      return addPart(conversation, event, {
        type: "tool",
        id: event.part,
        name: event.name,
        ...(event.round ? { round: event.round } : {}),
        open: true,
      });
    case "tool-input-delta":
      return withTool(conversation, event, (part) => ({
        ...part,
        input_text: (part.input_text ?? "") + event.delta,
      }));
    case "tool-input-available":
      return withTool(
        conversation,
        event,
        (part) =>
          sealed(closed(given({ ...part, state: "input-available" }, "input", event.input)), event),
      );
    case "tool-approval-request":
      return withTool(conversation, event, (part) => ({
        ...part,
        state: "approval-requested",
        digest: event.digest,
      }));
    case "tool-approval-response":
      return withTool(conversation, event, (part) => ({
        ...part,
        state: "approval-responded",
        allowed: event.allowed,
      }));
    case "tool-output-available":
      return withTool(conversation, event, (part) =>
        given({ ...part, state: "output-available" }, "output", event.output),
      );
    case "tool-output-error":
      return withTool(conversation, event, (part) =>
        closed({ ...part, state: "output-error", error: event.error }),
      );
    case "file":
      return addPart(conversation, event, {
        type: "file",
        id: event.part,
        url: event.url,
        media_type: event.media_type,
      });
    case "source-url":
      return addPart(conversation, event, {
        type: "source",
        id: event.part,
        url: event.url,
        ...(event.title ? { title: event.title } : {}),
      });
    case "finish":
      return withRun(conversation, event.run, {
        state: "done",
        position: null,
        retry_after: null,
        ended_t: event.t,
        finish_reason: event.finish_reason,
        raw_reason: event.raw_reason,
        usage: event.usage,
        timing: event.timing,
      });
    case "abort":
      // The position of a run that was stopped in the queue stays: its prompt was taken back.
      return withRun(conversation, event.run, {
        state: "interrupted",
        retry_after: null,
        ended_t: event.t,
        abort_reason: event.reason,
      });
    case "error":
      return withRun(conversation, event.run, {
        state: "error",
        position: null,
        retry_after: null,
        ended_t: event.t,
        error: event.error,
      });
    default:
      event satisfies never;
      return conversation;
  }
}

/** `reduce` over many events; neighbouring deltas of one part are joined first. */
export function fold(conversation: Conversation, events: Iterable<Event>): Conversation {
  let pending: TextDelta | ReasoningDelta | null = null;
  for (const event of events) {
    if (event.type === "text-delta" || event.type === "reasoning-delta") {
      if (
        pending !== null &&
        pending.type === event.type &&
        pending.run === event.run &&
        pending.part === event.part
      ) {
        pending = { ...event, delta: pending.delta + event.delta };
        continue;
      }
      if (pending !== null) conversation = reduce(conversation, pending);
      pending = event;
      continue;
    }
    if (pending !== null) conversation = reduce(conversation, pending);
    pending = null;
    conversation = reduce(conversation, event);
  }
  return pending === null ? conversation : reduce(conversation, pending);
}

/** The newest message, but for prompts that were taken back out of the queue. */
export function newest(conversation: Conversation): Message | undefined {
  return conversation.messages.findLast(({ run }) => run === null || !withdrawn(conversation, run));
}

/** Whether a run was stopped before its turn came: its prompt was taken back. */
export function withdrawn({ runs }: Conversation, run: string): boolean {
  const record = runs[run];
  return record?.state === "interrupted" && record.abort_reason === "user" && record.position != null;
}

/** The messages from the root to `leaf`, by default the newest message. Prompts that were taken back out of the queue are passed over where others follow them. */
export function branch(conversation: Conversation, leaf?: string): readonly Message[] {
  const byId = new Map(conversation.messages.map((message) => [message.id, message]));
  let message = leaf === undefined ? newest(conversation) : byId.get(leaf);
  const path: Message[] = [];
  while (message !== undefined) {
    path.push(message);
    byId.delete(message.id);
    message = message.parent === null ? undefined : byId.get(message.parent);
  }
  return path.reverse().filter(heard(conversation, path));
}

/** Which messages of a branch are not passed over: a prompt is, where the answer that follows it here was withdrawn. */
export function heard(conversation: Conversation, path: readonly Message[]): (message: Message) => boolean {
  const takenBack = new Set<string | null>();
  for (const { role, run } of path.slice(0, -1)) if (role === "assistant" && run !== null && withdrawn(conversation, run)) takenBack.add(run);
  return ({ run }) => run === null || !takenBack.has(run);
}

/** Whether a run has had its terminal event. */
export function ended(record: RunRecord): boolean {
  return record.state === "done" || record.state === "error" || record.state === "interrupted";
}

/** All text parts of a message, joined; a blank line stands where tools were called between them. */
export function textOf(message: Message): string {
  let text = "";
  let called = false;
  for (const part of message.parts) {
    if (part.type === "tool") called = text !== "";
    else if (part.type === "text" && part.text !== "") {
      text += called ? `\n\n${part.text}` : part.text;
      called = false;
    }
  }
  return text;
}

function closed<P extends Part>(part: P): P {
  const rest = { ...part };
  delete (rest as { open?: boolean }).open;
  return rest;
}

/** With a field as a snapshot has it: none for null. */
function given<P extends Part>(part: P, name: "input" | "output" | "provider_metadata", value: unknown): P {
  const changed = { ...part, [name]: value };
  if (value === null || value === undefined) delete changed[name];
  return changed;
}

/** With what the provider wants to see again. */
function sealed<P extends Part>(
  part: P,
  { provider_metadata }: { readonly provider_metadata?: Readonly<Record<string, unknown>> | null },
): P {
  return given(part, "provider_metadata", provider_metadata);
}

function withRun(
  conversation: Conversation,
  run: string,
  change: Partial<RunRecord>,
): Conversation {
  const record = conversation.runs[run];
  if (record === undefined) return conversation;
  const changed = Object.fromEntries(
    Object.entries({ ...record, ...change }).filter(
      ([key, value]) => value !== null && !(key === "state" && value === "queued"),
    ),
  ) as unknown as RunRecord;
  return { ...conversation, runs: { ...conversation.runs, [run]: changed } };
}

function withMessage(
  conversation: Conversation,
  run: string,
  change: (message: Message) => Message,
): Conversation {
  const record = conversation.runs[run];
  if (record === undefined) return conversation;
  // A run writes one of the newest messages, so the search from the end is short.
  const index = conversation.messages.findLastIndex((message) => message.id === record.message);
  const message = conversation.messages[index];
  if (message === undefined) return conversation;
  const messages = conversation.messages.slice();
  messages[index] = change(message);
  return { ...conversation, messages };
}

function addPart(
  conversation: Conversation,
  event: { readonly run: string; readonly t: number },
  part: Part,
): Conversation {
  const added = withMessage(conversation, event.run, (message) => ({
    ...message,
    parts: [...message.parts, part],
  }));
  const record = added.runs[event.run];
  return record === undefined || (record.first_t ?? null) !== null
    ? added
    : withRun(added, event.run, { first_t: event.t });
}

function withPart(
  conversation: Conversation,
  event: { readonly run: string; readonly part: string },
  change: (part: Part) => Part,
): Conversation {
  return withMessage(conversation, event.run, (message) => ({
    ...message,
    parts: message.parts.map((part) => (part.id === event.part ? change(part) : part)),
  }));
}

function withTool(
  conversation: Conversation,
  event: { readonly run: string; readonly part: string },
  change: (part: ToolPart) => ToolPart,
): Conversation {
  return withPart(conversation, event, (part) => (part.type === "tool" ? change(part) : part));
}
