/** What a person reads about a run and about the connection. */

import type { Status } from "../connection.ts";
import { visible } from "../markdown/index.ts";
import type { Part } from "../model/reduce.ts";
import type { ErrorInfo, ReasoningPart, RunRecord } from "../protocol/frames.gen.ts";
import type { Left } from "../model/spendings.ts";
import { compact, dollars, duration, full, list, ordinal, plain } from "./numbers.ts";
import * as strings from "./strings.ts";

/**
 * What a run does before its first token, or that it is being stopped; empty when there is nothing to say.
 *
 * `waited` are the seconds since its `retry_after` was told.
 */
export function progress(
  record: RunRecord | undefined,
  held: boolean,
  stopping: boolean,
  parts: readonly Part[],
  waited = 0,
): string {
  if (stopping) return strings.stopping();
  if (record === undefined) return held ? strings.waitingForConnection() : strings.sending();
  const tools = record.state === "running" ? toolsAtWork(parts) : "";
  if (tools || (parts.length > 0 && record.state !== "retrying")) return tools;
  switch (record.state ?? "queued") {
    case "queued":
      return record.position == null || record.position < 1
        ? strings.waitsInQueue()
        : strings.placeInQueue(ordinal(record.position));
    case "retrying": {
      const left = Math.ceil((record.retry_after ?? 0) - waited);
      return left < 1 ? strings.busy() : strings.busyFor(strings.seconds(plain(left)));
    }
    case "running":
      return strings.waitingForToken();
    case "stopping":
      return strings.stopping();
    case "done":
    case "error":
    case "interrupted":
      return "";
  }
}

/** That a prompt waits for its turn, and for the how-manieth where it is not the next. */
export function waiting(record: RunRecord | undefined): string {
  const place = record?.position ?? 1;
  return place > 1 ? strings.queuedAt(ordinal(place)) : strings.queued();
}

/** What the answer waits for, where that is a tool or who decides about one. */
function toolsAtWork(parts: readonly Part[]): string {
  const calls = parts.filter((part) => part.type === "tool");
  if (calls.some(({ state }) => state === "approval-requested")) return strings.waitingForDecision();
  const names = calls
    .filter(({ state }) => state === "input-available" || state === "approval-responded")
    .map(({ name }) => visible(name));
  return names.length === 0 ? "" : strings.runningTools(list(names));
}

/** How a run ended, where that needs a word. */
export function ending(
  record: RunRecord,
): { readonly tone: "calm" | "bad"; readonly text: string } | null {
  if (record.state === "error") {
    return { tone: "bad", text: record.error?.message ?? strings.answerFailed() };
  }
  if (record.state === "interrupted") {
    switch (record.abort_reason) {
      case "budget":
        return { tone: "bad", text: strings.outOfBudget() };
      case "unwatched":
        return { tone: "calm", text: strings.unwatched() };
      case "server_lost":
        return { tone: "bad", text: strings.serverLost() };
      default:
        return { tone: "calm", text: strings.stopped() };
    }
  }
  if (record.finish_reason === "length") {
    return { tone: "calm", text: strings.cutOff() };
  }
  if (record.finish_reason === "content-filter") {
    return { tone: "bad", text: strings.filtered() };
  }
  return null;
}

/** How long a model thought, once it has. */
export function thinking({ open, started_t: from, ended_t: to }: ReasoningPart): string {
  if (open) return strings.thinking();
  const took = from == null || to == null ? -1 : Math.round((to - from) / 1000);
  // Where the end was lost, nobody knows.
  if (took < 0) return strings.thoughts();
  if (took < 1) return strings.thoughtBriefly();
  return strings.thoughtFor(took < 60 ? strings.seconds(plain(took)) : strings.minutes(plain(Math.floor(took / 60)), plain(took % 60)));
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
      text: strings.leftOut(out),
      title: strings.leftOutWhy(),
    });
  }
  const about = usage?.estimated ? "~" : "";
  if (timing?.ttft_ms != null) {
    shown.push({ text: strings.toFirstToken(duration(timing.ttft_ms / 1000)), title: strings.timeToFirstToken() });
  }
  if (timing?.output_per_s != null) {
    shown.push({
      text: strings.rate(`${about}${plain(timing.output_per_s, timing.output_per_s < 10 ? 1 : 0)}`),
      title: about ? strings.tokensPerSecondAbout() : strings.tokensPerSecond(),
    });
  }
  if (usage != null && usage.output > 0) {
    const { input, output, cached, reasoning } = usage;
    const parts = [
      strings.tokensIn(input, `${about}${plain(input)}`),
      ...(cached ? [strings.tokensCached(cached, plain(cached))] : []),
      strings.tokensOut(output, `${about}${plain(output)}`),
      ...(reasoning ? [strings.tokensReasoning(reasoning, plain(reasoning))] : []),
    ];
    shown.push({ text: strings.tokens(output, `${about}${plain(output)}`), title: list(parts) });
  }
  return shown;
}

/** What may still be used, shortly or to the last token; of dollars only an estimate is known. */
export function remaining({ of, left, limit }: Left, exact = false): string {
  if (of === "US dollars today") return strings.dollarsLeft(dollars(left), dollars(limit));
  const number = exact ? full : compact;
  const say = of === "tokens today" ? strings.tokensLeftToday : strings.tokensLeftHere;
  return say(number(left), number(limit));
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
      return { text: strings.connecting(), reason: null, canRetry: false };
    case "ended":
      return { text: strings.notConnected(), reason: status.reason, canRetry: false };
    case "reconnecting": {
      const wait = status.retryAt === null ? 0 : Math.ceil((status.retryAt - now) / 1000);
      const text = wait > 0 ? strings.reconnectingIn(strings.seconds(plain(wait))) : strings.reconnecting();
      return { text, reason: status.reason, canRetry: wait > 1 };
    }
  }
}

