/** JupyterLab's open notebooks as the port that chats ask. */

import type { Cell, Kernel, NotebookPanel, NotebookTracker } from "@jupyterlab/notebook";
import type { Notebook, NotebookCell, NotebookKernel, Notebooks } from "../notebook.ts";
import { cellOutputs } from "./outputs.ts";
import { listen } from "./signals.ts";
import * as strings from "./strings.ts";

export class LabNotebooks implements Notebooks {
  readonly #tracker: NotebookTracker;

  constructor(tracker: NotebookTracker) {
    this.#tracker = tracker;
  }

  find(element?: Element | null): Notebook | null {
    const around = element == null ? undefined : this.#tracker.find((panel) => panel.node.contains(element));
    const panel = around ?? this.#tracker.currentWidget;
    return panel === null ? null : new LabNotebook(panel);
  }

  /** Whether the cell that an element stands in has an error among its outputs. */
  failed(element: Element): boolean {
    const panel = this.#tracker.find(({ node }) => node.contains(element));
    const outputs = panel?.content.widgets.find(({ node }) => node.contains(element))?.model.outputs;
    for (let index = (outputs?.length ?? 0) - 1; index >= 0; index -= 1) if (outputs?.get(index).type === "error") return true;
    return false;
  }

  subscribe(listener: () => void, signal: AbortSignal): void {
    const heard = (): void => listener();
    let current = new AbortController();
    const follow = (): void => {
      current.abort();
      current = new AbortController();
      const model = this.#tracker.currentWidget?.model;
      if (model != null) listen(model.contentChanged, heard, current.signal);
      listener();
    };
    listen(this.#tracker.currentChanged, follow, signal);
    listen(this.#tracker.activeCellChanged, heard, signal);
    signal.addEventListener("abort", () => current.abort());
    const model = this.#tracker.currentWidget?.model;
    if (model != null) listen(model.contentChanged, heard, current.signal);
  }
}

class LabNotebook implements Notebook {
  readonly #panel: NotebookPanel;

  constructor(panel: NotebookPanel) {
    this.#panel = panel;
  }

  get path(): string {
    return this.#panel.context.path;
  }

  get language(): string {
    const { model } = this.#panel;
    const told = named(model?.getMetadata("language_info"), "name") || named(model?.getMetadata("kernelspec"), "language");
    return told.toLowerCase();
  }

  get kernel(): NotebookKernel | null {
    const kernel = this.#panel.sessionContext.session?.kernel ?? null;
    return kernel === null ? null : new LabKernel(kernel);
  }

  cells(): readonly NotebookCell[] {
    return this.#open ? this.#panel.content.widgets.map(told) : [];
  }

  cell(element?: Element | null): NotebookCell | null {
    if (!this.#open) return null;
    const { widgets, activeCellIndex } = this.#panel.content;
    const around = element == null ? -1 : widgets.findIndex(({ node }) => node.contains(element));
    const index = around === -1 ? activeCellIndex : around;
    const cell = widgets[index];
    return cell === undefined ? null : told(cell, index);
  }

  insertBelow(cell: string, source: string): string | null {
    const { content, model } = this.#panel;
    const index = this.#place(cell);
    if (index === -1 || model === null || model.readOnly) return null;
    // Trusted, as JupyterLab trusts the cells that it makes: nothing of it has run.
    model.sharedModel.insertCell(index + 1, { cell_type: "code", source, metadata: { trusted: true } });
    content.deselectAll();
    content.activeCellIndex = index + 1;
    void content.scrollToItem(index + 1).catch(() => undefined);
    return content.widgets[index + 1]?.model.id ?? null;
  }

  replace(cell: string, source: string): boolean {
    const found = this.#open ? this.#panel.content.widgets[this.#place(cell)] : undefined;
    if (found === undefined || this.#panel.model?.readOnly !== false || !editable(found)) return false;
    found.model.sharedModel.setSource(source);
    return true;
  }

  get #open(): boolean {
    return !this.#panel.isDisposed && this.#panel.model !== null;
  }

  #place(cell: string): number {
    return this.#open ? this.#panel.content.widgets.findIndex(({ model }) => model.id === cell) : -1;
  }
}

class LabKernel implements NotebookKernel {
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get busy(): boolean {
    return this.#kernel.status === "busy";
  }

  async evaluate(expression: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    signal.throwIfAborted();
    const future = this.#kernel.requestExecute(
      { code: "", silent: true, store_history: false, stop_on_error: false, user_expressions: { value: expression } },
      true,
    );
    const ended = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => {
        future.dispose();
        reject(signal.reason as Error);
      });
    });
    const { content } = await Promise.race([future.done, ended]);
    const { user_expressions: answers, evalue } = content as { user_expressions?: { value?: Answer }; evalue?: string };
    const answer = answers?.value;
    if (answer?.data === undefined) throw new Error(answer?.evalue ?? evalue ?? strings.noAnswer());
    return answer.data;
  }
}

interface Answer {
  readonly data?: Readonly<Record<string, unknown>>;
  readonly evalue?: string;
}

function told(cell: Cell, index: number): NotebookCell {
  const { model } = cell;
  return {
    id: model.id,
    index,
    type: model.type,
    executionCount: model.executionCount ?? null,
    editable: editable(cell),
    source: model.sharedModel.getSource(),
    // Read when they are asked for: they may be large.
    get outputs() {
      return cellOutputs(model.outputs?.toJSON() ?? []);
    },
  };
}

/** Notebooks of teachers have cells that are not to be changed. */
function editable({ model, readOnly }: Cell): boolean {
  return !readOnly && model.getMetadata("editable") !== false;
}

function named(value: unknown, name: string): string {
  const found = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  return typeof found === "string" ? found : "";
}
