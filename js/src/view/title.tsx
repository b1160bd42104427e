/** What a conversation is called, quietly at its top, and where it is renamed. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { visible } from "../markdown/index.ts";
import { composing } from "./hooks.ts";
import { PencilIcon } from "./icons.tsx";
import * as strings from "./strings.ts";

/** Characters of a title, as the relay takes it. */
const MOST = 120;

interface Props {
  readonly title: string;
  /** Absent where it cannot be renamed now. */
  readonly onRename: ((title: string) => void) | undefined;
  /** The keyboard is done here. */
  readonly onLeave: () => void;
}

export function Title({ title, onRename, onLeave }: Props) {
  const [open, setOpen] = useState(false);
  if (open) {
    return (
      <div class="streamchat-title">
        <TitleField
          title={title}
          onDone={(written, byKey) => {
            if (written !== null && written.trim() !== title) onRename?.(written.trim());
            setOpen(false);
            if (byKey) onLeave();
          }}
        />
      </div>
    );
  }
  if (title === "" && onRename === undefined) return null;
  const label = title === "" ? strings.nameConversation() : strings.renameConversation();
  return (
    <div class={title === "" ? "streamchat-title streamchat-untitled" : "streamchat-title"}>
      {title !== "" && (
        <h2 title={visible(title)}>{visible(title)}</h2>
      )}
      {onRename !== undefined && (
        <button
          type="button"
          class="streamchat-icon"
          aria-label={label}
          title={label}
          onClick={() => setOpen(true)}
        >
          <PencilIcon />
        </button>
      )}
    </div>
  );
}

interface FieldProps {
  readonly title: string;
  /** With null where it is to stay as it was. */
  readonly onDone: (written: string | null, byKey: boolean) => void;
}

function TitleField({ title, onDone }: FieldProps) {
  const field = useRef<HTMLInputElement>(null);
  const done = useRef(false);
  useLayoutEffect(() => {
    field.current?.focus({ preventScroll: true });
    field.current?.select();
  }, []);
  const end = (written: string | null, byKey: boolean): void => {
    // A field that goes away loses the focus, too.
    if (done.current) return;
    done.current = true;
    onDone(written, byKey);
  };
  return (
    <input
      ref={field}
      type="text"
      defaultValue={title}
      maxLength={MOST}
      placeholder={strings.conversationName()}
      aria-label={strings.conversationName()}
      title={strings.conversationKeys()}
      onBlur={(event) => end(event.currentTarget.value, false)}
      onKeyDown={(event) => {
        if (composing(event)) return;
        if (event.key === "Enter") end(event.currentTarget.value, true);
        else if (event.key === "Escape") end(null, true);
        else return;
        event.preventDefault();
      }}
    />
  );
}
