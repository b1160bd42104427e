/** Another answer to the same prompt, by the model that is picked or by another one. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Connection } from "../connection.ts";
import { place } from "./float.ts";
import { MoreIcon, RetryIcon } from "./icons.tsx";
import { modelName } from "./picker.tsx";
import * as strings from "./strings.ts";

interface Props {
  readonly connection: Connection;
  /** The model that answers where none is chosen. */
  readonly model: string;
  /** Words beside the picture, where the answer failed. */
  readonly label?: string;
  readonly onAgain: (model?: string) => void;
}

export function Again({ connection, model, label, onAgain }: Props) {
  const [open, setOpen] = useState(false);
  const more = useRef<HTMLButtonElement>(null);
  const name = label ?? strings.regenerate();
  const close = (): void => {
    setOpen(false);
    more.current?.focus({ preventScroll: true });
  };
  return (
    <span class="streamchat-again">
      <button
        type="button"
        class={label === undefined ? "streamchat-icon" : "streamchat-quiet"}
        aria-label={name}
        title={model === "" ? name : strings.withModel(name, model)}
        onClick={() => onAgain()}
      >
        <RetryIcon /> {label}
      </button>
      {(connection.catalog?.models.length ?? 0) > 1 && (
        <button
          ref={more}
          type="button"
          class="streamchat-icon streamchat-more"
          aria-label={strings.anotherModel()}
          title={strings.anotherModel()}
          aria-haspopup="menu"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <MoreIcon />
        </button>
      )}
      {open && (
        <ModelMenu
          connection={connection}
          anchor={more.current}
          current={model}
          onClose={close}
          onLeave={() => setOpen(false)}
          onChoose={(id) => {
            setOpen(false);
            onAgain(id);
          }}
        />
      )}
    </span>
  );
}

interface MenuProps {
  readonly connection: Connection;
  readonly anchor: HTMLElement | null;
  readonly current: string;
  readonly onChoose: (model: string) => void;
  /** By the keyboard, which goes back to the button. */
  readonly onClose: () => void;
  /** By going elsewhere. */
  readonly onLeave: () => void;
}

function ModelMenu({ connection, anchor, current, onChoose, onClose, onLeave }: MenuProps) {
  const menu = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const list = menu.current;
    if (list === null || anchor === null) return undefined;
    const lifetime = new AbortController();
    place(list, anchor, onLeave, lifetime.signal);
    const items = [...list.querySelectorAll("button")];
    (items.find((item) => item.dataset["model"] === current) ?? items[0])?.focus({ preventScroll: true });
    return () => lifetime.abort();
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    const items = [...(menu.current?.querySelectorAll("button") ?? [])];
    const here = items.findIndex((item) => item === document.activeElement);
    const to = target(event.key, items, here);
    if (to !== undefined) items[to]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") onClose();
    else return;
    event.preventDefault();
  };
  return (
    <div class="streamchat-menu" popover="manual" role="menu" aria-label={strings.models()} ref={menu} onKeyDown={onKeyDown}>
      {connection.catalog?.models.map((model) => (
        <button
          key={model.id}
          type="button"
          role="menuitem"
          tabIndex={-1}
          data-model={model.id}
          onClick={() => onChoose(model.id)}
        >
          <span>{modelName(model)}</span>
          <small>{model.provider}</small>
        </button>
      ))}
    </div>
  );
}

/** The item that a key leads to: a letter leads to the next name that begins with it. */
function target(key: string, items: readonly HTMLElement[], here: number): number | undefined {
  const count = items.length;
  switch (key) {
    case "ArrowDown":
      return (here + 1) % count;
    case "ArrowUp":
      return (here - 1 + count) % count;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default: {
      if (key.length !== 1 || key === " ") return undefined;
      const order = Array.from(items, (_, step) => (here + 1 + step) % count);
      return order.find((index) => items[index]?.textContent?.toLowerCase().startsWith(key.toLowerCase()));
    }
  }
}
