/**
 * The client's end of one relay, sans I/O: it outlives its sockets and loses nothing.
 *
 * The mirror of `streamchat_relay/protocol/client.py`; both replay `tests/transcripts/client-*.jsonl`.
 */

import { decodeServerFrame, knownEvents, type OkFrame } from "./codec.ts";
import { MAX_FRAME_BYTES } from "./frames.gen.ts";
import type {
  Approve,
  ClientFrame,
  Conversation,
  Delete,
  Deleted,
  ErrorInfo,
  Event,
  Events,
  Export,
  Fail,
  Leave,
  List,
  Models,
  Open,
  Rate,
  Rename,
  Restore,
  Prompt,
  Send,
  Snapshot,
  Presence,
  Stop,
  View,
  Welcome,
} from "./frames.gen.ts";
import * as strings from "./strings.ts";

export const BACKOFF_BASE_S = 0.5;
export const BACKOFF_CAP_S = 20;
export const GREETING_TIMEOUT_S = 10;
/** A client acknowledges after this many characters of frames: an eighth of the window, as a character is at most four bytes. */
export const ACK_LENGTH = 32 * 1024;
const HEARTBEAT_S = 15;

const FINAL_CLOSE: Readonly<Record<number, () => ErrorInfo>> = {
  4401: () => ({ code: "unauthorized", message: strings.loggedOut(), retryable: false }),
  4403: () => ({ code: "forbidden", message: strings.notAllowed(), retryable: false }),
  4409: () => ({ code: "conflict", message: strings.replaced(), retryable: false }),
};

const oversized = (): ErrorInfo => ({
  code: "too_large",
  message: strings.tooLarge(MAX_FRAME_BYTES / 2 ** 20),
  retryable: false,
});

export type State = "offline" | "greeting" | "live" | "ended";

/** What the owner of a session has to do, in order. */
export type Outcome =
  /** Send this frame on the socket. */
  | { readonly type: "write"; readonly frame: ClientFrame }
  /** The request `id` is answered, by its `ok`, by an error, or by neither where nothing is known. */
  | {
      readonly type: "answer";
      readonly id: string;
      readonly ok: OkFrame | null;
      readonly error: ErrorInfo | null;
    }
  /** New events of a conversation, in order, each exactly once; `seq` numbers the last. */
  | {
      readonly type: "deliver";
      readonly conversation: string;
      readonly seq: number;
      readonly events: readonly Event[];
    }
  /** Forget the conversation and take this state, which is that of `seq`. */
  | {
      readonly type: "replace";
      readonly conversation: string;
      readonly seq: number;
      readonly state: Conversation;
    }
  /** The conversation was deleted; while it is `restorable` a `replace` may bring it back. */
  | { readonly type: "gone"; readonly conversation: string; readonly restorable: boolean }
  /** What the list of conversations told last may have changed; told once a list. */
  | { readonly type: "outdated" }
  /** The other views of a conversation by now. */
  | { readonly type: "views"; readonly conversation: string; readonly views: readonly View[] }
  /** The link is dead: close the socket and call `disconnected`. */
  | { readonly type: "drop"; readonly reason: string }
  /** Connect again after `delay_s` seconds. */
  | { readonly type: "retry"; readonly delay_s: number }
  /** Do not connect again; the error says why and what to do. */
  | { readonly type: "ended"; readonly error: ErrorInfo }
  /** Greeted by the relay: requests travel from now on. */
  | { readonly type: "live"; readonly welcome: Welcome };

type Pending =
  | Models
  | Open
  | Leave
  | Send
  | Stop
  | Approve
  | Rate
  | Rename
  | List
  | Delete
  | Restore
  | Export;

/** What a request returns: its id, and what to do now. */
export type Asked = readonly [id: string, outcomes: Outcome[]];

