/** What the notebook beside a chat has and lets be done, found page-wide: the JupyterLab plugin provides it, elsewhere it is absent. */

/** Raise the number when the port changes in a way that an older copy of this module would not survive. */
const KEY = Symbol.for("jupyter_streamchat.notebooks/1");

/** The notebooks of this page. */
export interface Notebooks {
  /** The notebook that `element` stands in; where it stands in none, the one in front; null where none is open. */
  find(element?: Element | null): Notebook | null;
  /** Told when another notebook or another cell comes to the front, and when cells change. */
  subscribe(listener: () => void, signal: AbortSignal): void;
}

/** An open notebook. It may be closed at any time: then it has no cells, and nothing is done. */
export interface Notebook {
  readonly path: string;
  /** The language of its code in lower case, for example `python`; empty where nobody knows. */
  readonly language: string;
  /** Null where none runs. */
  readonly kernel: NotebookKernel | null;
  /** In their order, as they are now. */
  cells(): readonly NotebookCell[];
  /** The cell that `element` stands in; where it stands in none, the one that is selected. */
  cell(element?: Element | null): NotebookCell | null;
  /** Make a code cell below this one and select it; the id of the new cell, null where the notebook takes none. */
  insertBelow(cell: string, source: string): string | null;
  /** Give a cell another source, as one step of its undo history; false where it takes none. */
  replace(cell: string, source: string): boolean;
}

export interface NotebookCell {
  /** Stays with the cell wherever it moves. */
  readonly id: string;
  /** Its place, from 0. */
  readonly index: number;
  readonly type: "code" | "markdown" | "raw";
  /** The number in its brackets, `[3]`; null before its first run and while it runs. */
  readonly executionCount: number | null;
  /** Whether its source may be replaced. */
  readonly editable: boolean;
  readonly source: string;
  readonly outputs: readonly CellOutput[];
}

/** What a cell shows, as far as a model can read it. Texts are whole, and still have the terminal's colours. */
export type CellOutput =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "error"; readonly name: string; readonly message: string; readonly traceback: string }
  /** `data` is in base64. */
  | { readonly type: "image"; readonly mediaType: string; readonly data: string };

export interface NotebookKernel {
  /** Whether it runs something and answers only after it. */
  readonly busy: boolean;
  /**
   * Evaluate an expression in the kernel's language without a trace in the notebook or its history. Returns what it
   * displays as, by MIME type; throws an `Error` with the kernel's words, or when the signal ends the waiting.
   */
  evaluate(expression: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>>;
}

/** The page's notebooks; null where no plugin provides them. */
export function pageNotebooks(): Notebooks | null {
  return (globalThis as { [KEY]?: Notebooks })[KEY] ?? null;
}

/** Let every chat of this page find its notebook, until the signal. */
export function provideNotebooks(notebooks: Notebooks, signal: AbortSignal): void {
  const page = globalThis as { [KEY]?: Notebooks };
  page[KEY] = notebooks;
  signal.addEventListener("abort", () => {
    if (page[KEY] === notebooks) delete page[KEY];
  });
}
