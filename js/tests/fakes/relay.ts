/**
 * A relay with one log, at the other end of any number of links that a test cuts.
 *
 * It answers `hello`, `open`, `models` and `ping` as the protocol says, and nothing else. `append` adds to the log and tells
 * every link that has it open; what is on its way waits until `carry`, so that a cut loses it. `meets` is how it meets new links.
 */
import { EMPTY, fold } from "../../src/model/reduce.ts";
import type { ClientFrame, Event, ServerFrame } from "../../src/protocol/frames.gen.ts";
import type { Diagnosis, Link, LinkEvents, Transport } from "../../src/transport/websocket.ts";

export const CONVERSATION = "c1";
const EPOCH = "e1";

export class RelayLink implements Link {
  /** Whether frames still come through; a dead link says nothing to anybody. */
  dead = false;
  closed = false;
  greeted = false;
  readonly #relay: FakeRelay;
  readonly #events: LinkEvents;
  readonly #way: ServerFrame[] = [];
  #follows = false;

  constructor(relay: FakeRelay, events: LinkEvents) {
    this.#relay = relay;
    this.#events = events;
  }

  open(): void {
    if (!this.closed) this.#events.opened();
  }

  close(): void {
    this.cut(null);
  }

  cut(code: number | null): void {
    if (this.closed) return;
    this.closed = true;
    this.#events.closed(code);
  }

  send(text: string): void {
    if (this.closed || this.dead) return;
    const frame = JSON.parse(text) as ClientFrame;
    if (frame.type === "hello") {
      this.greeted = true;
      this.#say({
        type: "welcome",
        session: "s1",
        user: "ada",
        heartbeat_s: 15,
        limits: { max_frame_bytes: 10485760, window_bytes: 262144, join_bytes: 65536, max_blob_bytes: 0 },
        version: "0",
      });
    } else if (frame.type === "ping") {
      this.#say({ type: "pong", t: frame.t });
    } else if (frame.type === "models") {
      this.#say({ type: "ok", id: frame.id, models: [], default: "", problems: [] });
    } else if (frame.type === "open") {
      const { log } = this.#relay;
      this.#say({ type: "ok", id: frame.id, conversation: CONVERSATION, epoch: EPOCH, head: log.length });
      if (frame.after == null || frame.epoch !== EPOCH) {
        const state = fold(EMPTY, log);
        this.#say({ type: "snapshot", conversation: CONVERSATION, epoch: EPOCH, seq: log.length, state });
      } else if (frame.after < log.length) {
        this.tell(frame.after + 1, log.slice(frame.after));
      }
      this.#follows = true;
    }
  }

  appended(from: number, events: readonly Event[]): void {
    if (this.#follows) this.tell(from, events);
  }

  tell(from: number, events: readonly Event[]): void {
    const to = from + events.length - 1;
    this.#say({ type: "events", conversation: CONVERSATION, epoch: EPOCH, from, to, events: [...events] });
  }

  /** Let so many frames arrive; true if there were any. */
  carry(count = Infinity): boolean {
    let carried = false;
    for (; count > 0 && !this.closed && !this.dead; count -= 1) {
      const frame = this.#way.shift();
      if (frame === undefined) break;
      carried = true;
      this.#events.received(JSON.stringify(frame));
    }
    return carried;
  }

  #say(frame: ServerFrame): void {
    this.#way.push(frame);
  }
}

export class FakeRelay implements Transport {
  readonly links: RelayLink[] = [];
  readonly log: Event[] = [];
  meets: "opens" | "refuses" | "is silent" = "opens";

  connect(events: LinkEvents): Link {
    const link = new RelayLink(this, events);
    this.links.push(link);
    queueMicrotask(() => {
      if (this.meets === "opens") link.open();
      if (this.meets === "refuses") link.cut(1006);
    });
    return link;
  }

  diagnose(): Promise<Diagnosis | null> {
    return Promise.resolve(null);
  }

  spendings(): Promise<null> {
    return Promise.resolve(null);
  }

  append(...events: Event[]): void {
    const from = this.log.length + 1;
    this.log.push(...events);
    for (const link of this.links) link.appended(from, events);
  }

  get last(): RelayLink {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error("nobody connected");
    return link;
  }

  /** Links over which the page was greeted. */
  get greeted(): number {
    return this.links.filter((link) => link.greeted).length;
  }
}
