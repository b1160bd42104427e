/** The conversations of a list, kept current: what was told, what is searched, and what was deleted just now. */

import type { Connection } from "../connection.ts";
import type { ConversationInfo, ErrorInfo } from "../protocol/frames.gen.ts";

/** How many are asked for at first, and at each further step. */
export const PAGE = 50;
/** As many as the relay tells at once. */
const MOST = 1000;
/** A search begins when nothing was typed for so long. */
export const TYPING_MS = 150;
/** Between two looks because something has changed: while an answer streams to another tab, much does. */
export const GAP_MS = 1_000;
/** Two servers of one user do not tell each other: a page that is looked at again asks, but not oftener. */
export const GLANCE_MS = 10_000;

/** What was deleted last, so that it can be restored. */
export interface Deletion {
  readonly id: string;
  readonly title: string;
}

export class Listing {
  items: readonly ConversationInfo[] = [];
  /** Whether there are older ones. */
  more = false;
  /** Whether the relay has told anything yet. */
  loaded = false;
  /** What is searched for, as it was typed. */
  words = "";
  /** What the items are told for. */
  toldFor = "";
  problem: ErrorInfo | null = null;
  deletion: Deletion | null = null;
  readonly #connection: Connection;
  readonly #listeners = new Set<() => void>();
  readonly #lifetime: AbortSignal;
  /** Deleted here; the relay may not know yet. */
  readonly #hidden = new Set<string>();
  #asked = 0;
  #askedAt = 0;
  #paging = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: Connection, lifetime: AbortSignal) {
    this.#connection = connection;
    this.#lifetime = lifetime;
    connection.onOutdated(() => this.#soon(Math.max(0, GAP_MS - (Date.now() - this.#askedAt))), lifetime);
    const glance = (): void => {
      if (Date.now() - this.#askedAt > GLANCE_MS) this.#soon(0);
    };
    document.addEventListener("visibilitychange", glance, { signal: lifetime });
    globalThis.addEventListener?.("focus", glance, { signal: lifetime });
    lifetime.addEventListener("abort", () => clearTimeout(this.#timer));
    if (connection.status.kind === "live") this.#soon(0);
  }

  subscribe(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener));
  }

  /** Show those that hold all of these words, once nothing more is typed. */
  search(words: string): void {
    if (words === this.words) return;
    this.words = words;
    this.#soon(words.trim() === "" ? 0 : TYPING_MS);
    this.#changed();
  }

  /** Ask again now. */
  refresh(): void {
    this.#soon(0);
  }

  /** Show older ones. */
  async further(): Promise<void> {
    const last = this.items.at(-1);
    if (!this.more || this.#paging || last === undefined || this.words !== this.toldFor) return;
    this.#paging = true;
    const asked = this.#asked;
    const before = { used: last.used, id: last.id };
    const { ok, error } = await this.#connection.conversations({ limit: PAGE, before, search: this.words.trim() });
    this.#paging = false;
    // What was asked since has all of it.
    if (asked !== this.#asked || this.#lifetime.aborted) return;
    this.problem = error;
    if (ok !== null) {
      const known = new Set(this.items.map(({ id }) => id));
      this.items = [...this.items, ...this.#seen(ok.conversations).filter(({ id }) => !known.has(id))];
      this.more = ok.more;
    }
    this.#changed();
  }

  async rename(id: string, title: string): Promise<void> {
    const before = this.items;
    this.items = before.map((one) => (one.id === id && title !== "" ? { ...one, title } : one));
    this.#changed();
    await this.#done(await this.#connection.rename({ id }, title));
  }

  /** Hide it at once; `undo` takes that back. */
  async remove(id: string): Promise<void> {
    const title = this.items.find((one) => one.id === id)?.title ?? "";
    this.#hidden.add(id);
    this.items = this.#seen(this.items);
    this.deletion = { id, title };
    this.#changed();
    const error = await this.#connection.delete(id);
    // The relay tells of it no more, unless somebody has restored it elsewhere.
    this.#hidden.delete(id);
    if (error !== null && error.code !== "not_found" && this.deletion?.id === id) this.deletion = null;
    await this.#done(error);
  }

  async undo(): Promise<void> {
    const { deletion } = this;
    if (deletion === null) return;
    this.deletion = null;
    this.#changed();
    await this.#done(await this.#connection.restore(deletion.id));
  }

  /** It is not to be taken back here any more. */
  forget(deletion: Deletion): void {
    if (this.deletion !== deletion) return;
    this.deletion = null;
    this.#changed();
  }

  /** Download it. */
  async save(id: string, form: "md" | "jsonl"): Promise<void> {
    const { ok, error } = await this.#connection.export(id, form);
    if (ok !== null) download(ok.name, ok.text);
    this.problem = error;
    this.#changed();
  }

  /** What was asked for is done, or could not be: look again. */
  async #done(error: ErrorInfo | null): Promise<void> {
    await this.#ask();
    if (error === null) return;
    this.problem = error;
    this.#changed();
  }

  #soon(wait: number): void {
    clearTimeout(this.#timer);
    // Who comes back to a hidden page glances at it.
    this.#timer = setTimeout(() => {
      if (document.visibilityState === "hidden") this.#askedAt = 0;
      else void this.#ask();
    }, wait);
  }

  /** Ask for all that is shown. */
  async #ask(): Promise<void> {
    if (this.#lifetime.aborted) return;
    this.#askedAt = Date.now();
    const { words } = this;
    const asked = (this.#asked += 1);
    const limit = words === this.toldFor ? Math.min(MOST, Math.max(PAGE, this.items.length)) : PAGE;
    const { ok, error } = await this.#connection.conversations({ limit, search: words.trim() });
    if (asked !== this.#asked || this.#lifetime.aborted) return;
    this.problem = error;
    if (ok !== null) {
      this.items = this.#seen(ok.conversations);
      this.more = ok.more;
      this.loaded = true;
      this.toldFor = words;
    }
    this.#changed();
  }

  #seen(items: readonly ConversationInfo[]): readonly ConversationInfo[] {
    return items.filter(({ id }) => !this.#hidden.has(id));
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Let the browser save a text as a file. */
export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
