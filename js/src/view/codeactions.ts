/** What the page's notebook lets be done with the code of an answer: a new cell of it, or another source for a cell. */

import type { ClosedCode, CodeAction } from "../markdown/index.ts";
import { pageNotebooks, type Notebook, type NotebookCell } from "../notebook.ts";
import { pagePreferences } from "../preferences.ts";
import { cellKey } from "./cells.ts";
import { review } from "./review.tsx";
import * as strings from "./strings.ts";

/** How languages are called in fences, beside their own names. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  python: ["py", "python3", "py3", "ipython", "ipython3"],
  julia: ["jl"],
  r: ["rlang"],
};

export interface Block {
  readonly code: ClosedCode;
  readonly offer: (actions: readonly CodeAction[]) => void;
  /** What is offered now: its words, and for which cell; null where that is not known. */
  offered: string | null;
}

/** Offers them on the blocks of one text; nothing where the page has no notebooks. */
export class CellActions {
  readonly #signal: AbortSignal;
  #blocks: Block[] = [];
  #frame = 0;

  /** As long as the signal lets it. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
    pageNotebooks()?.subscribe(() => this.#soon(), signal);
    pagePreferences().subscribe(() => this.#soon(), signal);
    signal.addEventListener("abort", () => cancelAnimationFrame(this.#frame));
  }

  get blocks(): readonly Block[] {
    return this.#blocks;
  }

  /** The text is shown anew. */
  clear(): void {
    this.#blocks = [];
  }

  /** A block is complete; see `MarkdownOptions`. */
  readonly add = (code: ClosedCode, offer: (actions: readonly CodeAction[]) => void): void => {
    if (code.text.trim() === "") return;
    const block: Block = { code, offer, offered: null };
    this.#blocks.push(block);
    this.#offer(block);
  };

  /** Cells change with every key: once a frame is enough. */
  #soon(): void {
    if (this.#blocks.length === 0 || this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      for (const block of this.#blocks) this.#offer(block);
    });
  }

  #offer(block: Block): void {
    const notebook = pagePreferences().value.codeActions ? (pageNotebooks()?.find(block.code.element) ?? null) : null;
    const cell = notebook?.cell(block.code.element) ?? null;
    const actions = this.#actions(block.code, notebook, cell);
    // Many cells are called [3], one in each notebook.
    const meant = notebook === null || cell === null ? "" : cellKey(notebook, cell);
    const offered = [meant, ...actions.map(({ label, title }) => `${label}\n${title}`)].join("\n");
    if (offered === block.offered) return;
    block.offered = offered;
    block.offer(actions);
  }

  #actions({ element, language, text }: ClosedCode, notebook: Notebook | null, cell: NotebookCell | null): CodeAction[] {
    if (notebook === null || cell === null || !fits(language, notebook.language)) return [];
    const source = text.replace(/\n+$/, "");
    const insert: CodeAction = {
      label: strings.insertBelow(),
      short: strings.insertShort(),
      title: strings.insertWhere(named(cell)),
      run: (say) => say(this.#below(notebook, element, source) ? strings.inserted() : strings.notPossible()),
    };
    return cell.type === "code" && cell.editable ? [insert, this.#replacement(notebook, cell, element, source)] : [insert];
  }

  /** Below the cell that is meant at that moment. */
  #below(notebook: Notebook, element: Element, source: string): boolean {
    const cell = notebook.cell(element);
    return cell !== null && notebook.insertBelow(cell.id, source) !== null;
  }

  #replacement(notebook: Notebook, { id, ...rest }: NotebookCell, element: Element, suggestion: string): CodeAction {
    const cell = named(rest);
    return {
      label: strings.replaceCell(cell),
      short: strings.replaceCell(rest.executionCount === null ? `${rest.index + 1}` : `[${rest.executionCount}]`),
      title: strings.replaceWhat(cell),
      run: (say) =>
        review(
          element,
          {
            cell,
            own: element.closest(".jp-Cell") !== null,
            suggestion,
            source: () => notebook.cells().find((one) => one.id === id)?.source ?? null,
            replace: () => notebook.replace(id, suggestion),
          },
          () => say(strings.replaced()),
          this.#signal,
        ),
    };
  }
}

/** Whether code of this language can be run in a notebook of that one; what is not said is taken for it. */
function fits(language: string, notebook: string): boolean {
  const said = language.toLowerCase();
  return said === "" || notebook === "" || said === notebook || (NAMES[notebook] ?? []).includes(said);
}

/** The number that a person sees before it, or its place where it has none. */
function named({ executionCount, index }: Pick<NotebookCell, "executionCount" | "index">): string {
  return executionCount === null ? strings.freshCell(String(index + 1)) : strings.ranCell(String(executionCount));
}
