/** Where a prompt is written, sent and stopped. */

import type { ComponentChildren, Ref } from "preact";
import { useImperativeHandle, useRef, useState } from "preact/hooks";
import type { SendResult } from "../connection.ts";
import { composing, useHeightOfText } from "./hooks.ts";
import { SendIcon, StopIcon } from "./icons.tsx";
import { Notice } from "./status.tsx";

/** What others may do with the composer. */
export interface ComposerHandle {
  focus(): void;
  /** Take a prompt back, if nothing is written here. */
  takeBack(text: string): void;
}

interface Props {
  readonly handle: Ref<ComposerHandle>;
  readonly onSend: (text: string) => Promise<SendResult>;
  /** Ends what runs; absent while nothing runs. */
  readonly onStop: (() => void) | undefined;
  /** The picker and the status line. */
  readonly children: ComponentChildren;
}

export function Composer({ handle, onSend, onStop, children }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");

  useHeightOfText(field, text);
  useImperativeHandle(handle, () => ({
    focus: () => field.current?.focus(),
    takeBack: (back) => setText((since) => (since.trim() === "" ? back : since)),
  }));

  const send = async (): Promise<void> => {
    // What stands in the field, not what was last drawn: on a busy page Enter may come before the
    // input is drawn, and a second Enter before the field is drawn empty.
    const area = field.current;
    const written = area?.value ?? "";
    if (area === null || written.trim() === "") return;
    area.value = "";
    setText("");
    setProblem("");
    const result = await onSend(written);
    if (result.kind === "accepted") return;
    // Nothing was logged: the prompt goes back where it was written, before what was written since.
    setText((since) => (since.trim() === "" ? written : `${written}\n\n${since}`));
    if (result.kind === "refused") setProblem(result.error.message);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (composing(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      void send();
    } else if (event.key === "Escape" && onStop !== undefined) {
      event.preventDefault();
      onStop();
    }
  };

  const empty = text.trim() === "";
  return (
    <div class="streamchat-composer">
      {problem && <Notice text={problem} />}
      <div class="streamchat-box">
        <textarea
          ref={field}
          rows={1}
          value={text}
          placeholder="Ask anything"
          aria-label="Prompt"
          title="Enter sends, Shift+Enter breaks the line, Escape stops"
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <div class="streamchat-tools">
          {children}
          {onStop !== undefined && (
            <button type="button" class="streamchat-round streamchat-stop" aria-label="Stop" title="Stop (Escape)" onClick={onStop}>
              <StopIcon />
            </button>
          )}
          {(onStop === undefined || !empty) && (
            <button
              type="button"
              class="streamchat-round streamchat-send"
              aria-label="Send"
              title="Send (Enter)"
              disabled={empty}
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
    </div>
  );
}
