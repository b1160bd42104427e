/** The whole chat: messages, composer, status. */

import type { ComponentChildren, Ref } from "preact";
import { useEffect, useImperativeHandle, useRef, useState } from "preact/hooks";
import type { Connection, SendRequest } from "../connection.ts";
import type { ConversationStore } from "../conversation.ts";
import { ended, textOf, withdrawn } from "../model/reduce.ts";
import type { Variables } from "../model/variables.ts";
import type { ErrorInfo, FilePart } from "../protocol/frames.gen.ts";
import { language } from "../translation.ts";
import { Announcer } from "./announcer.tsx";
import { Answer } from "./answer.tsx";
import { sensesOf } from "./attachments.ts";
import { Branches, type Direction } from "./branches.tsx";
import { Composer, type ComposerHandle } from "./composer.tsx";
import { contextText, spoken, type Context, type Waiting } from "./context.ts";
import { useChanges } from "./hooks.ts";
import { Kept, KeptContext } from "./kept.ts";
import { download } from "./listing.ts";
import { Deleted } from "./deleted.tsx";
import { SeenElsewhere, TypingElsewhere } from "./elsewhere.tsx";
import { LeftLine } from "./left.tsx";
import { Picker } from "./picker.tsx";
import { Presence } from "./presence.ts";
import { Prompt, PromptEditor } from "./prompt.tsx";
import { Reading } from "./reading.ts";
import { Scroller, type DrawnRow, type Place, type ScrollerHandle } from "./scroller.tsx";
import { entries, guessed, queue, running, textIn, type AnswerEntry, type Entry, type PromptEntry } from "./shown.ts";
import { Blocked, Hosted, Notice, Obstacle, StatusLine } from "./status.tsx";
import * as strings from "./strings.ts";
import { Title } from "./title.tsx";
import { cutOff, waiting } from "./words.ts";

/** What others may do with a chat. */
export interface ChatHandle {
  /** Whether an answer is being written. */
  readonly running: boolean;
  focus(): void;
  stop(): void;
  /** Begin a prompt, as `ComposerHandle.prepare` does. */
  prepare(text: string, waiting: Waiting, choose?: boolean): void;
  /** Ask at once, whatever is being written. */
  ask(text: string, context: readonly Context[]): void;
}

interface Props {
  readonly handle?: Ref<ChatHandle>;
  readonly connection: Connection;
  readonly store: ConversationStore;
  /** The model until one is picked or used. */
  readonly model: string;
  /** Goes with every prompt from here. */
  readonly params: Readonly<Record<string, unknown>>;
  /** What prompts may mention of the chat's own kernel; without it, of the notebook beside it. */
  readonly variables?: Variables | undefined;
  /** What stands there while nothing has been said. */
  readonly children?: ComponentChildren;
}

/** The prompt that is being edited, and why it was not sent. */
interface Editing {
  readonly message: string;
  readonly text: string;
  readonly problem: string;
}

