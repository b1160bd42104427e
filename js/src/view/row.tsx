/** One conversation of the list: opened by a click, and what else can be done with it in a menu. */

import { useRef, useState } from "preact/hooks";
import { visible } from "../markdown/index.ts";
import type { ConversationInfo } from "../protocol/frames.gen.ts";
import { age, moment } from "./ages.ts";
import { MoreIcon } from "./icons.tsx";
import { Menu } from "./menu.tsx";
import * as strings from "./strings.ts";
import { TitleField } from "./title.tsx";

interface RowProps {
  readonly one: ConversationInfo;
  readonly now: number;
  readonly open: boolean;
  readonly reached: boolean;
  readonly renaming: boolean;
  readonly onOpen: () => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  readonly onFocus: () => void;
  readonly onRename: () => void;
  readonly onRenamed: (title: string | null, byKey: boolean) => void;
  readonly onExport: (form: "md" | "jsonl") => void;
  readonly onDelete: () => void;
}

export function Row({ one, now, open, reached, renaming, onOpen, onKeyDown, onFocus, onRename, onRenamed, onExport, onDelete }: RowProps) {
  const more = useRef<HTMLButtonElement>(null);
  const [menu, setMenu] = useState(false);
  const title = visible(one.title ?? "") || strings.untitled();
  const used = one.used * 1000;
  if (renaming) {
    return (
      <li class="streamchat-past-row">
        <TitleField title={one.title ?? ""} onDone={onRenamed} />
      </li>
    );
  }
  const choose = (key: string): void => {
    setMenu(false);
    if (key === "rename") {
      onRename();
      return;
    }
    more.current?.focus({ preventScroll: true });
    if (key === "delete") onDelete();
    else if (key === "md" || key === "jsonl") onExport(key);
  };
  return (
    <li class={open ? "streamchat-past-row streamchat-past-open" : "streamchat-past-row"}>
      <button
        type="button"
        class="streamchat-past-name"
        data-conversation={one.id}
        tabIndex={reached ? 0 : -1}
        aria-current={open ? "true" : undefined}
        aria-keyshortcuts="F2 Delete"
        title={`${title}\n${moment(used)}`}
        onClick={onOpen}
        onFocus={onFocus}
        onKeyDown={onKeyDown}
      >
        <span class="streamchat-past-title">{title}</span>
        {one.answering ? (
          <span class="streamchat-pulse" role="img" aria-label={strings.answeringNow()}>
            <i />
            <i />
            <i />
          </span>
        ) : (
          <time dateTime={new Date(used).toISOString()}>{age(used, now)}</time>
        )}
        {one.found && <small>{visible(one.found)}</small>}
      </button>
      <button
        ref={more}
        type="button"
        class="streamchat-icon"
        tabIndex={reached ? 0 : -1}
        aria-label={strings.moreFor(title)}
        title={strings.moreFor(title)}
        aria-haspopup="menu"
        aria-expanded={menu}
        onClick={() => setMenu(!menu)}
      >
        <MoreIcon />
      </button>
      {menu && (
        <Menu
          label={strings.moreFor(title)}
          anchor={more.current}
          items={[
            { key: "rename", label: strings.rename(), detail: "F2" },
            { key: "md", label: strings.exportMarkdown() },
            { key: "jsonl", label: strings.exportLines() },
            { key: "delete", label: strings.deleteIt(), detail: strings.deleteKey() },
          ]}
          onChoose={choose}
          onClose={() => {
            setMenu(false);
            more.current?.focus({ preventScroll: true });
          }}
          onLeave={() => setMenu(false)}
        />
      )}
    </li>
  );
}
