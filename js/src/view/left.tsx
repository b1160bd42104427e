/** The line that says what may still be used, where there is an end to it. */

import { useEffect, useState } from "preact/hooks";
import type { Connection } from "../connection.ts";
import type { ConversationStore } from "../conversation.ts";
import { ended } from "../model/reduce.ts";
import { left, share, type Spendings } from "../model/spendings.ts";
import { remaining } from "./words.ts";

/** From here on it is said in a warning's colour. */
const LITTLE = 0.1;

interface Props {
  readonly connection: Connection;
  readonly store: ConversationStore;
}

/** Asks again whenever an answer has ended. */
export function LeftLine({ connection, store }: Props) {
  const [told, setTold] = useState<Spendings | null>(null);
  const live = connection.status.kind === "live";
  const over = Object.values(store.state.runs).filter(ended).length;
  useEffect(() => {
    if (!live) return undefined;
    const lifetime = new AbortController();
    connection.spendings(store.id, lifetime.signal).then(
      (spendings) => {
        if (spendings !== null && !lifetime.signal.aborted) setTold(spendings);
      },
      () => undefined,
    );
    return () => lifetime.abort();
  }, [connection, store, live, over]);
  const known = told === null ? [] : left(told, store.state.settings.params["budget_tokens"]);
  const nearest = known[0];
  if (nearest === undefined) return null;
  return (
    <div
      class={share(nearest) < LITTLE ? "streamchat-left streamchat-little" : "streamchat-left"}
      title={known.map((one) => remaining(one, true)).join("\n")}
    >
      {remaining(nearest)}
    </div>
  );
}
