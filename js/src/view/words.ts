/** What a person reads about a run and about the connection. */

import type { Status } from "../connection.ts";
import { visible } from "../markdown/index.ts";
import type { Part } from "../model/reduce.ts";
import type { ErrorInfo, ReasoningPart, RunRecord } from "../protocol/frames.gen.ts";
import type { Left } from "../model/spendings.ts";

/** What a run does before its first token, or that it is being stopped; empty when there is nothing to say. */
export function progress(
  record: RunRecord | undefined,
  held: boolean,
  stopping: boolean,
  parts: readonly Part[],
): string {
  if (stopping) return "Stopping…";
  if (record === undefined) return held ? "Waiting for the connection…" : "Sending…";
  const tools = record.state === "running" ? toolsAtWork(parts) : "";
  if (tools || (parts.length > 0 && record.state !== "retrying")) return tools;
  switch (record.state ?? "queued") {
    case "queued":
      return record.position == null || record.position < 1
        ? "Queued…"
        : `Queued, ${ordinal(record.position)} in line…`;
    case "retrying":
      return record.retry_after == null
        ? "The provider is busy. Trying again…"
        : `The provider is busy. Trying again in ${seconds(record.retry_after)}…`;
    case "running":
      return "Waiting for the first token…";
    case "stopping":
      return "Stopping…";
    case "done":
    case "error":
    case "interrupted":
      return "";
  }
}

/** What the answer waits for, where that is a tool or who decides about one. */
function toolsAtWork(parts: readonly Part[]): string {
  const calls = parts.filter((part) => part.type === "tool");
  if (calls.some(({ state }) => state === "approval-requested")) return "Waiting for your decision…";
  const names = calls
    .filter(({ state }) => state === "input-available" || state === "approval-responded")
    .map(({ name }) => visible(name));
  return names.length === 0 ? "" : `Running ${names.join(", ")}…`;
}

/** How a run ended, where that needs a word. */
export function ending(
  record: RunRecord,
): { readonly tone: "calm" | "bad"; readonly text: string } | null {
  if (record.state === "error") {
    return { tone: "bad", text: record.error?.message ?? "The answer failed." };
  }
  if (record.state === "interrupted") {
    switch (record.abort_reason) {
      case "budget":
        return { tone: "bad", text: "Stopped: the budget is used up." };
      case "unwatched":
        return { tone: "calm", text: "Stopped, as nobody was watching" };
      case "server_lost":
        return { tone: "bad", text: "The server was restarted while it answered. This is what came." };
      default:
        return { tone: "calm", text: "Stopped" };
    }
  }
  if (record.finish_reason === "length") {
    return { tone: "calm", text: "Cut off at the model’s length limit" };
  }
  if (record.finish_reason === "content-filter") {
    return { tone: "bad", text: "Held back by the provider’s content filter." };
  }
  return null;
}

/** How long a model thought, once it has. */
export function thinking({ open, started_t: from, ended_t: to }: ReasoningPart): string {
  if (open) return "Thinking…";
  const took = from == null || to == null ? -1 : Math.round((to - from) / 1000);
  // Where the end was lost, nobody knows.
  if (took < 0) return "Thoughts";
  if (took < 1) return "Thought for a moment";
  return took < 60 ? `Thought for ${took} s` : `Thought for ${Math.floor(took / 60)} min ${took % 60} s`;
}

/** Whether an answer ended well, but early, so that its model could go on. */
export function cutOff(record: RunRecord): boolean {
  return record.finish_reason === "length" || (record.state === "interrupted" && record.abort_reason === "user");
}

/** A run's figures: the short form, and what each means. */
export function figures(record: RunRecord): { readonly text: string; readonly title: string }[] {
  const shown: { text: string; title: string }[] = [];
  const { timing, usage } = record;
  const { left_out: out } = record;
  if (out != null && out > 0) {
    shown.push({
      text: `${out} earlier ${out === 1 ? "message" : "messages"} left out`,
      title: "They do not fit into what this model reads at once",
    });
  }
  const about = usage?.estimated ? "~" : "";
  if (timing?.ttft_ms != null) {
    shown.push({ text: `${seconds(timing.ttft_ms / 1000)} to first token`, title: "Time to first token" });
  }
  if (timing?.output_per_s != null) {
    shown.push({
      text: `${about}${rounded(timing.output_per_s)} tokens/s`,
      title: about ? "Tokens per second, estimated" : "Tokens per second",
    });
  }
  if (usage != null && usage.output > 0) {
    const parts = [
      `${about}${usage.input} tokens in`,
      ...(usage.cached ? [`${usage.cached} of them cached`] : []),
      `${about}${usage.output} tokens out`,
      ...(usage.reasoning ? [`${usage.reasoning} of them reasoning`] : []),
    ];
    shown.push({ text: `${about}${usage.output} tokens`, title: parts.join(", ") });
  }
  return shown;
}

/** What may still be used, shortly or to the last token; of dollars only an estimate is known. */
export function remaining({ of, left, limit }: Left, exact = false): string {
  if (of === "US dollars today") return `about $${left.toFixed(2)} of $${limit.toFixed(2)} left today`;
  const number = (value: number): string =>
    new Intl.NumberFormat("en", exact ? {} : { notation: "compact" }).format(value);
  const where = of === "tokens today" ? "today" : "in this conversation";
  return `${number(left)} of ${number(limit)} tokens left ${where}`;
}

/** How the connection stands, where that needs a word. */
export function connectivity(
  status: Status,
  now: number,
): { readonly text: string; readonly reason: ErrorInfo | null; readonly canRetry: boolean } | null {
  switch (status.kind) {
    case "live":
      return null;
    case "connecting":
      return { text: "Connecting…", reason: null, canRetry: false };
    case "ended":
      return { text: "Not connected", reason: status.reason, canRetry: false };
    case "reconnecting": {
      const wait = status.retryAt === null ? 0 : Math.ceil((status.retryAt - now) / 1000);
      const text = wait > 0 ? `Reconnecting in ${wait} s` : "Reconnecting…";
      return { text, reason: status.reason, canRetry: wait > 1 };
    }
  }
}

function seconds(value: number): string {
  return value < 10 ? `${value.toFixed(value < 1 ? 2 : 1)} s` : `${Math.round(value)} s`;
}

function rounded(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

function ordinal(position: number): string {
  const tens = position % 100;
  const suffix = tens > 10 && tens < 14 ? "th" : (["th", "st", "nd", "rd"][position % 10] ?? "th");
  return `${position}${suffix}`;
}
