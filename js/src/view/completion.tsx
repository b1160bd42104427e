/** The list that an `@` in a prompt opens: what can be mentioned, chosen by keyboard or pointer while the prompt is written on. */

import type { JSX, RefObject } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { visible } from "../markdown/index.ts";
import { useChanges, useSettled } from "./hooks.ts";
import { writing, type Mention, type Mentions } from "./mentions.ts";
import * as strings from "./strings.ts";

/** Between the list, the composer and the edges of the page, in pixels. */
const GAP = 6;
/** More are found by writing on. */
const MOST = 100;
/** A kernel that answers at once is not worth a word. */
const WORTH_MS = 300;

export interface Completion {
  /** Where the caret is may have changed. */
  readonly follow: () => void;
  /** The person goes elsewhere. */
  readonly leave: () => void;
  /** Whether the list has taken the key. */
  readonly onKeyDown: (event: KeyboardEvent) => boolean;
  /** What of the field says that there is a list. */
  readonly attributes: {
    readonly "aria-autocomplete": "list";
    readonly "aria-controls"?: string;
    readonly "aria-activedescendant"?: string;
  };
  readonly list: JSX.Element | null;
}

/** The list for a field; `onText` hears what stands in it when a mention was put there. */
export function useCompletion(field: RefObject<HTMLTextAreaElement | null>, mentions: Mentions, onText: (text: string) => void): Completion {
  useChanges(mentions);
  const id = useId();
  const [open, setOpen] = useState<{ readonly start: number; readonly query: string } | null>(null);
  const [at, setAt] = useState(0);
  /** Where a list was left by Escape. */
  const left = useRef(-1);
  const asking = useSettled(open !== null && mentions.asking, WORTH_MS);
  const options = open === null ? [] : mentions.matching(open.query, field.current).slice(0, MOST);
  const active = options[Math.min(at, options.length - 1)];
  const word = open === null ? "" : mentions.problem || (asking && options.length === 0 ? strings.askingKernel() : "");
  const shown = open !== null && (options.length > 0 || word !== "");

  const follow = (): void => {
    const area = field.current;
    const now = area === null || area.selectionStart !== area.selectionEnd ? null : writing(area.value, area.selectionStart);
    if (now === null) {
      left.current = -1;
      setOpen(null);
      return;
    }
    if (now.start === left.current) return;
    left.current = -1;
    if (open?.start !== now.start) mentions.look(area);
    if (open?.start === now.start && open.query === now.query) return;
    setAt(0);
    setOpen(now);
  };

  const leave = (): void => {
    left.current = open?.start ?? -1;
    setOpen(null);
  };

  const accept = ({ key }: Mention): void => {
    const area = field.current;
    if (area === null || open === null) return;
    area.focus();
    const end = area.selectionEnd;
    const written = area.value.slice(open.start, end);
    const whole = `@${key} `;
    // Only what is missing, where that will do: after undoing the caret stands where it stood.
    const from = whole.startsWith(written) ? end : open.start;
    const added = whole.slice(from - open.start);
    area.setSelectionRange(from, end);
    // What is put there so can be undone.
    if (!document.execCommand?.("insertText", false, added)) area.setRangeText(added, from, end, "end");
    setOpen(null);
    onText(area.value);
  };

  const onKeyDown = (event: KeyboardEvent): boolean => {
    if (!shown || event.ctrlKey || event.metaKey || event.altKey) return false;
    // What stands in the field, not what was last drawn.
    const now = field.current === null ? null : writing(field.current.value, field.current.selectionStart);
    if (now === null || now.start !== open.start) return false;
    const { key } = event;
    if (key === "Escape") leave();
    else if (active === undefined || event.shiftKey) return false;
    else if (key === "ArrowDown" || key === "ArrowUp") {
      const to = Math.min(at, options.length - 1) + (key === "ArrowDown" ? 1 : -1);
      setAt((to + options.length) % options.length);
    } else if (key === "Tab" || key === "Enter") {
      // Who has written it out wants to go on.
      if (key === "Enter" && active.key === now.query) {
        leave();
        return false;
      }
      accept(active);
    } else return false;
    event.preventDefault();
    return true;
  };

  return {
    follow,
    leave,
    onKeyDown,
    attributes: {
      "aria-autocomplete": "list",
      ...(shown ? { "aria-controls": id } : {}),
      ...(shown && active !== undefined ? { "aria-activedescendant": `${id}-${active.key}` } : {}),
    },
    list: shown ? <List {...{ id, field, options, active, word }} onChoose={accept} onLeave={leave} /> : null,
  };
}

interface Props {
  readonly id: string;
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly options: readonly Mention[];
  readonly active: Mention | undefined;
  /** Why there are no more. */
  readonly word: string;
  readonly onChoose: (mention: Mention) => void;
  readonly onLeave: () => void;
}

function List({ id, field, options, active, word, onChoose, onLeave }: Props) {
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const box = field.current?.closest(".streamchat-box");
    const node = list.current;
    if (box == null || node === null) return undefined;
    // In the top layer: the chat would cut it off.
    node.showPopover?.();
    const stand = (): void => {
      const { top, bottom, left, width } = box.getBoundingClientRect();
      const above = top > innerHeight - bottom;
      node.style.left = `${Math.max(GAP, left)}px`;
      node.style.width = `${Math.min(width, 420)}px`;
      node.style.maxHeight = `${Math.min(300, (above ? top : innerHeight - bottom) - 2 * GAP)}px`;
      node.style.bottom = above ? `${innerHeight - top + GAP}px` : "auto";
      node.style.top = above ? "auto" : `${bottom + GAP}px`;
    };
    stand();
    const lifetime = new AbortController();
    const options = { signal: lifetime.signal, capture: true };
    document.addEventListener("scroll", (event) => event.target !== node && stand(), options);
    addEventListener("resize", stand, options);
    // The composer grows with what is written in it.
    const sizes = new ResizeObserver(stand);
    sizes.observe(box);
    document.addEventListener(
      "pointerdown",
      (event) => {
        const target = event.target as Node;
        if (!node.contains(target) && target !== field.current) onLeave();
      },
      options,
    );
    return () => {
      sizes.disconnect();
      lifetime.abort();
    };
  }, []);
  useLayoutEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [active?.key]);
  return (
    <div ref={list} class="streamchat-menu streamchat-mentions" popover="manual">
      {options.length > 0 && (
        <div id={id} role="listbox" aria-label={strings.mentionable()}>
          {options.map((option) => (
            <div
              key={option.key}
              id={`${id}-${option.key}`}
              role="option"
              aria-selected={option === active}
              // The field keeps the focus.
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => onChoose(option)}
            >
              <b>@{option.key}</b>
              <small>{visible(option.detail)}</small>
            </div>
          ))}
        </div>
      )}
      {word && <p>{visible(word)}</p>}
      <div class="streamchat-unseen" role="status">
        {active === undefined ? visible(word) : strings.suggestions(options.length)}
      </div>
    </div>
  );
}
