/**
 * A transport whose other end is the test: it opens, refuses, cuts and answers when told.
 *
 * `links` holds every link that was asked for, `last` the newest. To speak for the relay call `last.say(frame)`; what the
 * page wrote is in `last.written`. Extend it by adding what the relay should do by itself to `FakeLink.send`.
 */
import type { Spendings } from "../../src/model/spendings.ts";
import type { ClientFrame, ErrorInfo, Event, ServerFrame } from "../../src/protocol/frames.gen.ts";
import type { Blobs } from "../../src/transport/blobs.ts";
import type { Diagnosis, Link, LinkEvents, Transport } from "../../src/transport/websocket.ts";

export class FakeLink implements Link {
  readonly written: ClientFrame[] = [];
  closed = false;
  readonly #events: LinkEvents;
  readonly #maxBlobBytes: number;
  #seq = 0;

  constructor(events: LinkEvents, maxBlobBytes = 0) {
    this.#events = events;
    this.#maxBlobBytes = maxBlobBytes;
  }

  send(text: string): void {
    this.written.push(JSON.parse(text) as ClientFrame);
  }

  close(): void {
    this.cut(null);
  }

  open(): void {
    this.#events.opened();
  }

  cut(code: number | null): void {
    if (this.closed) return;
    this.closed = true;
    this.#events.closed(code);
  }

  say(frame: ServerFrame): void {
    this.#events.received(JSON.stringify(frame));
  }

  /** Open, and answer the greeting. */
  greet(): void {
    this.open();
    this.say({
      type: "welcome",
      session: "s1",
      user: "ada",
      heartbeat_s: 15,
      limits: { max_frame_bytes: 10485760, window_bytes: 262144, join_bytes: 65536, max_blob_bytes: this.#maxBlobBytes },
      version: "0",
    });
  }

  /** Answer an `open`, with nothing in the log. */
  opened(conversation: string): void {
    const open = this.of("open").at(-1);
    this.say({ type: "ok", id: open?.id ?? "", conversation, epoch: "e1", head: 0 });
    const state = { messages: [], runs: {}, settings: { model: "", params: {} }, title: "" };
    this.say({ type: "snapshot", conversation, epoch: "e1", seq: 0, state });
  }

  events(conversation: string, ...events: Event[]): void {
    const from = this.#seq + 1;
    this.#seq += events.length;
    this.say({ type: "events", conversation, epoch: "e1", from, to: this.#seq, events });
  }

  of<Type extends ClientFrame["type"]>(type: Type): Extract<ClientFrame, { type: Type }>[] {
    return this.written.filter(
      (frame): frame is Extract<ClientFrame, { type: Type }> => frame.type === type,
    );
  }
}

export class FakeTransport implements Transport {
  readonly links: FakeLink[] = [];
  reason: ErrorInfo | null = null;
  passing = false;
  usage: Spendings | null = null;
  /** What the relay keeps of a prompt's files; `maxBlobBytes` is told in its greeting. */
  blobs: Blobs | null = null;
  maxBlobBytes = 0;

  connect(events: LinkEvents): Link {
    const link = new FakeLink(events, this.maxBlobBytes);
    this.links.push(link);
    return link;
  }

  spendings(): Promise<Spendings | null> {
    return Promise.resolve(this.usage);
  }

  diagnose(): Promise<Diagnosis | null> {
    const { reason, passing } = this;
    return Promise.resolve(reason === null ? null : { reason, passing });
  }

  get last(): FakeLink {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error("nobody connected");
    return link;
  }
}
