/**
 * A kernel with a relay in it, at the other end of a widget's comm that a test bends.
 *
 * `model` is the widget's model. Frames of the relay wait until `flush`, which joins them into one numbered message for each
 * link. `bend` decides what becomes of each message of the kernel: it returns those that arrive in its place, in their order.
 * A kernel that is `busy` takes nothing, one that is `dead` says nothing either.
 */
import type { CommModel } from "../../src/transport/comm.ts";
import { FakeRelay, type RelayLink } from "./relay.ts";

export interface Message {
  readonly type: "link";
  readonly link: string;
  readonly n?: number;
  readonly got?: number;
  readonly frames?: readonly unknown[];
  readonly closed?: boolean | number | null;
}

interface Joined {
  readonly link: RelayLink;
  readonly waiting: unknown[];
  sent: number;
  got: number;
}

export class FakeKernel {
  readonly relay = new FakeRelay();
  readonly taken: Message[] = [];
  bend: (message: Message) => readonly Message[] = (message) => [message];
  busy = false;
  dead = false;
  readonly #queue: Message[] = [];
  readonly #links = new Map<string, Joined>();
  readonly #listeners = new Map<string, Set<(content: unknown) => void>>();

  readonly model: CommModel = {
    on: (event, listener) => {
      this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(listener));
    },
    off: (event, listener) => this.#listeners.get(event)?.delete(listener),
    send: (content) => {
      this.#queue.push(JSON.parse(JSON.stringify(content)) as Message);
      this.#work();
    },
  };

  /** Links that stand. */
  get open(): string[] {
    return [...this.#links.keys()];
  }

  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, some) => sum + some.size, 0);
  }

  emit(event: string, content?: unknown): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(content);
  }

  say(message: Omit<Message, "type">): void {
    if (!this.dead) this.emit("msg:custom", { type: "link", ...message });
  }

  /** Say what there is to say on every link; a sign of life where there is nothing. */
  flush(): void {
    this.#work();
    for (const [link, joined] of [...this.#links]) {
      joined.link.carry();
      joined.sent += 1;
      const { sent: n, got } = joined;
      const frames = joined.waiting.splice(0);
      for (const arrives of this.bend({ type: "link", link, n, got, frames })) this.say(arrives);
    }
  }

  #work(): void {
    while (!this.busy && !this.dead) {
      const message = this.#queue.shift();
      if (message === undefined) return;
      this.taken.push(message);
      const { link, n = 0, frames = [], closed } = message;
      let joined = this.#links.get(link);
      if (closed) {
        this.#links.delete(link);
        joined?.link.cut(null);
        continue;
      }
      if (joined === undefined) {
        if (n !== 1) {
          this.say({ link, closed: null });
          continue;
        }
        const waiting: unknown[] = [];
        const made = this.relay.connect({
          opened: () => undefined,
          received: (text) => waiting.push(JSON.parse(text)),
          closed: () => undefined,
        }) as RelayLink;
        joined = { link: made, waiting, sent: 0, got: 0 };
        this.#links.set(link, joined);
      }
      joined.got = n;
      for (const frame of frames) joined.link.send(JSON.stringify(frame));
    }
  }
}
