/** One run's answer by itself, under the cell that asked for it. */

import type { Connection } from "../connection.ts";
import type { ConversationStore } from "../conversation.ts";
import { ended } from "../model/reduce.ts";
import { Announcer } from "./announcer.tsx";
import { Answer } from "./answer.tsx";
import { language } from "../translation.ts";
import { useChanges, useSettled } from "./hooks.ts";
import { Blocked, Notice, Obstacle, StatusLine } from "./status.tsx";
import * as strings from "./strings.ts";

/** A kernel shows its reply before its prompt has reached the relay; after this long something is wrong. */
const LOST_MS = 15_000;

interface Props {
  readonly connection: Connection;
  readonly store: ConversationStore;
  readonly run: string;
}

export function ReplyView({ connection, store, run }: Props) {
  useChanges(store);
  useChanges(language);
  const record = store.state.runs[run];
  const message = store.state.messages.findLast((one) => one.id === record?.message);
  const lost = useSettled(store.loaded && record === undefined, LOST_MS);
  if (store.problem !== null) return <Notice text={store.problem.message} />;
  if (lost) {
    return <Notice text={strings.lostAnswer()} />;
  }
  const over = record !== undefined && ended(record);
  return (
    <>
      <Answer
        {...{ connection, store, run, message, record }}
        held={!store.loaded}
        asOutput
        onStop={record === undefined || over ? undefined : () => connection.stop(store, run)}
      />
      <Announcer
        store={store}
        run={over || store.stopping.has(run) ? undefined : run}
        entry={{ kind: "answer", key: run, run, held: false, siblings: [], ...(message && { message }), ...(record && { record }) }}
      />
      <Obstacle connection={connection} />
      {!over && <Blocked connection={connection} />}
      {!over && <StatusLine connection={connection} />}
    </>
  );
}
