/** The page's one connection to the relay: drives the session, keeps the timers, shares the conversations. */

import { ConversationStore } from "./conversation.ts";
import { ClientSession, type Asked, type Outcome, type SendOptions } from "./protocol/client.ts";
import type { OkFrame } from "./protocol/codec.ts";
import type { ErrorInfo, Export, ExportOk, FilePart, List, ListOk, ModelsOk, Rate } from "./protocol/frames.gen.ts";
import { unanswered } from "./protocol/strings.ts";
import type { Spendings } from "./model/spendings.ts";
import type { Blobs } from "./transport/blobs.ts";
import type { Link, Transport } from "./transport/websocket.ts";

export const CLIENT = "jupyter_streamchat-js/0.1.0";
/** How long a connection or a conversation that nobody uses is kept, in case somebody comes back. */
export const LINGER_MS = 5_000;

/** A socket that has not opened by then never will: a browser itself waits for minutes. */
export const CONNECT_TIMEOUT_MS = 20_000;

/** A server that stops may answer HTTP for so long after it has closed its sockets, in seconds. */
export const STOPPING_S = 5;

/** How the connection stands; `reason` says what a person can do about it, `retryAt` is in `Date.now()` milliseconds. */
export type Status =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "reconnecting"; readonly retryAt: number | null; readonly reason: ErrorInfo | null }
  | { readonly kind: "ended"; readonly reason: ErrorInfo };

export interface SendRequest {
  /** Without it, another answer to `parent`. */
  readonly text?: string;
  /** Go before the text; a prompt may be of files alone. */
  readonly files?: readonly FilePart[];
  /** Go after the text, each as a part of its own. */
  readonly context?: readonly string[];
  /** Without it the newest message; empty, none. */
  readonly parent?: string;
  readonly model?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** How a send went: into the log, refused (nothing was logged), or taken back before it left. */
export type SendResult =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly error: ErrorInfo }
  | { readonly kind: "withdrawn" };

/** What a request led to: its answer, or why there is none. */
export type Told<Answer> =
  | { readonly ok: Answer; readonly error: null }
  | { readonly ok: null; readonly error: ErrorInfo };

interface Held {
  readonly store: ConversationStore;
  readonly go: () => void;
  readonly withdraw: () => void;
}

interface Followed {
  readonly store: ConversationStore;
  watchers: number;
  linger: ReturnType<typeof setTimeout> | undefined;
}

/** Any number of conversations over one socket, which is opened when first needed and opened again when it is lost. */
export class Connection {
  status: Status = { kind: "connecting" };
  /** The models one can pick from, once the relay has told. */
  catalog: ModelsOk | null = null;
  /** Whether the relay's kernel computes and takes nothing from this page meanwhile. */
  blocked = false;
  /** What a file may have that the relay keeps; 0 where it keeps none, or has not greeted yet. */
  maxFileBytes = 0;
  /** Who is logged in here, as the relay knows them. */
  user = "";
  readonly #transport: Transport;
  readonly #session: ClientSession;
  readonly #answers = new Map<string, (ok: OkFrame | null, error: ErrorInfo | null) => void>();
  readonly #followed = new Map<string, Followed>();
  readonly #held = new Map<string, Held>();
  readonly #listeners = new Set<() => void>();
  readonly #lists = new Set<() => void>();
  #link: Link | null = null;
  #diagnosis = new AbortController();
  #heartbeat: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #holders = 0;
  #asking = false;
  #wasLive = false;
  /** When the link was lost, or first refused; in seconds, like `now`. */
  #downSince: number | null = null;

  constructor(transport: Transport, jitter: () => number = Math.random) {
    this.#transport = transport;
    this.#session = new ClientSession(CLIENT, jitter);
  }

  /** Where the relay is. */
  get relay(): "server" | "kernel" {
    return this.#transport.relay ?? "server";
  }

