/** Where a prompt is written, sent and stopped. */

import type { ComponentChildren, Ref } from "preact";
import { useCallback, useEffect, useImperativeHandle, useMemo, useRef, useState } from "preact/hooks";
import type { Connection, SendResult } from "../connection.ts";
import { visible } from "../markdown/index.ts";
import type { Variables } from "../model/variables.ts";
import type { FilePart } from "../protocol/frames.gen.ts";
import { pagePreferences } from "../preferences.ts";
import { Attachments, isAudio, isPicture, type Senses } from "./attachments.ts";
import { CellPicker } from "./cellpicker.tsx";
import { cellKey, cellPictures, waitingCell } from "./cells.ts";
import { Contexts, contextText, type Context, type Waiting } from "./context.ts";
import { useCompletion } from "./completion.tsx";
import { WaitingContexts } from "./contexts.tsx";
import { DropZone, WaitingFiles } from "./files.tsx";
import { composing, sends, useChanges, useHeightOfText } from "./hooks.ts";
import { ClipIcon, SendIcon, StopIcon } from "./icons.tsx";
import { Mentions, waitingKey, type Mention } from "./mentions.ts";
import { Notice } from "./status.tsx";
import * as strings from "./strings.ts";
import { WholePage } from "./wholepage.tsx";

/** What others may do with the composer. */
export interface ComposerHandle {
  /** Whether it is on the screen, and with it the end of the conversation: a side panel may be closed. */
  readonly shown: boolean;
  focus(): void;
  /** Take a prompt back, if nothing is written here. */
  takeBack(text: string, context: readonly Context[]): void;
  /** Write words where there are none, with something that goes with them; `choose` opens the list of cells, too. */
  prepare(text: string, waiting: Waiting, choose: boolean): void;
}

interface Props {
  readonly handle: Ref<ComposerHandle>;
  readonly connection: Connection;
  readonly senses: Senses;
  /** Those of the chat's own kernel; null for those of the notebook beside it. */
  readonly variables: Variables | null;
  /** The text has changed, by whatever way. */
  readonly onText: (text: string) => void;
  readonly onSend: (text: string, files: readonly FilePart[], context: readonly string[]) => Promise<SendResult>;
  /** Ends what runs; absent while nothing runs. */
  readonly onStop: (() => void) | undefined;
  /** The picker and the status line. */
  readonly children: ComponentChildren;
}

