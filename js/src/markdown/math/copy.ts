/** Puts a formula's TeX into the clipboard in place of its letters in a heap. */

const BLOCK = "block";

/** When a selection in the container with formulas is copied, its plain text has their source in dollars. */
export function copyMathSource(container: HTMLElement, signal?: AbortSignal): void {
  container.addEventListener("copy", onCopy, signal ? { signal } : {});
}

function onCopy(event: ClipboardEvent): void {
  const { clipboardData, target } = event;
  const selection = document.getSelection();
  if (event.defaultPrevented || clipboardData === null || selection === null || selection.isCollapsed) return;
  // A field has a selection of its own.
  if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) return;
  const copy = selected(selection);
  if (copy.querySelector("math annotation") === null) return;
  clipboardData.setData("text/html", new XMLSerializer().serializeToString(copy));
  clipboardData.setData("text/plain", textOf(copy));
  event.preventDefault();
}

/** What is selected, with formulas whole. */
function selected(selection: Selection): HTMLElement {
  const copy = document.createElement("div");
  for (let place = 0; place < selection.rangeCount; place++) {
    const range = selection.getRangeAt(place).cloneRange();
    const first = formulaAround(range.startContainer);
    const last = formulaAround(range.endContainer);
    if (first !== null) range.setStartBefore(first);
    if (last !== null) range.setEndAfter(last);
    copy.append(range.cloneContents());
  }
  // As the browser, which leaves out what cannot be selected.
  for (const control of copy.querySelectorAll("button, input, select, textarea")) control.remove();
  return copy;
}

function formulaAround(node: Node): Element | null {
  const element = node instanceof Element ? node : node.parentElement;
  return element?.closest("math") ?? null;
}

/** The text with sources, broken into lines as it is shown: that is known only to a page. */
function textOf(copy: HTMLElement): string {
  for (const formula of copy.querySelectorAll("math")) {
    const source = formula.querySelector("annotation")?.textContent ?? "";
    const display = formula.getAttribute("display") === BLOCK;
    const written = document.createElement(display ? "div" : "span");
    written.append(display ? `$$${source}$$` : `$${source}$`);
    formula.replaceWith(written);
  }
  copy.style.position = "fixed";
  copy.style.left = "-9999px";
  document.body.append(copy);
  const text = copy.innerText;
  copy.remove();
  return text;
}
