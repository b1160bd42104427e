/** A page with one notebook in memory: fill `list`, say which is `selected`, read what was done to it. */

import type { Notebook, NotebookCell, NotebookKernel, Notebooks } from "../../src/notebook.ts";

export class FakeNotebook implements Notebook, Notebooks {
  path = "analysis.ipynb";
  language = "python";
  kernel: NotebookKernel | null = null;
  selected: string | null = null;
  list: NotebookCell[] = [];
  readonly #listeners = new Set<() => void>();

  /** Add a code cell at the end. */
  add(source: string, rest: Partial<NotebookCell> = {}): NotebookCell {
    const index = this.list.length;
    const cell: NotebookCell = {
      id: `cell-${index}`,
      index,
      type: "code",
      executionCount: null,
      editable: true,
      source,
      outputs: [],
      ...rest,
    };
    this.list = [...this.list, cell];
    this.selected ??= cell.id;
    this.changed();
    return cell;
  }

  find(): Notebook {
    return this;
  }

  subscribe(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener));
  }

  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  cells(): readonly NotebookCell[] {
    return this.list;
  }

  /** An element is in the cell that its `data-cell` names. */
  cell(element?: Element | null): NotebookCell | null {
    const id = element?.closest("[data-cell]")?.getAttribute("data-cell") ?? this.selected;
    return this.list.find((cell) => cell.id === id) ?? null;
  }

  insertBelow(cell: string, source: string): string | null {
    const at = this.list.findIndex(({ id }) => id === cell);
    if (at < 0) return null;
    const made = { ...this.add(source), id: `cell-new-${this.list.length}` };
    const others = this.list.slice(0, -1);
    this.list = [...others.slice(0, at + 1), made, ...others.slice(at + 1)].map((one, index) => ({ ...one, index }));
    this.selected = made.id;
    this.changed();
    return made.id;
  }

  replace(cell: string, source: string): boolean {
    const found = this.list.find(({ id, editable }) => id === cell && editable);
    if (found === undefined) return false;
    this.list = this.list.map((one) => (one === found ? { ...one, source } : one));
    this.changed();
    return true;
  }
}
