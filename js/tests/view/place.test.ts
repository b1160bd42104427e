// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keepPlace, REPLACED_MS } from "../../src/view/place.ts";

let measure = (): void => undefined;
let area: HTMLElement;
let lifetime: AbortController;

class FakeResizeObserver {
  constructor(callback: () => void) {
    measure = callback;
  }
  observe(): void {}
  disconnect(): void {
    measure = () => undefined;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("ResizeObserver", FakeResizeObserver);
  area = document.createElement("div");
  area.className = "jp-OutputArea";
  area.getBoundingClientRect = () => new DOMRect(10, 20, 300, 120);
  document.body.append(area);
  lifetime = new AbortController();
});

afterEach(() => {
  area.remove();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function output(text: string): HTMLElement {
  const made = document.createElement("div");
  made.className = "jp-OutputArea-output";
  made.textContent = text;
  made.getBoundingClientRect = () => new DOMRect(15, 40, 280, 100);
  area.append(made);
  return made;
}

/** A view in its place, as large as it is by now. */
function shown(): { view: HTMLElement; gone: () => void } {
  const view = document.createElement("div");
  view.innerHTML = "<p>The answer</p>";
  const gone = vi.fn();
  keepPlace(view, lifetime.signal, gone);
  output("").append(view);
  measure();
  return { view, gone };
}

/** As Lumino does it: out of the page first. */
function replace(view: HTMLElement): HTMLElement {
  view.parentElement?.remove();
  lifetime.abort();
  return output("");
}

const likeness = () => area.querySelector<HTMLElement>(":scope > [inert]");

describe("a view that is replaced", () => {
  it("stays where it was until what comes instead is drawn, and its place keeps its height", async () => {
    const { view, gone } = shown();
    const next = replace(view);
    expect(gone).toHaveBeenCalledOnce();
    expect(area.style.minHeight).toBe("120px");
    expect(likeness()?.innerHTML).toBe("<p>The answer</p>");
    expect(likeness()?.style).toMatchObject({ position: "absolute", top: "20px", left: "5px", width: "280px" });
    next.innerHTML = "<p>Markdown</p>";
    await vi.advanceTimersByTimeAsync(0);
    expect(likeness()).toBeNull();
    expect(area.style.minHeight).toBe("");
  });

  it("makes way after a while, whatever comes", async () => {
    replace(shown().view);
    await vi.advanceTimersByTimeAsync(REPLACED_MS - 1);
    expect(likeness()).not.toBeNull();
    await vi.advanceTimersByTimeAsync(1);
    expect(likeness()).toBeNull();
    expect(area.style.minHeight).toBe("");
  });

  it("makes way at once where nothing comes instead", async () => {
    const { view } = shown();
    output("beside it");
    view.parentElement?.remove();
    lifetime.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(likeness()).toBeNull();
  });
});

it("a view whose notebook is closed, or that never had a place, is not said to be gone", () => {
  const { view, gone } = shown();
  area.remove();
  replace(view);
  expect(gone).not.toHaveBeenCalled();
  lifetime = new AbortController();
  keepPlace(document.createElement("div"), lifetime.signal, gone);
  measure();
  lifetime.abort();
  expect(gone).not.toHaveBeenCalled();
});
