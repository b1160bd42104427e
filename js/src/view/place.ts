/** A view's place among a notebook's outputs: it stays filled while JupyterLab draws what comes instead. */

/** Drawing what comes instead takes a few frames, the first time; waiting for it ends here. */
export const REPLACED_MS = 500;

const AREA = ".jp-OutputArea";
const OUTPUT = ".jp-OutputArea-output";

interface Place {
  readonly area: HTMLElement;
  readonly height: number;
  /** Where the output is in it. */
  readonly top: number;
  readonly left: number;
  readonly width: number;
}

/**
 * At the signal's end, calls `gone` if the notebook is still there: the output was replaced or cleared, unlike in a page
 * that is left or a notebook that is closed. What the view showed stays until all outputs of that cell are drawn.
 */
export function keepPlace(view: HTMLElement, signal: AbortSignal, gone: () => void): void {
  let place: Place | null = null;
  // By the time the signal comes, the view is out of the page and has no place any more.
  const observer = new ResizeObserver(() => {
    const area = place?.area ?? view.closest<HTMLElement>(AREA);
    const output = view.closest(OUTPUT);
    if (!area?.isConnected || output === null) return;
    if (place === null) observer.observe(area);
    const outer = area.getBoundingClientRect();
    const inner = output.getBoundingClientRect();
    const [top, left] = [inner.top - outer.top, inner.left - outer.left];
    place = { area, height: outer.height, top, left, width: inner.width };
  });
  observer.observe(view);
  signal.addEventListener("abort", () => {
    observer.disconnect();
    if (!place?.area.isConnected) return;
    fill(place, view);
    gone();
  });
}

function fill({ area, height, top, left, width }: Place, view: HTMLElement): void {
  const likeness = document.createElement("div");
  likeness.inert = true;
  likeness.style.cssText = `position: absolute; top: ${top}px; left: ${left}px; width: ${width}px`;
  likeness.append(...[...view.childNodes].map((node) => node.cloneNode(true)));
  const release = (): void => {
    changes.disconnect();
    clearTimeout(timer);
    likeness.remove();
    area.style.minHeight = "";
  };
  const changes = new MutationObserver(() => {
    if ([...area.querySelectorAll(OUTPUT)].every((output) => output.hasChildNodes())) release();
  });
  const timer = setTimeout(release, REPLACED_MS);
  // The likeness itself is a change: where nothing comes instead, it goes before it is seen.
  changes.observe(area, { childList: true, subtree: true });
  area.style.minHeight = `${height}px`;
  area.append(likeness);
}
