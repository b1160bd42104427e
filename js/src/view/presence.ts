/** What this page says of itself to the other views of a conversation: that somebody types, and what they have seen. */

import type { Connection } from "../connection.ts";
import type { ConversationStore } from "../conversation.ts";

/** Typing is said again so often; the relay forgets it after twice as long. */
export const AGAIN_MS = 3_000;
/** Who has typed nothing for so long types no more. */
export const PAUSE_MS = 4_000;
/** Between two times that something was seen. */
export const SEEN_MS = 1_000;

export class Presence {
  readonly #connection: Connection;
  readonly #store: ConversationStore;
  readonly #shown: () => boolean;
  #typing = false;
  #saidAt = -Infinity;
  #seen = 0;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #look: ReturnType<typeof setTimeout> | undefined;

  /** `shown` says whether the view is on the screen. */
  constructor(connection: Connection, store: ConversationStore, shown: () => boolean, lifetime: AbortSignal) {
    this.#connection = connection;
    this.#store = store;
    this.#shown = shown;
    const look = (): void => this.#lookSoon();
    store.subscribe(look, lifetime);
    document.addEventListener("visibilitychange", look, { signal: lifetime });
    lifetime.addEventListener("abort", () => {
      clearTimeout(this.#pause);
      clearTimeout(this.#look);
      if (this.#typing) this.#type(false);
    });
    this.#say();
    this.#lookSoon();
  }

  /** The prompt that is being written has changed. */
  typed(text: string): void {
    clearTimeout(this.#pause);
    // Who comes back to a view that was closed writes there.
    this.#lookSoon();
    if (text.trim() === "") {
      if (this.#typing) this.#type(false);
      return;
    }
    this.#pause = setTimeout(() => this.#type(false), PAUSE_MS);
    if (!this.#typing || Date.now() - this.#saidAt >= AGAIN_MS) this.#type(true);
  }

  #type(on: boolean): void {
    this.#typing = on;
    this.#saidAt = Date.now();
    this.#say();
  }

  #lookSoon(): void {
    this.#look ??= setTimeout(() => {
      this.#look = undefined;
      const { settled } = this.#store;
      if (document.visibilityState === "hidden" || settled <= this.#seen || !this.#shown()) return;
      this.#seen = settled;
      this.#say();
    }, SEEN_MS);
  }

  #say(): void {
    this.#connection.present(this.#store.id, { typing: this.#typing, seen: this.#seen });
  }
}
