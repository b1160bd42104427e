/** One conversation as this page sees it: its state, what was sent but is not in the log yet, and who watches. */

import { EMPTY, ended, fold } from "./model/reduce.ts";
import type { Conversation, ErrorInfo, Event, FilePart, View } from "./protocol/frames.gen.ts";
import * as strings from "./protocol/strings.ts";

/** A prompt between the Enter key and the log. */
export interface Outgoing {
  readonly run: string;
  /** Empty, and no files, where an earlier prompt is to be answered once more. */
  readonly text: string;
  readonly files: readonly FilePart[];
  /** Texts that go after it. */
  readonly context: readonly string[];
  /** The message to be answered, where it is not the newest. */
  readonly parent: string | null;
  /** Still with us: the relay has not been reached. */
  readonly held: boolean;
}

/** Text that joined a part; `null` says that the whole state was replaced. */
export type DeltaListener = (delta: { part: string; text: string } | null) => void;

/** Changes of everything but growing text reach `subscribe`; growing text reaches only `onDelta` of its run. */
/** Events after which there is something new to be seen, whole. */
const SETTLES: ReadonlySet<Event["type"]> = new Set(["finish", "abort", "error"]);

export class ConversationStore {
  readonly id: string;
  state: Conversation = EMPTY;
  /** Whether the relay has told us the state. */
  loaded = false;
  /** Why the conversation could not be opened. */
  problem: ErrorInfo | null = null;
  /** Set while it is deleted; whether it can be restored then. */
  deleted: { readonly restorable: boolean } | null = null;
  /** The number of the last event that leaves nothing to wait for: all up to it can have been seen. */
  settled = 0;
  /** The other views of it, in this page's other sockets and elsewhere. */
  views: readonly View[] = [];
  readonly outbox = new Map<string, Outgoing>();
  /** Runs that were told to stop and have not ended yet. */
  readonly stopping = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #deltas = new Map<string, Set<DeltaListener>>();

  constructor(id: string) {
    this.id = id;
  }

  subscribe(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener));
  }

  onDelta(run: string, listener: DeltaListener, signal: AbortSignal): void {
    const listeners = this.#deltas.get(run) ?? new Set();
    this.#deltas.set(run, listeners.add(listener));
    signal.addEventListener("abort", () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#deltas.get(run) === listeners) this.#deltas.delete(run);
    });
  }

  /** Tell the watchers that something other than growing text has changed. */
  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  deliver(events: readonly Event[], seq = this.settled): void {
    this.state = fold(this.state, events);
    if (events.some(({ type }) => SETTLES.has(type))) this.settled = seq;
    let structure = false;
    for (const event of events) {
      if (event.type === "text-delta" || event.type === "reasoning-delta") {
        const delta = { part: event.part, text: event.delta };
        for (const listener of this.#deltas.get(event.run) ?? []) listener(delta);
      } else {
        structure = true;
      }
    }
    if (structure) {
      this.#settle();
      this.changed();
    }
  }

  replace(state: Conversation, seq = 0): void {
    this.state = state;
    this.settled = Object.values(state.runs).every(ended) ? seq : 0;
    this.loaded = true;
    this.problem = null;
    this.deleted = null;
    for (const listeners of [...this.#deltas.values()]) {
      for (const listener of [...listeners]) listener(null);
    }
    this.#settle();
    this.changed();
  }

  seeViews(views: readonly View[]): void {
    this.views = views;
    this.changed();
  }

  /** It was deleted, here or elsewhere. */
  remove(restorable: boolean): void {
    this.replace(EMPTY);
    this.outbox.clear();
    this.stopping.clear();
    this.deleted = { restorable };
    this.changed();
  }

  /** The relay is lost, and with it what was being answered: it ends here with what came. */
  cut(reason: ErrorInfo): void {
    const error = { ...reason, message: strings.cutByKernel() };
    for (const { id: run, message } of Object.values(this.state.runs).filter((one) => !ended(one))) {
      const parts = this.state.messages.find((one) => one.id === message)?.parts ?? [];
      const ends = parts.flatMap((part): Event[] =>
        (part.type === "text" || part.type === "reasoning") && part.open
          ? [{ type: `${part.type}-end`, t: 0, run, part: part.id ?? "" }]
          : [],
      );
      this.deliver([...ends, { type: "error", t: 0, run, error }]);
    }
    this.changed();
  }

  /** What the log tells by now needs no place of its own. */
  #settle(): void {
    for (const run of this.outbox.keys()) if (run in this.state.runs) this.outbox.delete(run);
    for (const run of this.stopping) {
      const record = this.state.runs[run];
      if (record !== undefined && ended(record)) this.stopping.delete(run);
    }
  }
}
