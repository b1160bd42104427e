/** What can be mentioned with an `@` in a prompt, the kernel's variables and the notebook's cells, and what then goes with it. */

import { readDescribed, readNames, type Variable, type Variables } from "../model/variables.ts";
import { pageNotebooks, type Notebook, type NotebookCell } from "../notebook.ts";
import { cellContext, cellKey, cellLabel, glance } from "./cells.ts";
import type { Context } from "./context.ts";
import { full } from "./numbers.ts";
import * as strings from "./strings.ts";

/** A kernel that computes may answer in between; one that is idle has time to show what is mentioned. */
const BUSY_MS = 800;
const PATIENCE_MS = 4_000;
const MIME = "application/vnd.jupyter-streamchat.mentions+json";
const MODULE = "__import__('jupyter_streamchat.mentions', fromlist=['names'])";

/** Where a mention may begin, and what it may be of. */
const BEFORE = String.raw`(?<![\p{L}\p{N}_@./\\-])`;
const NAME = String.raw`[\p{L}_][\p{L}\p{N}\p{M}_]*(?::\d*)?`;
const OPEN = new RegExp(`${BEFORE}@(${NAME})?$`, "u");
const ANY = new RegExp(`${BEFORE}@(${NAME})`, "gu");

export interface Mention {
  /** What stands behind the `@`: a variable's name, or `cell:3`. */
  readonly key: string;
  /** What a person is told of it. */
  readonly detail: string;
  /** The label of what goes with the prompt. */
  readonly label: string;
  readonly cell: NotebookCell | null;
}

/** A mention that is being written: where it begins, and what of it is there. */
export interface Writing {
  readonly start: number;
  readonly query: string;
}

/** The mention that ends where the caret is. */
export function writing(text: string, caret: number): Writing | null {
  const found = OPEN.exec(text.slice(0, caret));
  return found === null ? null : { start: found.index, query: found[1] ?? "" };
}

export class Mentions {
  /** Why the kernel's variables are not among them. */
  problem = "";
  /** Whether the kernel is being asked. */
  asking = false;
  readonly #variables: Variables | null;
  #known: readonly Variable[] = [];
  /** Whose they are: another notebook may be in front by now, which has others of their names. */
  #owner: Variables | null = null;
  #asked = new AbortController();
  #everAsked = false;
  #left: ReadonlySet<string> = new Set();
  readonly #listeners = new Set<() => void>();

  /** Those of a widget's own kernel; null for those of the notebook beside the chat. */
  constructor(variables: Variables | null) {
    this.#variables = variables;
  }

