/** What a conversation is called, quietly at its top, and where it is renamed. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { visible } from "../markdown/index.ts";
import { composing } from "./hooks.ts";
import { MoreIcon, PencilIcon } from "./icons.tsx";
import { Menu } from "./menu.tsx";
import * as strings from "./strings.ts";

/** Characters of a title, as the relay takes it. */
const MOST = 120;

interface Props {
  readonly title: string;
  /** Absent where it cannot be renamed now. */
  readonly onRename: ((title: string) => void) | undefined;
  /** Absent where there is nothing to export or delete now. */
  readonly onExport: ((form: "md" | "jsonl") => void) | undefined;
  readonly onDelete: (() => void) | undefined;
  /** The keyboard is done here. */
  readonly onLeave: () => void;
}

export function Title({ title, onRename, onExport, onDelete, onLeave }: Props) {
  const [open, setOpen] = useState(false);
  const [menu, setMenu] = useState(false);
  const more = useRef<HTMLButtonElement>(null);
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
      {onExport !== undefined && onDelete !== undefined && (
        <button
          ref={more}
          type="button"
          class="streamchat-icon"
          aria-label={strings.conversationMenu()}
          title={strings.conversationMenu()}
          aria-haspopup="menu"
          aria-expanded={menu}
          onClick={() => setMenu(!menu)}
        >
          <MoreIcon />
        </button>
      )}
      {menu && (
        <Menu
          label={strings.conversationMenu()}
          anchor={more.current}
          items={[
            { key: "md", label: strings.exportMarkdown() },
            { key: "jsonl", label: strings.exportLines() },
            { key: "delete", label: strings.deleteConversation() },
          ]}
          onChoose={(key) => {
            setMenu(false);
            more.current?.focus({ preventScroll: true });
            if (key === "delete") onDelete?.();
            else if (key === "md" || key === "jsonl") onExport?.(key);
          }}
          onClose={() => {
            setMenu(false);
            more.current?.focus({ preventScroll: true });
          }}
          onLeave={() => setMenu(false)}
        />
      )}
    </div>
  );
}

interface FieldProps {
  readonly title: string;
  /** With null where it is to stay as it was. */
  readonly onDone: (written: string | null, byKey: boolean) => void;
}

export function TitleField({ title, onDone }: FieldProps) {
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