export function Chat({ handle, connection, store, model, params, variables, children }: Props) {
  useChanges(store);
  useChanges(connection);
  useChanges(language);
  const [reading] = useState(() => new Reading());
  const [kept] = useState(() => new Kept());
  const [picked, setPicked] = useState("");
  const [jumps, setJumps] = useState(0);
  const [editing, setEditing] = useState<Editing | null>(null);
  const [problem, setProblem] = useState("");
  const [cameTo, setCameTo] = useState<{ readonly id: string; readonly by: Direction } | null>(null);
  /** The prompt whose editor was closed just now. */
  const [edited, setEdited] = useState("");
  const removing = useRef(new Map<string, PromptEntry>());
  const presence = useRef<Presence | null>(null);
  useEffect(() => {
    const lifetime = new AbortController();
    presence.current = new Presence(connection, store, () => composer.current?.shown ?? false, lifetime.signal);
    return () => lifetime.abort();
  }, [connection, store]);
  const deletedHere = useRef(false);
  const composer = useRef<ComposerHandle>(null);
  const draft = useRef("");
  const deleted = store.deleted !== null;
  // Where it is restored, what was being written is, too: the prompt's field went with it.
  useEffect(() => {
    if (!deleted) return undefined;
    const written = draft.current;
    return () => composer.current?.takeBack(written, []);
  }, [deleted]);
  const scroller = useRef<ScrollerHandle>(null);
  const { shown, leaf } = entries(store, reading);
  const active = running(store, shown);
  const used = store.state.settings.model;
  const current = picked || used || model;
  const over = connection.status.kind === "ended";

  // Who came is there: a row that is mounted once more takes no keyboard.
  useEffect(() => {
    setCameTo(null);
    setEdited("");
  }, [cameTo, edited]);

  // What was taken out of the queue can be written anew.
  useEffect(() => {
    for (const [run, { text, context }] of removing.current) {
      const record = store.state.runs[run];
      if (record === undefined || !ended(record)) continue;
      removing.current.delete(run);
      if (withdrawn(store.state, run)) composer.current?.takeBack(text, context);
    }
  });

  const send = async (request: SendRequest) => {
    setJumps((count) => count + 1);
    setProblem("");
    setCameTo(null);
    setEdited("");
    const asked = request.model ?? current;
    const { run, result } = connection.send(store, {
      ...request,
      ...(asked === "" ? {} : { model: asked }),
      ...(Object.keys(params).length === 0 ? {} : { params }),
    });
    reading.expect(run);
    const how = await result;
    // From now on the conversation itself knows the model.
    if (how.kind === "accepted") setPicked("");
    else reading.forget(run);
    return how;
  };

  const again = async (parent: string, other?: string): Promise<void> => {
    scroller.current?.focus();
    const how = await send({ parent, ...(other === undefined ? {} : { model: other }) });
    if (how.kind === "refused") setProblem(how.error.message);
  };

  const choose = (siblings: readonly string[], id: string, by: Direction): void => {
    const [first] = siblings;
    scroller.current?.hold((list) => labelled(list, ".streamchat-branches", "first", first));
    reading.choose(store.state, id);
    setCameTo({ id, by });
    setEdited("");
  };

  const edit = (key: string, to: Editing | null): void => {
    scroller.current?.hold((list) => labelled(list, "[data-entry]", "entry", key));
    setEdited(editing?.message ?? "");
    setCameTo(null);
    setEditing(to);
  };

  const resend = async ({ message }: PromptEntry, text: string): Promise<void> => {
    if (message === undefined) return;
    setEditing(null);
    composer.current?.focus();
    const files = message.parts.filter((part): part is FilePart => part.type === "file");
    const context = spoken(message).context.map(contextText);
    const how = await send({ text, files, context, parent: message.parent ?? "" });
    if (how.kind === "accepted") return;
    setEditing({ message: message.id, text, problem: how.kind === "refused" ? how.error.message : "" });
  };

  const arrows = (entry: Entry) =>
    entry.message !== undefined &&
    entry.siblings.length > 1 && (
      <Branches
        id={entry.message.id}
        siblings={entry.siblings}
        cameBy={cameTo?.id === entry.message.id ? cameTo.by : undefined}
        onChoose={(id, by) => choose(entry.siblings, id, by)}
      />
    );

  const prompt = (entry: PromptEntry, place: Place) => {
    const { text, key, message, queued } = entry;
    const open = editing !== null && editing.message === message?.id ? editing : null;
    return (
      <div class="streamchat-turn" role="article" aria-label={strings.yourPrompt()} tabIndex={-1} {...place}>
        {open !== null ? (
          <PromptEditor
            text={open.text}
            files={entry.files}
            context={entry.context}
            connection={connection}
            problem={open.problem}
            onSend={(changed) => void resend(entry, changed)}
            onCancel={() => edit(key, null)}
          />
        ) : (
          <Prompt
            text={text}
            files={entry.files}
            context={entry.context}
            connection={connection}
            onEdit={
              message === undefined || queued !== undefined || over
                ? undefined
                : () => edit(key, { message: message.id, text, problem: "" })
            }
            edited={message !== undefined && edited === message.id}
            queued={queued === undefined ? "" : waiting(store.state.runs[queued])}
            onRemove={queued === undefined || store.stopping.has(queued) ? undefined : () => remove(queued, entry)}
          >
            {arrows(entry)}
          </Prompt>
        )}
      </div>
    );
  };

  /** Say what is wrong with what was asked for, if anything. */
  const heed = (asked: Promise<ErrorInfo | null>): void => void asked.then((error) => setProblem(error?.message ?? ""));

  const save = async (form: "md" | "jsonl"): Promise<void> => {
    const { ok, error } = await connection.export(store.id, form, leaf);
    setProblem(error?.message ?? "");
    if (ok !== null) download(ok.name, ok.text);
  };

  const title = (
    <Title
      title={store.state.title}
      onRename={store.state.messages.length === 0 || over ? undefined : (title) => heed(connection.rename(store, title))}
      onExport={store.state.messages.length === 0 || over ? undefined : (form) => void save(form)}
      onDelete={() => {
        deletedHere.current = true;
        heed(connection.delete(store.id));
      }}
      onLeave={() => composer.current?.focus()}
    />
  );

  const remove = (run: string, entry: PromptEntry): void => {
    removing.current.set(run, entry);
    connection.stop(store, run);
    composer.current?.focus();
  };

  const answer = (entry: AnswerEntry, place: Place) => {
    const { run, record, message } = entry;
    const parent = message?.parent;
    const may = record !== undefined && ended(record) && parent != null && !over;
    return (
      <Answer
        {...entry}
        place={place}
        connection={connection}
        store={store}
        onStop={run !== stop && active.includes(run) ? () => connection.stop(store, run) : undefined}
        model={current}
        onAgain={may ? (other) => void again(parent, other) : undefined}
        onRate={
          message === undefined || textOf(message) === "" || over
            ? undefined
            : (value) => heed(connection.rate(store, message.id, value))
        }
        onContinue={
          may && message !== undefined && entry === shown.at(-1) && cutOff(record) && textOf(message) !== ""
            ? () => void again(message.id)
            : undefined
        }
      >
        {arrows(entry)}
        {record !== undefined && ended(record) && entry === shown.at(-1) && <SeenElsewhere connection={connection} store={store} />}
      </Answer>
    );
  };

  const row = (entry: Entry): DrawnRow => ({
    key: entry.key,
    guess: guessed(entry),
    pinned: entry.message !== undefined && editing?.message === entry.message.id,
    text: textIn(entry),
    draw: (place) => (entry.kind === "prompt" ? prompt(entry, place) : answer(entry, place)),
  });

  const stop = active[0];
  useImperativeHandle(handle ?? null, () => ({
    running: stop !== undefined,
    focus: () => composer.current?.focus(),
    stop: () => stop !== undefined && connection.stop(store, stop),
    prepare: (text, waiting, choose = false) => composer.current?.prepare(text, waiting, choose),
    ask: (text, context) =>
      void send({ text, context: context.map(contextText), ...(leaf === undefined ? {} : { parent: leaf }) }).then((how) => {
        if (how.kind === "accepted") return;
        // Where a prompt stands that was not sent.
        composer.current?.takeBack(text, context);
        setProblem(how.kind === "refused" ? how.error.message : "");
      }),
  }));

  if (store.deleted !== null) {
    return (
      <Deleted
        restorable={store.deleted.restorable && !over}
        problem={problem}
        focused={deletedHere.current}
        onRestore={() => heed(connection.restore(store.id))}
      />
    );
  }
  return (
    <>
      {/* What ended the connection is the obstacle's to say. */}
      {store.problem !== null && !over && <Notice text={store.problem.message} />}
      {store.state.title !== "" && title}
      {shown.length === 0 && store.loaded && children}
      {shown.length > 0 && (
        <KeptContext.Provider value={kept}>
          <Scroller handle={scroller} jumps={jumps} head={store.state.title === "" && title} rows={queue(shown).map(row)} />
        </KeptContext.Provider>
      )}
      <Announcer store={store} entry={shown.at(-1)} run={stop} />
      <Obstacle connection={connection} />
      <Blocked connection={connection} />
      {problem && <Notice text={problem} />}
      <Composer
        handle={composer}
        connection={connection}
        senses={sensesOf(connection.catalog, current)}
        variables={variables ?? null}
        onText={(text) => {
          draft.current = text;
          presence.current?.typed(text);
        }}
        onSend={(text, files, context) => send({ text, files, context, ...(leaf === undefined ? {} : { parent: leaf }) })}
        onStop={stop === undefined ? undefined : () => connection.stop(store, stop)}
      >
        <Picker connection={connection} current={current} onPick={setPicked} />
        <LeftLine connection={connection} store={store} />
        <StatusLine connection={connection} />
        <TypingElsewhere connection={connection} store={store} />
      </Composer>
      <Hosted connection={connection} />
    </>
  );
}

function labelled(list: HTMLElement, selector: string, name: string, value: string | undefined): Element | null {
  const found = [...list.querySelectorAll<HTMLElement>(selector)];
  return found.find((element) => element.dataset[name] === value) ?? null;
}
