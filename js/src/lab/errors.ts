/** The button below an error in a notebook's output: asks the chat what it means. */

import { pagePreferences } from "../preferences.ts";
import * as strings from "./strings.ts";

/** What JupyterLab draws an error as, and what was written to stderr, too. */
const ERROR = ".jp-OutputArea-output:is([data-mime-type='application/vnd.jupyter.stderr'], [data-mime-type='application/vnd.jupyter.error'])";
const BAR = "streamchat-explain";

export interface ErrorActions {
  /** Whether the cell of an output failed. */
  failed(output: Element): boolean;
  /** Ask at once. */
  explain(output: Element): void;
  /** Put the question into the composer, for the person to add cells and send it. */
  prepare(output: Element): void;
}

/** Give the errors below `root`, those of later too, their buttons, until the signal. */
export function offerExplanations(root: HTMLElement, actions: ErrorActions, signal: AbortSignal): void {
  const preferences = pagePreferences();
  const add = (): void => {
    const wanted = preferences.value.explainErrors;
    const lasts = new Map<Element | null, Element>();
    for (const output of root.querySelectorAll(ERROR)) lasts.set(output.closest(".jp-OutputArea"), output);
    for (const [area, output] of lasts) {
      // A cell ends with its error; one that ran anew may have drawn something else there.
      const may = wanted && actions.failed(output);
      for (const bar of area?.querySelectorAll(`.${BAR}`) ?? []) if (!may || bar.parentElement !== output) bar.remove();
      if (may && output.querySelector(`.${BAR}`) === null) output.append(made(output, actions));
    }
  };
  // Outputs are drawn anew whenever they change, and cells when they come into sight.
  const observer = new MutationObserver((records) => {
    if (records.some(({ addedNodes }) => addedNodes.length > 0)) add();
  });
  observer.observe(root, { childList: true, subtree: true });
  preferences.subscribe(add, signal);
  signal.addEventListener("abort", () => observer.disconnect());
  add();
}

function made(output: Element, actions: ErrorActions): HTMLElement {
  const bar = document.createElement("div");
  bar.className = `streamchat ${BAR}`;
  bar.append(
    button(strings.explain(), strings.explainWhat(), () => actions.explain(output)),
    button(strings.explainWith(), strings.explainWithWhat(), () => actions.prepare(output)),
  );
  return bar;
}

function button(label: string, title: string, action: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "streamchat-quiet";
  made.textContent = label;
  made.title = title;
  made.addEventListener("click", action);
  // Else the notebook would run the cell, or begin to edit it; some versions listen before the button hears of the key.
  made.setAttribute("data-lm-suppress-shortcuts", "true");
  made.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") event.stopPropagation();
  });
  return made;
}
