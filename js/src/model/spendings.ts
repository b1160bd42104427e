/** What a user and a conversation have used, and may use: the answer of `GET streamchat/usage`. */

/** Without `limit` there is no end. */
export interface Spending {
  readonly used: number;
  readonly held?: number;
  readonly limit?: number;
}

export interface Spendings {
  readonly tokens_today: Spending;
  readonly usd_today?: Spending;
  readonly tokens_in_conversation?: Spending;
}

/** What is left of something that has an end. */
export interface Left {
  readonly of: "tokens today" | "US dollars today" | "tokens in this conversation";
  readonly left: number;
  readonly limit: number;
}

/** Everything that has an end, what is nearest to it first; `own` is the chat's own limit in tokens. */
export function left(spendings: Spendings, own?: unknown): readonly Left[] {
  const here = spendings.tokens_in_conversation;
  const limit = Math.min(here?.limit ?? Infinity, typeof own === "number" ? own : Infinity);
  const all: readonly (readonly [Left["of"], Spending | undefined])[] = [
    ["tokens in this conversation", here && limit < Infinity ? { ...here, limit } : undefined],
    ["tokens today", spendings.tokens_today],
    ["US dollars today", spendings.usd_today],
  ];
  return all
    .flatMap(([of, spending]) =>
      spending?.limit === undefined
        ? []
        : [{ of, left: Math.max(0, spending.limit - spending.used), limit: spending.limit }],
    )
    .sort((one, two) => share(one) - share(two));
}

/** The part of the whole that is left, from 0 to 1. */
export function share({ left, limit }: Left): number {
  return limit > 0 ? left / limit : 0;
}