export function Composer({ handle, connection, senses, variables, onText, onSend, onStop, children }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const attachments = useMemo(() => new Attachments(connection), [connection]);
  useChanges(attachments);
  const preferences = pagePreferences();
  useChanges(preferences);
  useEffect(() => () => attachments.clear(), [attachments]);
  const [contexts] = useState(() => new Contexts());
  useChanges(contexts);
  const add = useCallback((files: File[]) => attachments.add(files), [attachments]);
  const files = attachments.list;
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const [choosing, setChoosing] = useState(false);
  const mentions = useMemo(() => new Mentions(variables), [variables]);
  useEffect(() => () => mentions.close(), [mentions]);
  const completion = useCompletion(field, mentions, setText);
  /** While the kernel shows what is mentioned. */
  const [showing, setShowing] = useState<AbortController | null>(null);
  const leaving = useRef(false);
  useEffect(() => () => showing?.abort(), [showing]);

  useHeightOfText(field, text);
  useEffect(() => onText(text), [text]);
  useImperativeHandle(handle, () => ({
    get shown() {
      return field.current?.checkVisibility?.() ?? true;
    },
    focus: () => field.current?.focus(),
    takeBack: (back, context) => {
      setText((since) => (since.trim() === "" ? back : since));
      for (const one of context) contexts.add({ key: one.label, context: one });
    },
    prepare: (words, waiting, choose) => {
      setText((since) => (since.trim() === "" ? words : since));
      contexts.add(waiting);
      setChoosing(choose);
      field.current?.focus();
    },
  }));

  /** What is mentioned and does not go with the prompt anyway. */
  const named = (written: string): readonly Mention[] =>
    mentions.found(written, field.current).filter((one) => {
      const key = waitingKey(one, field.current);
      return !(key !== null && contexts.has(key)) && !contexts.has(one.label);
    });

  // The pictures of cells that are mentioned, as of those that are chosen from the list.
  const cells = named(text).filter(({ cell }) => cell !== null);
  const pictured = useRef<readonly string[]>([]);
  useEffect(() => {
    const keys = cells.map(({ key }) => `@${key}`);
    for (const key of pictured.current) if (!keys.includes(key)) attachments.removeAll(key);
    pictured.current = keys;
    for (const { key, cell } of cells) {
      if (cell !== null && senses.sees && !attachments.has(`@${key}`)) attachments.add(cellPictures(cell), `@${key}`);
    }
  }, [cells.map(({ key }) => key).join(" ")]);

  /** What goes with the prompt for these; null where it cannot, and the prompt stays. */
  const shown = async (mentioned: readonly Mention[]): Promise<readonly Context[] | null> => {
    const waiting = new AbortController();
    setShowing(waiting);
    setProblem("");
    try {
      return await mentions.contexts(mentioned, field.current, waiting.signal);
    } catch (error) {
      if (!waiting.signal.aborted) setProblem((error as Error).message);
      return null;
    } finally {
      setShowing(null);
    }
  };

  const send = async (): Promise<void> => {
    // What stands in the field, not what was last drawn: on a busy page Enter may come before the
    // input is drawn, and a second Enter before the field is drawn empty.
    const area = field.current;
    const written = area?.value ?? "";
    if (area === null || (written.trim() === "" && attachments.list.length + contexts.list.length === 0)) return;
    // Without what is on its way it would be another question.
    if (!attachments.ready || leaving.current) return;
    const mentioned = named(written);
    leaving.current = mentioned.length > 0;
    const told = mentioned.length === 0 ? [] : await shown(mentioned);
    leaving.current = false;
    if (told === null) return;
    const taken = attachments.take();
    const beside = contexts.take();
    mentions.forget();
    area.value = "";
    completion.follow();
    setText("");
    setProblem("");
    const result = await onSend(written.trim() === "" ? "" : written, taken.parts, [...beside.texts, ...told.map(contextText)]);
    if (result.kind === "accepted") {
      taken.release();
      return;
    }
    // Nothing was logged: the prompt goes back where it was written, before what was written since.
    taken.restore();
    beside.restore();
    setText((since) => (since.trim() === "" ? written : `${written}\n\n${since}`));
    if (result.kind === "refused") setProblem(result.error.message);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (composing(event) || completion.onKeyDown(event)) return;
    if (event.key === "Escape" && showing !== null) {
      event.preventDefault();
      showing.abort();
    } else if (sends(event)) {
      event.preventDefault();
      void send();
    } else if (event.key === "Escape" && onStop !== undefined) {
      event.preventDefault();
      onStop();
    }
  };

  const onPaste = (event: ClipboardEvent): void => {
    const { clipboardData: clipboard } = event;
    // A spreadsheet's cells come as text and as a picture of it: the text is meant.
    if (clipboard === null || clipboard.files.length === 0 || clipboard.types.includes("text/plain")) return;
    event.preventDefault();
    event.stopPropagation();
    add([...clipboard.files]);
  };

  const leaveOut = (key: string): void => {
    if (key.startsWith("@")) mentions.leaveOut(key.slice(1));
    contexts.remove(key);
    attachments.removeAll(key);
  };

  const empty = text.trim() === "" && files.length + contexts.list.length === 0;
  const unseen = !senses.sees && files.some(({ media_type }) => isPicture(media_type));
  const unheard = !senses.hears && files.some(({ media_type }) => isAudio(media_type));
  return (
    <div class="streamchat-composer">
      {problem && <Notice text={problem} />}
      {attachments.problem && <Notice text={attachments.problem} />}
      {unseen && <Notice text={strings.blind(visible(senses.model))} />}
      {unheard && <Notice text={strings.deaf(visible(senses.model))} />}
      <div class="streamchat-box">
        <WaitingContexts
          contexts={[
            ...contexts.list,
            ...named(text).map(({ key, label, detail }) => ({ key: `@${key}`, context: { label, body: detail } })),
          ]}
          onRemove={leaveOut}
        />
        <WaitingFiles files={files} onRemove={(key) => attachments.remove(key)} />
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          value={text}
          placeholder={strings.ask()}
          aria-label={strings.prompt()}
          title={preferences.value.enter === "sends" ? strings.promptKeys() : strings.promptKeysCtrl()}
          readOnly={showing !== null}
          aria-busy={showing !== null}
          {...completion.attributes}
          onInput={(event) => {
            setText(event.currentTarget.value);
            completion.follow();
          }}
          onKeyUp={completion.follow}
          onClick={completion.follow}
          onBlur={completion.leave}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        <div class="streamchat-tools">
          <input
            ref={picker}
            type="file"
            multiple
            hidden
            onChange={({ currentTarget }) => {
              add([...(currentTarget.files ?? [])]);
              // So that the same file can be picked again.
              currentTarget.value = "";
            }}
          />
          <button
            type="button"
            class="streamchat-icon"
            aria-label={strings.attachFiles()}
            title={strings.attachWhat()}
            onClick={() => picker.current?.click()}
          >
            <ClipIcon />
          </button>
          <CellPicker
            open={choosing}
            onOpen={setChoosing}
            has={(notebook, cell) => contexts.has(cellKey(notebook, cell))}
            onToggle={(notebook, cell, on) => {
              const key = cellKey(notebook, cell);
              if (!on) return leaveOut(key);
              contexts.add(waitingCell(notebook, cell));
              if (senses.sees) attachments.add(cellPictures(cell), key);
            }}
          />
          <WholePage />
          {children}
          {onStop !== undefined && (
            <button type="button" class="streamchat-round streamchat-stop" aria-label={strings.stop()} title={strings.stopKey()} onClick={onStop}>
              <StopIcon />
            </button>
          )}
          {(onStop === undefined || !empty) && (
            <button
              type="button"
              class="streamchat-round streamchat-send"
              aria-label={strings.send()}
              title={attachments.ready ? strings.sendKey() : strings.uploadingFiles()}
              disabled={empty || !attachments.ready || showing !== null}
              onClick={() => {
                void send();
                field.current?.focus();
              }}
            >
              <SendIcon />
            </button>
          )}
        </div>
      </div>
      {completion.list}
      <DropZone within={field} onFiles={add} />
    </div>
  );
}