  subscribe(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener));
  }

  /** Ask the kernel what there is now; `near` says beside which notebook. */
  look(near: Element | null): void {
    const variables = this.#source(near);
    this.#everAsked = true;
    if (variables === null) return;
    this.#asked.abort();
    const asked = (this.#asked = new AbortController());
    this.asking = true;
    void variables
      .names(asked.signal)
      .then(
        (known) => ({ known, problem: "" }),
        (error: unknown) => ({ known: [], problem: (error as Error).message }),
      )
      .then(({ known, problem }) => {
        if (asked.signal.aborted) return;
        [this.#known, this.#owner, this.problem, this.asking] = [known, variables, problem, false];
        this.#changed();
      });
    this.#changed();
  }

  /** Nobody waits for it any more. */
  close(): void {
    this.#asked.abort();
  }

  /** Those that begin with what is written, then those that hold it. */
  matching(query: string, near: Element | null): readonly Mention[] {
    const wanted = query.toLowerCase();
    const all = this.#all(near).filter(({ key }) => key.toLowerCase().includes(wanted));
    const begins = ({ key }: Mention): boolean => key.toLowerCase().startsWith(wanted);
    return [...all.filter(begins), ...all.filter((one) => !begins(one))];
  }

  /** Those in a text, without those that were left out. */
  found(text: string, near: Element | null): readonly Mention[] {
    const named = new Set([...text.matchAll(ANY)].map(([, key]) => key));
    if (named.size === 0) return [];
    if (!this.#everAsked) {
      this.#everAsked = true;
      // Who asks may be drawing.
      queueMicrotask(() => this.look(near));
    }
    return this.#all(near).filter(({ key }) => named.has(key) && !this.#left.has(key));
  }

  /** Do not send it, though it stands in the text. */
  leaveOut(key: string): void {
    this.#left = new Set([...this.#left, key]);
    this.#changed();
  }

  /** Another prompt begins. */
  forget(): void {
    if (this.#left.size === 0) return;
    this.#left = new Set();
    this.#changed();
  }

  /** What goes with the prompt, as it is now. Rejects with an `Error` in a person's words where something cannot. */
  async contexts(mentions: readonly Mention[], near: Element | null, signal: AbortSignal): Promise<readonly Context[]> {
    const names = mentions.filter(({ cell }) => cell === null).map(({ key }) => key);
    const variables = names.length === 0 ? null : this.#owner;
    if (names.length > 0 && variables === null) throw new Error(strings.noKernel());
    const described = (await variables?.describe(names, signal)) ?? [];
    const failed = described.find(({ problem }) => problem !== "")?.problem;
    if (failed !== undefined) throw new Error(failed);
    return mentions.map(({ key, cell }) => {
      if (cell !== null) return cellContext(cell, notebookAt(near)?.language ?? "");
      const one = described.find(({ name }) => name === key);
      if (one === undefined) throw new Error(strings.noVariable(key));
      return { label: labelled(one), body: one.text };
    });
  }

  #all(near: Element | null): Mention[] {
    const variables = this.#known.map((one): Mention => ({ key: one.name, detail: sized(one), label: labelled(one), cell: null }));
    const cells = notebookAt(near)?.cells() ?? [];
    const ran = cells.filter(({ executionCount, source }) => executionCount !== null && source.trim() !== "");
    const mentions = ran.map((cell): Mention => ({ key: `cell:${cell.executionCount}`, detail: glance(cell), label: cellLabel(cell), cell }));
    return [...variables, ...mentions.reverse()];
  }

  #source(near: Element | null): Variables | null {
    if (this.#variables !== null) return this.#variables;
    const notebook = notebookAt(near);
    return notebook === null ? null : notebookVariables(notebook);
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The key under which a mentioned cell may wait among the contexts already. */
export function waitingKey({ cell }: Mention, near: Element | null): string | null {
  const notebook = cell === null ? null : notebookAt(near);
  return cell === null || notebook === null ? null : cellKey(notebook, cell);
}

/** The variables of an open notebook's kernel, by expressions that leave no trace in it. */
function notebookVariables(notebook: Notebook): Variables {
  const ask = async (expression: string, signal: AbortSignal): Promise<unknown> => {
    const { kernel, language } = notebook;
    if (kernel === null) throw new Error(strings.noKernel());
    if (language !== "" && language !== "python") throw new Error(strings.notPython());
    const late = AbortSignal.timeout(kernel.busy ? BUSY_MS : PATIENCE_MS);
    try {
      const data = await kernel.evaluate(`${MODULE}.${expression}`, AbortSignal.any([signal, late]));
      return data[MIME];
    } catch (error) {
      if (late.aborted) throw new Error(strings.kernelComputes());
      const words = error instanceof Error ? error.message : "";
      throw /No module named/.test(words) ? new Error(strings.kernelWithout()) : error;
    }
  };
  return {
    names: async (signal) => readNames(await ask("names()", signal)),
    describe: async (names, signal) => readDescribed(await ask(`describe(${JSON.stringify(names)})`, signal)),
  };
}

function notebookAt(near: Element | null): Notebook | null {
  return pageNotebooks()?.find(near) ?? null;
}

function sized({ type, shape }: Variable): string {
  const size = shape.map((one) => full(one)).join(" × ");
  return size === "" ? type : `${type}, ${size}`;
}

function labelled(one: Variable): string {
  return `${one.name} — ${sized(one)}`.slice(0, 160);
}
