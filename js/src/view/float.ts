/** Where what floats over the page stands: above its button, else below it, and never out of the window. */

/** Between it and the edges of the page, and its button, in pixels. */
const GAP = 6;

/** Show an element in the top layer at its button, until the signal; `onLeave` when the person goes elsewhere. */
export function place(element: HTMLElement, anchor: HTMLElement, onLeave: () => void, signal: AbortSignal): void {
  // In the top layer: the conversation scrolls, and would cut it off.
  element.showPopover?.();
  const button = anchor.getBoundingClientRect();
  const { width, height } = element.getBoundingClientRect();
  const above = button.top - height - GAP;
  element.style.top = `${above >= GAP ? above : Math.max(GAP, Math.min(button.bottom + GAP, innerHeight - height - GAP))}px`;
  element.style.left = `${Math.max(GAP, Math.min(button.left, innerWidth - width - GAP))}px`;
  const options = { signal, capture: true };
  document.addEventListener(
    "pointerdown",
    (event) => {
      const target = event.target as Node;
      if (!element.contains(target) && !anchor.contains(target)) onLeave();
    },
    options,
  );
  document.addEventListener(
    "scroll",
    () => {
      if (Math.abs(anchor.getBoundingClientRect().top - button.top) > 1) onLeave();
    },
    options,
  );
}
