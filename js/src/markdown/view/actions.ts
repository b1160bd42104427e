/** The buttons by which a block of code is taken elsewhere. */

import { copyText } from "../clipboard.ts";
import type { Labels } from "../labels.ts";
import type { CodeAction } from "../options.ts";
import { visible } from "../safety.ts";
import { button } from "./button.ts";

/** The class of all buttons of a block. */
export const ACTION = "streamchat-md-action";
/** How long a button says what came of it. */
const SAID_MS = 1500;

interface Offered {
  readonly element: HTMLElement;
  action: CodeAction;
  /** Until when it says what came of it. */
  said: ReturnType<typeof setTimeout> | null;
}

/** Copy, and before it what is offered. */
export class Actions {
  readonly copy: HTMLElement;
  readonly #offered: Offered[] = [];

  constructor(labels: Labels, text: () => string) {
    const copy = button(ACTION, labels.copy, () => {
      void copyText(text()).then((copied) => {
        copy.setAttribute("aria-label", copied ? labels.copied : labels.notAllowed);
        setTimeout(() => copy.setAttribute("aria-label", labels.copy), SAID_MS);
      });
    });
    this.copy = copy;
  }

  /** What is there stays where it is, so that the keyboard's focus does. */
  offer(actions: readonly CodeAction[]): void {
    for (const { element } of this.#offered.splice(actions.length)) element.remove();
    actions.forEach((action, at) => {
      const old = this.#offered[at];
      if (old === undefined) this.#add(action);
      else {
        old.action = action;
        if (old.said === null) label(old.element, action);
      }
    });
  }

  #add(action: CodeAction): void {
    const element = button(ACTION, action.label, () => {
      made.action.run((words) => {
        element.setAttribute("aria-label", visible(words));
        element.removeAttribute("data-short");
        if (made.said !== null) clearTimeout(made.said);
        made.said = setTimeout(() => {
          made.said = null;
          label(element, made.action);
        }, SAID_MS);
      });
    });
    const made: Offered = { element, action, said: null };
    label(element, action);
    this.#offered.push(made);
    this.copy.before(element);
  }
}

function label(element: HTMLElement, action: CodeAction): void {
  element.setAttribute("aria-label", visible(action.label));
  element.setAttribute("data-short", visible(action.short));
  element.setAttribute("title", visible(action.title));
}
