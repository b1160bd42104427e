/** The whole chat: messages, composer, status. */

import { useState } from "preact/hooks";
import type { Connection, SendRequest } from "../connection.ts";
import type { ConversationStore } from "../conversation.ts";
import { visible } from "../markdown/index.ts";
import { ended } from "../model/reduce.ts";
import { Answer } from "./answer.tsx";
import { blindModel } from "./attachments.ts";
import { Composer } from "./composer.tsx";
import { PromptFiles } from "./files.tsx";
import { useChanges } from "./hooks.ts";
import { LeftLine } from "./left.tsx";
import { Picker } from "./picker.tsx";
import { Scroller } from "./scroller.tsx";
import { entries, running, type Entry } from "./shown.ts";
import { Blocked, Hosted, Notice, Obstacle, StatusLine } from "./status.tsx";
import { ending, progress } from "./words.ts";

interface Props {
  readonly connection: Connection;
  readonly store: ConversationStore;
  /** The model until one is picked or used. */
  readonly model: string;
  /** Goes with every prompt from here. */
  readonly params: Readonly<Record<string, unknown>>;
}

export function Chat({ connection, store, model, params }: Props) {
  useChanges(store);
  useChanges(connection);
  const [picked, setPicked] = useState("");
  const [jumps, setJumps] = useState(0);
  const shown = entries(store);
  const active = running(store, shown);
  const used = store.state.settings.model;
  const current = picked || used || model;

  const send = async (request: SendRequest) => {
    setJumps((count) => count + 1);
    const { result } = connection.send(store, {
      ...request,
      ...(current === "" ? {} : { model: current }),
      ...(Object.keys(params).length === 0 ? {} : { params }),
    });
    const how = await result;
    // From now on the conversation itself knows the model.
    if (how.kind === "accepted") setPicked("");
    return how;
  };

  const stop = active[0];
  return (
    <>
      {store.problem !== null && <Notice text={store.problem.message} />}
      {shown.length > 0 && (
        <Scroller jumps={jumps}>
          {shown.map((entry, index) =>
            entry.kind === "prompt" ? (
              <div key={entry.key} class="streamchat-prompt" role="article" aria-label="Your prompt">
                <PromptFiles files={entry.files} connection={connection} />
                {visible(entry.text)}
              </div>
            ) : (
              <Answer
                {...entry}
                connection={connection}
                store={store}
                onStop={entry.run !== stop ? () => connection.stop(store, entry.run) : undefined}
                onRetry={index === shown.length - 1 && connection.status.kind !== "ended" ? retry(entry, send) : undefined}
              />
            ),
          )}
        </Scroller>
      )}
      <Announcer store={store} entry={shown.at(-1)} />
      <Obstacle connection={connection} />
      <Blocked connection={connection} />
      <Composer
        connection={connection}
        blind={blindModel(connection.catalog, current)}
        onSend={(text, files) => send({ text, files })}
        onStop={stop === undefined ? undefined : () => connection.stop(store, stop)}
      >
        <Picker connection={connection} current={current} onPick={setPicked} />
        <LeftLine connection={connection} store={store} />
        <StatusLine connection={connection} />
      </Composer>
      <Hosted connection={connection} />
    </>
  );
}

function retry(entry: Entry, send: (request: SendRequest) => unknown): (() => void) | undefined {
  if (entry.kind === "prompt" || entry.record === undefined || !ended(entry.record)) return undefined;
  const parent = entry.message?.parent;
  return parent == null ? undefined : () => void send({ parent });
}

/** Says how the newest answer stands to who cannot see it; never its text. */
export function Announcer({ store, entry }: { store: ConversationStore; entry: Entry | undefined }) {
  let words = "";
  if (entry?.kind === "answer") {
    const { record, message, held, run } = entry;
    words =
      record !== undefined && ended(record)
        ? (ending(record)?.text ?? "Answer complete.")
        : progress(record, held, store.stopping.has(run), message?.parts ?? []) || "Answering…";
  }
  return (
    <div class="streamchat-unseen" role="status" aria-live="polite">
      {words}
    </div>
  );
}