  /** Where files are kept; null where they travel within their prompt. */
  get blobs(): Blobs | null {
    return this.maxFileBytes > 0 ? (this.#transport.blobs ?? null) : null;
  }

  subscribe(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener));
  }

  /** Keep the connection until the signal; the first holder opens it, some time after the last one it closes. */
  hold(signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#holders += 1;
    clearTimeout(this.#linger);
    this.#start();
    signal.addEventListener("abort", () => {
      this.#holders -= 1;
      if (this.#holders === 0) this.#linger = setTimeout(() => this.#rest(), LINGER_MS);
    });
  }

  /** Follow a conversation until the signal. All its watchers share one store. */
  follow(conversation: string, signal: AbortSignal): ConversationStore {
    let followed = this.#followed.get(conversation);
    if (followed === undefined) {
      const store = new ConversationStore(conversation);
      followed = { store, watchers: 0, linger: undefined };
      this.#followed.set(conversation, followed);
      this.#ask(this.#session.open(conversation), (_, error) => {
        store.problem = error;
        store.changed();
      });
    }
    const entry = followed;
    entry.watchers += 1;
    clearTimeout(entry.linger);
    signal.addEventListener("abort", () => {
      entry.watchers -= 1;
      if (entry.watchers > 0) return;
      entry.linger = setTimeout(() => {
        this.#followed.delete(conversation);
        this.#ask(this.#session.leave(conversation), () => undefined);
      }, LINGER_MS);
    });
    return entry.store;
  }

  /** Start a run. Its prompt shows at once; `result` tells how it went. */
  send(store: ConversationStore, request: SendRequest): { run: string; result: Promise<SendResult> } {
    const run = randomId();
    const { text, files = [], context = [], ...rest } = request;
    const alone = text === undefined || (text === "" && files.length + context.length > 0);
    const texts = [...(alone ? [] : [text]), ...context];
    const parts = [...files, ...texts.map((one) => ({ type: "text" as const, text: one }))];
    const options: SendOptions = { ...rest, ...(parts.length === 0 ? {} : { message: { parts } }) };
    const held = this.#session.state === "offline" || this.#session.state === "greeting";
    const outgoing = { run, text: text ?? "", files, context, parent: request.parent ?? null };
    store.outbox.set(run, { ...outgoing, held });
    const result = new Promise<SendResult>((resolve) => {
      const over = (how: SendResult): void => {
        this.#held.delete(run);
        if (how.kind !== "accepted") {
          store.outbox.delete(run);
          store.stopping.delete(run);
        }
        store.changed();
        resolve(how);
      };
      const go = (): void => {
        this.#held.delete(run);
        if (store.outbox.has(run)) store.outbox.set(run, { ...outgoing, held: false });
        this.#ask(this.#session.send(store.id, run, options), (_, error) =>
          over(error === null ? { kind: "accepted" } : { kind: "refused", error }),
        );
      };
      // What has not left the page can be taken back as if it had never been sent.
      if (held) this.#held.set(run, { store, go, withdraw: () => over({ kind: "withdrawn" }) });
      else go();
    });
    store.changed();
    return { run, result };
  }

  /** End a run early, or take it back where it has not left yet. */
  stop(store: ConversationStore, run: string): void {
    const held = this.#held.get(run);
    if (held !== undefined) {
      held.withdraw();
      return;
    }
    if (store.stopping.has(run)) return;
    store.stopping.add(run);
    store.changed();
    this.#ask(this.#session.stop(run), (_, error) => {
      if (error === null) return;
      store.stopping.delete(run);
      store.changed();
    });
  }

  /** Tell the other views of a conversation what this page's does. */
  present(conversation: string, what: { readonly typing: boolean; readonly seen: number }): void {
    this.#do(this.#session.present(conversation, what));
  }

  /** Say whether a tool call may run; resolves with what was wrong with that, if anything. */
  approve(run: string, part: string, digest: string, allow: boolean): Promise<ErrorInfo | null> {
    return this.#wrong(this.#session.approve(run, part, digest, allow));
  }

  /** Keep what a person thinks of an answer; resolves with what was wrong with that, if anything. */
  rate(store: ConversationStore, message: string, value: Rate["value"]): Promise<ErrorInfo | null> {
    return this.#wrong(this.#session.rate(store.id, message, value));
  }

  /** Give a conversation a title; resolves with what was wrong with that, if anything. */
  rename({ id }: Pick<ConversationStore, "id">, title: string): Promise<ErrorInfo | null> {
    return this.#wrong(this.#session.rename(id, title));
  }

  /** Which conversations there are; `onOutdated` hears once of the next change. */
  conversations(which: Omit<List, "type" | "id">): Promise<Told<ListOk>> {
    return this.#told(this.#session.conversations(which), (ok) => "conversations" in ok);
  }

  /** Hear when what `conversations` told last may have changed, and whenever the relay is reached again. */
  onOutdated(listener: () => void, signal: AbortSignal): void {
    this.#lists.add(listener);
    signal.addEventListener("abort", () => this.#lists.delete(listener));
  }

  /** Delete a conversation, which can be restored for some minutes; resolves with what was wrong with that, if anything. */
  delete(conversation: string): Promise<ErrorInfo | null> {
    return this.#wrong(this.#session.delete(conversation));
  }

  /** Take a deletion back; resolves with what was wrong with that, if anything. */
  restore(conversation: string): Promise<ErrorInfo | null> {
    return this.#wrong(this.#session.restore(conversation));
  }

  /** A conversation as a file; it is the branch that ends in the message `leaf`, else in the newest. */
  export(conversation: string, form: Export["form"], leaf?: string): Promise<Told<ExportOk>> {
    return this.#told(this.#session.export(conversation, form, leaf), (ok) => "text" in ok);
  }

  /** Ask for the models anew. */
  refreshCatalog(): void {
    if (this.#asking) return;
    this.#asking = true;
    this.#ask(this.#session.models(), (ok) => {
      this.#asking = false;
      if (ok === null || !("models" in ok)) return;
      this.catalog = ok;
      this.#changed();
    });
  }

  /** What this user, and a conversation of theirs, have used and may use; null where the server does not tell. */
  spendings(conversation: string, signal: AbortSignal): Promise<Spendings | null> {
    return this.#transport.spendings(conversation, signal);
  }

  /** Do not wait for the next attempt. */
  retryNow(): void {
    if (this.#retry === undefined) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#connect();
  }

  #start(): void {
    if (this.#link !== null || this.#retry !== undefined || this.status.kind === "ended") return;
    this.#connect();
  }

  #rest(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#heartbeat);
    this.#retry = undefined;
    this.#diagnosis.abort();
    const link = this.#link;
    this.#link = null;
    link?.close();
    // The session takes note; its wish to come back waits for the next holder.
    if (link !== null) this.#session.disconnected();
    if (this.status.kind !== "ended") this.#is({ kind: "connecting" });
  }

  #connect(): void {
    this.#diagnosis.abort();
    this.#diagnosis = new AbortController();
    if (this.status.kind !== "connecting") {
      const reason = this.status.kind === "reconnecting" ? this.status.reason : null;
      this.#is({ kind: "reconnecting", retryAt: null, reason });
    }
    let opened = false;
    const link: Link = this.#transport.connect({
      opened: () => {
        if (this.#link !== link) return;
        opened = true;
        this.#do(this.#session.connected(now()));
      },
      received: (text) => {
        if (this.#link === link) this.#do(this.#session.received(text, now()));
      },
      closed: (code) => {
        if (this.#link !== link) return;
        this.#link = null;
        this.blocked = false;
        this.#downSince ??= now();
        this.#do(this.#session.disconnected(code));
        if (!opened) void this.#diagnose();
      },
      heeded: (on) => {
        if (this.#link !== link || this.blocked === !on) return;
        this.blocked = !on;
        this.#changed();
      },
    });
    this.#link = link;
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => {
      if (this.#link === link && !opened) link.close();
    }, CONNECT_TIMEOUT_MS);
  }

  /** A refused socket only shows 1006: ask the server why. */
  async #diagnose(): Promise<void> {
    const { signal } = this.#diagnosis;
    const found = await this.#transport.diagnose(signal).catch(() => null);
    if (signal.aborted || this.status.kind !== "reconnecting") return;
    if (found?.final) {
      for (const { store } of this.#followed.values()) store.cut(found.reason);
      this.#do(this.#session.end(found.reason));
      return;
    }
    // What worked before gets its time to stop before anybody is told to look at the proxy.
    const down = now() - (this.#downSince ?? now());
    const early = found?.passing === true && this.#wasLive && down < STOPPING_S;
    this.#is({ ...this.status, reason: early ? null : (found?.reason ?? null) });
  }

  /** What was wrong with a request, if anything. */
  #wrong(asked: Asked): Promise<ErrorInfo | null> {
    return new Promise((resolve) => this.#ask(asked, (_, error) => resolve(error)));
  }

  /** The answer of its kind, or why there is none. */
  #told<Kind extends OkFrame>(asked: Asked, is: (ok: OkFrame) => boolean): Promise<Told<Kind>> {
    return new Promise((resolve) =>
      this.#ask(asked, (ok, error) => {
        if (ok !== null && is(ok)) resolve({ ok: ok as Kind, error: null });
        else resolve({ ok: null, error: error ?? { code: "internal", message: unanswered(), retryable: true } });
      }),
    );
  }

  #ask([id, outcomes]: Asked, answered: (ok: OkFrame | null, error: ErrorInfo | null) => void): void {
    this.#answers.set(id, answered);
    this.#do(outcomes);
  }

  #do(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) this.#carryOut(outcome);
    clearTimeout(this.#heartbeat);
    const deadline = this.#session.deadline();
    if (deadline !== null) {
      const wait = Math.max(0, deadline - now()) * 1000;
      this.#heartbeat = setTimeout(() => this.#do(this.#session.tick(now())), wait);
    }
  }

  #carryOut(outcome: Outcome): void {
    switch (outcome.type) {
      case "write":
        this.#link?.send(JSON.stringify(outcome.frame));
        return;
      case "answer": {
        const answered = this.#answers.get(outcome.id);
        this.#answers.delete(outcome.id);
        answered?.(outcome.ok, outcome.error);
        return;
      }
      case "deliver":
        this.#followed.get(outcome.conversation)?.store.deliver(outcome.events, outcome.seq);
        return;
      case "replace":
        this.#followed.get(outcome.conversation)?.store.replace(outcome.state, outcome.seq);
        return;
      case "gone":
        this.#followed.get(outcome.conversation)?.store.remove(outcome.restorable);
        return;
      case "views":
        this.#followed.get(outcome.conversation)?.store.seeViews(outcome.views);
        return;
      case "outdated":
        for (const listener of [...this.#lists]) listener();
        return;
      case "drop":
        // The transport reports `closed`, and that leads on.
        this.#link?.close();
        return;
      case "retry": {
        const wait = outcome.delay_s * 1000;
        const reason = this.status.kind === "reconnecting" ? this.status.reason : null;
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => {
          this.#retry = undefined;
          this.#connect();
        }, wait);
        this.#is({ kind: "reconnecting", retryAt: Date.now() + wait, reason });
        return;
      }
      case "ended":
        clearTimeout(this.#retry);
        this.#retry = undefined;
        this.#is({ kind: "ended", reason: outcome.error });
        for (const { go } of [...this.#held.values()]) go();
        this.#link?.close();
        return;
      case "live":
        this.#wasLive = true;
        // An earlier version of the relay does not say.
        this.user = outcome.welcome.user;
        this.maxFileBytes = outcome.welcome.limits?.max_blob_bytes ?? 0;
        this.#downSince = null;
        this.#is({ kind: "live" });
        queueMicrotask(() => {
          for (const { go } of [...this.#held.values()]) go();
        });
        // A relay that was started anew may have others.
        queueMicrotask(() => this.refreshCatalog());
        for (const listener of [...this.#lists]) listener();
        return;
      default:
        outcome satisfies never;
    }
  }

  #is(status: Status): void {
    this.status = status;
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** An id that never meets another: 24 of 64 letters, 144 bits. */
export function randomId(): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return Array.from(bytes, (byte) => alphabet[byte & 63]).join("");
}

function now(): number {
  return performance.now() / 1000;
}