export interface SendOptions {
  readonly model?: string;
  readonly message?: Prompt;
  readonly parent?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** What a client knows of a conversation that it follows. */
interface Followed {
  epoch: string | null;
  seq: number;
  length: number;
  reopening: string | null;
}

/**
 * One client of one relay, through any number of sockets.
 *
 * The owner carries out the outcomes of every call, in order: writes frames, connects, waits. Requests may be made at any
 * time; those made offline go out after the next greeting, and those that were unanswered when a socket died go out again
 * (`send` and `stop` are idempotent). Times are in seconds on any clock that never goes back.
 */
export class ClientSession {
  state: State = "offline";
  readonly #client: string;
  readonly #jitter: () => number;
  readonly #pending = new Map<string, Pending>();
  readonly #followed = new Map<string, Followed>();
  /** What was said last of this page's views. */
  readonly #presences = new Map<string, Presence>();
  #nextId = 0;
  #attempt = 0;
  #heartbeatS = HEARTBEAT_S;
  #heardAt = 0;
  #pingedAt: number | null = null;
  #ended: ErrorInfo | null = null;

  constructor(client: string, jitter: () => number) {
    this.#client = client;
    this.#jitter = jitter;
  }

  /** Ask for the catalog. */
  models(): Asked {
    return this.#request({ type: "models", id: this.#id() });
  }

