/** A chat over all of the page, and back into its place: the button, and Escape. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { ShrinkIcon, WidenIcon } from "./icons.tsx";
import * as strings from "./strings.ts";

const WHOLE = "streamchat-whole";

/**
 * The chat's element goes into the browser's top layer, where nothing that is around it cuts it off. Real full screen is
 * not asked for: its Escape cannot be had, which stops answers and closes menus first, and frames seldom may.
 */
export function WholePage() {
  const button = useRef<HTMLButtonElement>(null);
  const [on, set] = useState(false);
  useLayoutEffect(() => {
    const chat = button.current?.closest<HTMLElement>(".streamchat");
    if (!on || chat == null) return undefined;
    const lifetime = new AbortController();
    const focused = (chat.getRootNode() as Document | ShadowRoot).activeElement as HTMLElement | null;
    chat.setAttribute("popover", "manual");
    chat.showPopover();
    chat.classList.add(WHOLE);
    chat.setAttribute("role", "dialog");
    chat.setAttribute("aria-modal", "true");
    chat.setAttribute("aria-label", strings.chat());
    const wake = sleep(chat);
    const onKeyDown = (event: KeyboardEvent): void => {
      // Menus, editors and Stop have it first.
      if (event.key === "Escape" && !event.defaultPrevented) set(false);
    };
    chat.addEventListener("keydown", onKeyDown, { signal: lifetime.signal });
    if (chat.contains(focused)) focused?.focus({ preventScroll: true });
    return () => {
      lifetime.abort();
      wake();
      const last = (chat.getRootNode() as Document | ShadowRoot).activeElement as HTMLElement | null;
      chat.classList.remove(WHOLE);
      if (chat.isConnected) chat.hidePopover();
      for (const name of ["popover", "role", "aria-modal", "aria-label"]) chat.removeAttribute(name);
      if (chat.contains(last)) last?.focus({ preventScroll: true });
      chat.scrollIntoView({ block: "nearest" });
    };
  }, [on]);
  if (!("showPopover" in HTMLElement.prototype)) return null;
  const label = on ? strings.wholePageOff() : strings.wholePage();
  return (
    <button ref={button} type="button" class="streamchat-icon" aria-label={label} title={label} aria-pressed={on} onClick={() => set(!on)}>
      {on ? <ShrinkIcon /> : <WidenIcon />}
    </button>
  );
}

/** Let nothing but this element be reached, for it covers all. Returns how to undo that. */
function sleep(element: HTMLElement): () => void {
  const asleep: HTMLElement[] = [];
  let inner: Node = element;
  while (inner !== document.body && inner !== document.documentElement) {
    const outer: Node | null = inner.parentNode ?? (inner instanceof ShadowRoot ? inner.host : null);
    if (outer === null) break;
    for (const other of outer.childNodes) {
      if (other === inner || !(other instanceof HTMLElement) || other.inert) continue;
      other.inert = true;
      asleep.push(other);
    }
    inner = outer instanceof ShadowRoot ? outer.host : outer;
  }
  return () => asleep.forEach((other) => (other.inert = false));
}
