/** What goes with a prompt beside its words, a cell or a value: a text of its own under its label, told to every model as it is shown. */

import type { Message } from "../protocol/frames.gen.ts";

export interface Context {
  /** Without line breaks, for example `Cell [3]`. */
  readonly label: string;
  /** Markdown. */
  readonly body: string;
}

/** A context that waits in the composer for its prompt. */
export interface Waiting {
  /** One of each. */
  readonly key: string;
  readonly context: Context;
  /** As it is when the prompt leaves; null where it is gone, and what was seen last goes. */
  readonly renew?: () => Context | null;
}

/** The contexts that wait in a composer, in the order in which they were added. */
export class Contexts {
  list: readonly Waiting[] = [];
  readonly #listeners = new Set<() => void>();

  subscribe(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener));
  }

  has(key: string): boolean {
    return this.list.some((one) => one.key === key);
  }

  /** Takes the place of an earlier one with its key. */
  add(waiting: Waiting): void {
    this.#is(
      this.has(waiting.key)
        ? this.list.map((one) => (one.key === waiting.key ? waiting : one))
        : [...this.list, waiting],
    );
  }

  remove(key: string): void {
    this.#is(this.list.filter((one) => one.key !== key));
  }

  /** All of them for a prompt that is about to leave; `restore` brings them back if it did not. */
  take(): { readonly texts: readonly string[]; restore(): void } {
    const taken = this.list;
    this.#is([]);
    return {
      texts: taken.map(({ context, renew }) => contextText(renew?.() ?? context)),
      restore: () => this.#is([...taken, ...this.list.filter(({ key }) => !taken.some((one) => one.key === key))]),
    };
  }

  #is(list: readonly Waiting[]): void {
    this.list = list;
    for (const listener of [...this.#listeners]) listener();
  }
}

const FORM = /^\n\n([^\n]{1,200}):\n\n([^]+)$/;

const LANGUAGE = /^[\p{L}\p{N}+#._-]{1,40}$/u;

/** A context as a part of a prompt. */
export function contextText({ label, body }: Context): string {
  return `\n\n${label}:\n\n${body}`;
}

/** A prompt's words, and what goes with them. */
export function spoken({ parts }: Pick<Message, "parts">): { readonly text: string; readonly context: readonly Context[] } {
  let text = "";
  const context: Context[] = [];
  for (const part of parts) {
    if (part.type !== "text") continue;
    const [, label, body] = FORM.exec(part.text) ?? [];
    if (label === undefined || body === undefined) text += part.text;
    else context.push({ label, body });
  }
  return { text, context };
}

/** A fenced block that its text cannot close, nor its language: a notebook from elsewhere says that of itself. */
export function fenced(text: string, language = ""): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${LANGUAGE.test(language) ? language : ""}\n${text.replace(/\n$/, "")}\n${fence}`;
}
