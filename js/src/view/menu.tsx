/** A menu at its button, in the page's top layer. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { place } from "./float.ts";

export interface MenuItem {
  readonly key: string;
  readonly label: string;
  /** Quietly after the label. */
  readonly detail?: string;
}

interface Props {
  readonly label: string;
  readonly anchor: HTMLElement | null;
  readonly items: readonly MenuItem[];
  /** The key of the item that has the focus at first; else the first one. */
  readonly current?: string;
  readonly onChoose: (key: string) => void;
  /** By the keyboard, which goes back to the button. */
  readonly onClose: () => void;
  /** By going elsewhere. */
  readonly onLeave: () => void;
}

export function Menu({ label, anchor, items, current, onChoose, onClose, onLeave }: Props) {
  const menu = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const list = menu.current;
    if (list === null || anchor === null) return undefined;
    const lifetime = new AbortController();
    place(list, anchor, onLeave, lifetime.signal);
    const buttons = [...list.querySelectorAll("button")];
    (buttons.find((one) => one.dataset["key"] === current) ?? buttons[0])?.focus({ preventScroll: true });
    return () => lifetime.abort();
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    const buttons = [...(menu.current?.querySelectorAll("button") ?? [])];
    const here = buttons.findIndex((one) => one === document.activeElement);
    const to = target(event.key, buttons, here);
    // What stands around it has keys of its own.
    event.stopPropagation();
    if (to !== undefined) buttons[to]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") onClose();
    else return;
    event.preventDefault();
  };
  return (
    <div class="streamchat-menu" popover="manual" role="menu" aria-label={label} ref={menu} onKeyDown={onKeyDown}>
      {items.map((item) => (
        <button key={item.key} type="button" role="menuitem" tabIndex={-1} data-key={item.key} onClick={() => onChoose(item.key)}>
          <span>{item.label}</span>
          {item.detail !== undefined && <small>{item.detail}</small>}
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
