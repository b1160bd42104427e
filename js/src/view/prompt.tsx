/** A prompt: its text, what can be done with it, and the editor that takes its place. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Connection } from "../connection.ts";
import { visible } from "../markdown/index.ts";
import type { FilePart } from "../protocol/frames.gen.ts";
import type { Context } from "./context.ts";
import { SentContexts } from "./contexts.tsx";
import { PromptFiles } from "./files.tsx";
import { composing, sends, useHeightOfText } from "./hooks.ts";
import { CrossIcon, PencilIcon } from "./icons.tsx";
import { Notice } from "./status.tsx";
import * as strings from "./strings.ts";

interface Props {
  readonly text: string;
  readonly files: readonly FilePart[];
  readonly context: readonly Context[];
  readonly connection: Connection;
  readonly onEdit: (() => void) | undefined;
  /** Whether its editor was just closed, so that the keyboard goes on here. */
  readonly edited: boolean;
  /** How it waits for its turn, where it does. */
  readonly queued: string;
  readonly onRemove: (() => void) | undefined;
  /** The arrows between its versions. */
  readonly children: ComponentChildren;
}

export function Prompt({ text, files, context, connection, onEdit, edited, queued, onRemove, children }: Props) {
  const pencil = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (edited) pencil.current?.focus({ preventScroll: true });
    // Only when the prompt comes back.
  }, []);
  return (
    <div class={queued !== "" ? "streamchat-asked-for streamchat-queued" : "streamchat-asked-for"}>
      <div class="streamchat-line">
        {onEdit !== undefined && (
          <button
            ref={pencil}
            type="button"
            class="streamchat-icon streamchat-edit"
            aria-label={strings.editPrompt()}
            title={strings.editAndSend()}
            onClick={onEdit}
          >
            <PencilIcon />
          </button>
        )}
        <div class="streamchat-prompt">
          <PromptFiles files={files} connection={connection} />
          {visible(text)}
          <SentContexts contexts={context} />
        </div>
      </div>
      {(queued !== "" || children) && (
        <div class="streamchat-below">
          {children}
          {queued !== "" && <span>{queued}</span>}
          {onRemove !== undefined && (
            <button
              type="button"
              class="streamchat-icon"
              aria-label={strings.removeFromQueue()}
              title={strings.removeFromQueue()}
              onClick={onRemove}
            >
              <CrossIcon />
            </button>
          )}
        </div>
      )}
    </div>
  );
}

interface EditorProps {
  readonly text: string;
  /** Go along as they are. */
  readonly files: readonly FilePart[];
  readonly context: readonly Context[];
  readonly connection: Connection;
  /** Why it was not sent. */
  readonly problem: string;
  readonly onSend: (text: string) => void;
  readonly onCancel: () => void;
}

export function PromptEditor({ text, files, context, connection, problem, onSend, onCancel }: EditorProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [written, setWritten] = useState(text);
  useHeightOfText(field, written);
  useLayoutEffect(() => {
    const area = field.current;
    area?.focus({ preventScroll: true });
    area?.setSelectionRange(area.value.length, area.value.length);
  }, []);
  // A prompt may be of files alone.
  const maySend = (now: string): boolean => now.trim() !== "" || files.length + context.length > 0;
  const send = (): void => {
    // As in the composer: what stands in the field, not what was last drawn.
    const now = field.current?.value ?? "";
    if (maySend(now)) onSend(now.trim() === "" ? "" : now);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (composing(event)) return;
    if (event.key === "Escape") {
      event.preventDefault();
      onCancel();
    } else if (sends(event)) {
      event.preventDefault();
      send();
    }
  };
  return (
    <div class="streamchat-editor">
      {problem && <Notice text={problem} />}
      <div class="streamchat-box">
        <PromptFiles files={files} connection={connection} />
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          value={written}
          aria-label={strings.editPrompt()}
          title={strings.editorKeys()}
          onInput={(event) => setWritten(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <SentContexts contexts={context} />
        <div class="streamchat-choice">
          <button type="button" class="streamchat-quiet" onClick={onCancel}>
            {strings.cancel()}
          </button>
          <button type="button" class="streamchat-allow" disabled={!maySend(written)} onClick={send}>
            {strings.send()}
          </button>
        </div>
      </div>
    </div>
  );
}
