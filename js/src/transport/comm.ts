/** How frames travel to a relay in the kernel: over a widget's comm, joined and numbered. `docs/PROTOCOL.md` has the carriage. */

import type { ErrorInfo } from "../protocol/frames.gen.ts";
import type { Link, Transport } from "./websocket.ts";
import * as strings from "./strings.ts";

/** What of a widget's model is used here. */
export interface CommModel {
  on(event: string, listener: (content: unknown) => void): void;
  off(event: string, listener: (content: unknown) => void): void;
  send(content: unknown): void;
}

/** The kernel gives a sign of life every 5 s, from a thread, whatever it computes. */
export const SILENT_MS = 16_000;
/** A kernel that is there answers a new link at once, unless it computes. */
export const OPENS_MS = 6_000;
/** What a kernel has not taken after so long waits until it has computed. */
export const HEEDED_MS = 1_500;
/** The page's own sign of life. */
export const SIGN_MS = 30_000;

const CHANNEL = "msg:custom";
/** Jupyter's manager of widgets tells by these that the kernel, or only this widget, has ended. */
const ENDINGS = ["comm_live_update", "comm:close"] as const;

const ended = (): ErrorInfo => ({ code: "not_found", message: strings.kernelGone(), retryable: false });
const unanswered = (lately: boolean): ErrorInfo => ({
  code: "internal",
  message: lately ? strings.kernelBusy() : strings.kernelSilent(),
  retryable: true,
});

interface Heard {
  readonly link: string;
  readonly n: number;
  readonly got: number;
  readonly frames: readonly unknown[];
  /** Absent while the link stands. */
  readonly closed: number | null | undefined;
}

/** A transport to the relay in the kernel of this widget, until the signal. */
export function commTransport(model: CommModel, signal: AbortSignal): Transport {
  let heardAt = -Infinity;
  let gone = false;
  let current: { hear(heard: Heard): void; lose(): void } | null = null;

  const hear = (content: unknown): void => {
    const heard = read(content);
    if (heard === null) return;
    heardAt = performance.now();
    gone = false;
    current?.hear(heard);
  };
  const end = (): void => {
    gone = true;
    current?.lose();
  };
  model.on(CHANNEL, hear);
  for (const ending of ENDINGS) model.on(ending, end);
  signal.addEventListener("abort", () => {
    gone = true;
    model.off(CHANNEL, hear);
    for (const ending of ENDINGS) model.off(ending, end);
  });

  /** False where nobody is there to take it. */
  const tell = (content: Readonly<Record<string, unknown>>): boolean => {
    try {
      model.send({ type: "link", ...content });
      return true;
    } catch {
      return false;
    }
  };

  return {
    relay: "kernel",

    connect(events) {
      const link = crypto.randomUUID();
      const born = performance.now();
      let over = false;
      let opened = false;
      // The kernel's last message, ours, and the last of ours that it has taken.
      let last = 0;
      let sent = 0;
      let taken = 0;
      let waiting: unknown[] = [];
      let heeded: ReturnType<typeof setTimeout> | undefined;
      let mineAt = born;

      const close = (code: number | null): void => {
        if (over) return;
        over = true;
        clearTimeout(heeded);
        clearInterval(watch);
        clearInterval(sign);
        signal.removeEventListener("abort", leave);
        current = null;
        events.closed(code);
      };
      const leave = (): void => {
        if (over) return;
        tell({ link, closed: true });
        close(null);
      };
      const say = (): void => {
        const frames = waiting;
        waiting = [];
        if (over) return;
        sent += 1;
        heeded ??= setTimeout(() => {
          heeded = undefined;
          // A silent kernel is not a busy one.
          if (performance.now() - heardAt < SILENT_MS) events.heeded?.(false);
        }, HEEDED_MS);
        if (!tell({ link, n: sent, frames })) {
          gone = true;
          close(null);
        }
      };
      const take = (heard: Heard): void => {
        if (heard.closed !== undefined) {
          close(heard.closed);
          return;
        }
        // One came twice, or one is missing: the relay knows what we have, and tells the rest.
        if (heard.n <= last) return;
        if (heard.n > last + 1) {
          leave();
          return;
        }
        last = heard.n;
        mineAt = performance.now();
        taken = Math.max(taken, heard.got);
        if (taken >= sent) {
          clearTimeout(heeded);
          heeded = undefined;
          events.heeded?.(true);
        }
        if (!opened) {
          opened = true;
          events.opened();
        }
        for (const frame of heard.frames) if (!over) events.received(JSON.stringify(frame));
        if (heard.frames.length === 0 && !over) events.received(LIFE);
      };
      const watch = setInterval(() => {
        const now = performance.now();
        if (now - mineAt > SILENT_MS && opened) leave();
        else if (!opened && now - born > OPENS_MS && now - heardAt > SILENT_MS) leave();
      }, 1000);
      const sign = setInterval(say, SIGN_MS);
      signal.addEventListener("abort", leave);

      current = {
        hear: (heard) => heard.link === link && !over && take(heard),
        lose: () => close(null),
      };
      // The owner of the link does not have it yet.
      queueMicrotask(() => (gone ? close(null) : say()));
      const made: Link = {
        send: (text) => {
          waiting.push(JSON.parse(text));
          // What is sent in one turn goes into one message.
          if (waiting.length === 1) queueMicrotask(say);
        },
        close: leave,
      };
      return made;
    },

    diagnose() {
      if (gone) return Promise.resolve({ reason: ended(), passing: false, final: true });
      const reason = unanswered(performance.now() - heardAt < SILENT_MS);
      return Promise.resolve({ reason, passing: false });
    },

    // A relay in a kernel sets no limits, so there is nothing left to tell.
    spendings: () => Promise.resolve(null),
  };
}

/** The session knows by it that the link stands. */
const LIFE = JSON.stringify({ type: "pong", t: 0 });

function read(content: unknown): Heard | null {
  if (typeof content !== "object" || content === null) return null;
  const { type, link, n, got, frames, closed } = content as Record<string, unknown>;
  if (type !== "link" || typeof link !== "string") return null;
  return {
    link,
    n: typeof n === "number" ? n : 0,
    got: typeof got === "number" ? got : 0,
    frames: Array.isArray(frames) ? frames : [],
    closed: closed === undefined || typeof closed === "number" ? closed : null,
  };
}
