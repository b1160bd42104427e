/** The codec: text to a server's frames, with what a later version may add left out. */

import type { Event, Ok, ServerFrame } from "./frames.gen.ts";

/** An `ok`; which one it is, only the request with its `id` knows. */
export type OkFrame = Ok;

/** The types of events that this version knows; the check below keeps it complete. */
const EVENT_TYPES = {
  message: true,
  settings: true,
  title: true,
  start: true,
  status: true,
  "text-start": true,
  "text-delta": true,
  "text-end": true,
  "reasoning-start": true,
  "reasoning-delta": true,
  "reasoning-end": true,
  "tool-input-start": true,
  "tool-input-delta": true,
  "tool-input-available": true,
  "tool-approval-request": true,
  "tool-approval-response": true,
  "tool-output-available": true,
  "tool-output-error": true,
  file: true,
  feedback: true,
  "source-url": true,
  finish: true,
  abort: true,
  error: true,
} satisfies Record<Event["type"], true>;

/** Of each frame, the fields without which it cannot be used, and their types. */
const REQUIRED = {
  welcome: { session: "string", heartbeat_s: "number" },
  ok: { id: "string" },
  events: { conversation: "string", epoch: "string", from: "number", to: "number", events: "array" },
  snapshot: { conversation: "string", epoch: "string", seq: "number", state: "object" },
  deleted: { conversation: "string" },
  restored: { conversation: "string" },
  stale: {},
  views: { conversation: "string", views: "array" },
  call: { call: "string", model: "string", messages: "array", params: "object" },
  tool: { call: "string", conversation: "string", run: "string", part: "string", name: "string", input: "object" },
  approved: { call: "string", digest: "string" },
  cancel: { call: "string" },
  fail: { error: "object" },
  bye: { error: "object" },
  ping: { t: "number" },
  pong: { t: "number" },
} satisfies Record<ServerFrame["type"], Record<string, string>>;

/** Read one frame of the server: `unknown` for a type of a later version, `malformed` for what is no frame. */
export function decodeServerFrame(data: string): ServerFrame | "unknown" | "malformed" {
  let frame: unknown;
  try {
    frame = JSON.parse(data);
  } catch {
    return "malformed";
  }
  if (kind(frame) !== "object") return "malformed";
  const fields = frame as Record<string, unknown>;
  const type = fields["type"];
  if (typeof type !== "string") return "malformed";
  if (!Object.hasOwn(REQUIRED, type)) return "unknown";
  const required = REQUIRED[type as keyof typeof REQUIRED];
  for (const [name, wanted] of Object.entries(required)) {
    if (kind(fields[name]) !== wanted) return "malformed";
  }
  return frame as ServerFrame;
}

/** The events of types that this version knows. */
export function knownEvents(events: readonly Event[]): readonly Event[] {
  return events.filter((event) => Object.hasOwn(EVENT_TYPES, event.type));
}

function kind(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