  /** Follow a conversation until `leave`, over all reconnects. */
  open(conversation: string): Asked {
    if (!this.#followed.has(conversation)) {
      this.#followed.set(conversation, { epoch: null, seq: 0, length: 0, reopening: null });
    }
    const id = this.#id();
    return [id, this.#writeOpen(conversation, id)];
  }

  /** Say of a view what the others are to know; said again after each reconnect, until `leave`. */
  present(conversation: string, what: Omit<Presence, "type" | "conversation">): Outcome[] {
    const frame: Presence = { type: "presence", conversation, ...what };
    this.#presences.set(conversation, frame);
    const open = this.#followed.get(conversation);
    return this.state === "live" && open !== undefined && open.reopening === null ? [write(frame)] : [];
  }

  /** Follow a conversation no more. */
  leave(conversation: string): Asked {
    this.#followed.delete(conversation);
    this.#presences.delete(conversation);
    for (const request of [...this.#pending.values()]) {
      if (request.type === "open" && request.conversation === conversation) {
        this.#pending.delete(request.id);
      }
    }
    return this.#request({ type: "leave", id: this.#id(), conversation });
  }

  /** Start a run, exactly once however often the network fails. */
  send(conversation: string, run: string, options: SendOptions = {}): Asked {
    const { model, message, parent, params } = options;
    const frame: Send = {
      type: "send",
      id: this.#id(),
      conversation,
      run,
      ...(model ? { model } : {}),
      ...(message ? { message } : {}),
      ...(parent === undefined ? {} : { parent }),
      ...(params === undefined ? {} : { params }),
    };
    // The relay would close the socket for it, and again each time that it is sent.
    return tooLarge(frame)
      ? [frame.id, [{ type: "answer", id: frame.id, ok: null, error: oversized() }]]
      : this.#request(frame);
  }

  /** Say what a person decided of a tool call, of which they saw what has this digest. */
  approve(run: string, part: string, digest: string, allow: boolean): Asked {
    return this.#request({ type: "approve", id: this.#id(), run, part, digest, allow });
  }

  /** Say what a person thinks of an answer. */
  rate(conversation: string, message: string, value: Rate["value"]): Asked {
    return this.#request({ type: "rate", id: this.#id(), conversation, message, value });
  }

  /** Give a conversation a title; an empty one takes it away. */
  rename(conversation: string, title: string): Asked {
    return this.#request({ type: "rename", id: this.#id(), conversation, title });
  }

  /** Ask which conversations there are; `outdated` tells once that they have changed. */
  conversations(which: Omit<List, "type" | "id"> = {}): Asked {
    return this.#request({ type: "list", id: this.#id(), ...which });
  }

  /** Hide a conversation now, and delete it for good later. */
  delete(conversation: string): Asked {
    return this.#request({ type: "delete", id: this.#id(), conversation });
  }

  /** Take a deletion back. */
  restore(conversation: string): Asked {
    return this.#request({ type: "restore", id: this.#id(), conversation });
  }

  /** Ask for a conversation as a file. */
  export(conversation: string, form: Export["form"], leaf?: string): Asked {
    const which = leaf === undefined ? {} : { leaf };
    return this.#request({ type: "export", id: this.#id(), conversation, form, ...which });
  }

  /** End a run early. */
  stop(run: string): Asked {
    return this.#request({ type: "stop", id: this.#id(), run });
  }

  /** A socket is open. */
  connected(now: number): Outcome[] {
    if (this.state === "ended") return [{ type: "drop", reason: "ended" }];
    this.state = "greeting";
    this.#heardAt = now;
    this.#pingedAt = null;
    return [write({ type: "hello", client: this.#client })];
  }

  /** The socket is gone, or could not be opened; `code` is its close code. */
  disconnected(code: number | null = null): Outcome[] {
    if (this.state === "ended") return [];
    const final = code === null ? undefined : FINAL_CLOSE[code]?.();
    if (final !== undefined) return this.#end(final);
    this.state = "offline";
    const ceiling = Math.min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2 ** Math.min(this.#attempt, 16));
    this.#attempt += 1;
    return [{ type: "retry", delay_s: this.#jitter() * ceiling }];
  }

  /** The relay is gone for good: every request fails with this, those to come as well. */
  end(error: ErrorInfo): Outcome[] {
    return this.state === "ended" ? [] : this.#end(error);
  }

  /** When `tick` has something to do; null while offline. */
  deadline(): number | null {
    switch (this.state) {
      case "greeting":
        return this.#heardAt + GREETING_TIMEOUT_S;
      case "live":
        return (this.#pingedAt ?? this.#heardAt) + this.#heartbeatS;
      case "offline":
      case "ended":
        return null;
    }
  }

  /** Time passed; call it at `deadline` or later. */
  tick(now: number): Outcome[] {
    const deadline = this.deadline();
    if (deadline === null || now < deadline) return [];
    if (this.state === "greeting") return [{ type: "drop", reason: "no welcome in time" }];
    if (this.#pingedAt !== null) return [{ type: "drop", reason: "no sign of life" }];
    this.#pingedAt = now;
    return [write({ type: "ping", t: now })];
  }

  /** The text of one frame came. */
  received(data: string, now: number): Outcome[] {
    this.#heardAt = now;
    this.#pingedAt = null;
    const frame = decodeServerFrame(data);
    if (frame === "malformed") {
      return [{ type: "drop", reason: "the relay sent what is no frame" }];
    }
    if (frame === "unknown") return [];
    switch (frame.type) {
      case "pong":
        return [];
      case "ping":
        return [write({ type: "pong", t: frame.t })];
      case "welcome":
        return this.#greeted(frame);
      case "events":
        return this.#events(frame, data.length);
      case "snapshot":
        return this.#snapshot(frame);
      case "ok":
        return this.#answered(frame);
      case "fail":
        return this.#failed(frame);
      case "deleted":
        return this.#deleted(frame);
      case "restored":
        return this.#followed.has(frame.conversation) ? this.#writeOpen(frame.conversation, this.#id()) : [];
      case "views":
        return [{ type: "views", conversation: frame.conversation, views: frame.views }];
      case "stale":
        return [{ type: "outdated" }];
      case "call":
      case "tool":
      case "approved":
      case "cancel":
        // A page serves no model and runs no tool.
        return [];
      case "bye":
        return frame.error.retryable ? [] : this.#end(frame.error);
      default:
        frame satisfies never;
        return [];
    }
  }

  #id(): string {
    this.#nextId += 1;
    return `q${this.#nextId}`;
  }

  #request(frame: Pending): Asked {
    if (this.#ended !== null) {
      return [frame.id, [{ type: "answer", id: frame.id, ok: null, error: this.#ended }]];
    }
    this.#pending.set(frame.id, frame);
    return [frame.id, this.state === "live" ? [write(frame)] : []];
  }

  #writeOpen(conversation: string, id: string): Outcome[] {
    const followed = this.#followed.get(conversation);
    if (followed === undefined) return [];
    followed.reopening = id;
    const cursor =
      followed.epoch === null ? {} : { after: followed.seq, epoch: followed.epoch };
    return this.#request({ type: "open", id, conversation, ...cursor })[1];
  }

  #greeted(welcome: Welcome): Outcome[] {
    this.state = "live";
    this.#attempt = 0;
    this.#heartbeatS = welcome.heartbeat_s;
    const out: Outcome[] = [{ type: "live", welcome }];
    const unanswered = [...this.#pending.values()];
    const opens = new Map<string, string[]>();
    for (const conversation of this.#followed.keys()) opens.set(conversation, [this.#id()]);
    // A new socket follows nothing: a leave has happened by itself, an open starts over.
    for (const request of unanswered) {
      if (request.type === "leave") {
        this.#pending.delete(request.id);
        out.push({ type: "answer", id: request.id, ok: null, error: null });
      } else if (request.type === "open") {
        this.#pending.delete(request.id);
        opens.get(request.conversation)?.push(request.id);
      }
    }
    for (const [conversation, ids] of opens) {
      for (const id of ids.length > 1 ? ids.slice(1) : ids) {
        out.push(...this.#writeOpen(conversation, id));
      }
    }
    for (const request of unanswered) {
      if (request.type !== "open" && request.type !== "leave") out.push(write(request));
    }
    return out;
  }

  #events(frame: Events, size: number): Outcome[] {
    const followed = this.#followed.get(frame.conversation);
    if (followed === undefined) return [];
    const expected = followed.seq + 1;
    if (frame.epoch !== followed.epoch || frame.from > expected) {
      // "A client that sees `from > expected` re-opens with `after`"; once is enough.
      if (followed.reopening !== null) return [];
      return this.#writeOpen(frame.conversation, this.#id());
    }
    if (frame.to < expected) return [];
    const events = knownEvents(frame.events.slice(expected - frame.from));
    followed.seq = frame.to;
    followed.length += size;
    const { conversation, to: seq } = frame;
    const out: Outcome[] = [{ type: "deliver", conversation, seq, events }];
    if (followed.length >= ACK_LENGTH) {
      followed.length = 0;
      out.push(write({ type: "ack", conversation, seq }));
    }
    return out;
  }

  #snapshot(frame: Snapshot): Outcome[] {
    const followed = this.#followed.get(frame.conversation);
    if (followed === undefined) return [];
    const { conversation, seq, state } = frame;
    followed.epoch = frame.epoch;
    followed.seq = seq;
    followed.length = 0;
    return [{ type: "replace", conversation, seq, state }];
  }

  #deleted({ conversation, restorable = false }: Deleted): Outcome[] {
    const followed = this.#followed.get(conversation);
    if (followed === undefined) return [];
    followed.epoch = null;
    followed.seq = 0;
    followed.length = 0;
    return [{ type: "gone", conversation, restorable }];
  }

  #answered(ok: OkFrame): Outcome[] {
    const request = this.#pending.get(ok.id);
    if (request === undefined) return [];
    this.#pending.delete(ok.id);
    if (request.type === "open" && "epoch" in ok) {
      const followed = this.#followed.get(ok.conversation);
      // The epoch comes with the snapshot: until then there is nothing to go on from.
      if (followed?.reopening === ok.id) followed.reopening = null;
      const presence = this.#presences.get(ok.conversation);
      if (presence !== undefined) return [{ type: "answer", id: ok.id, ok, error: null }, write(presence)];
    }
    return [{ type: "answer", id: ok.id, ok, error: null }];
  }

  #failed(frame: Fail): Outcome[] {
    const request = frame.id == null ? undefined : this.#pending.get(frame.id);
    if (request === undefined) return [];
    this.#pending.delete(request.id);
    if (request.type === "open") {
      const followed = this.#followed.get(request.conversation);
      if (followed !== undefined && followed.reopening === request.id) {
        followed.reopening = null;
        if (frame.error.code === "bad_cursor" && followed.epoch !== null) {
          // The relay's log is not the one we know: take its state anew.
          followed.epoch = null;
          followed.seq = 0;
          return this.#writeOpen(request.conversation, request.id);
        }
      }
    }
    return [{ type: "answer", id: request.id, ok: null, error: frame.error }];
  }

  #end(error: ErrorInfo): Outcome[] {
    this.state = "ended";
    this.#ended = error;
    const out: Outcome[] = [...this.#pending.keys()].map((id) => ({
      type: "answer",
      id,
      ok: null,
      error,
    }));
    this.#pending.clear();
    return [...out, { type: "ended", error }];
  }
}

function write(frame: ClientFrame): Outcome {
  return { type: "write", frame };
}

function tooLarge(frame: Send): boolean {
  const text = JSON.stringify(frame);
  // A character is three bytes at most where it is one, and four where it is two.
  if (text.length * 3 <= MAX_FRAME_BYTES) return false;
  return new TextEncoder().encode(text).length > MAX_FRAME_BYTES;
}
