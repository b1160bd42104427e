/** What commands and buttons put before the chat: a cell, a selection in it, its error. */

import type { Notebook, NotebookCell } from "../notebook.ts";
import { bounded, cellLabel, MOST_SOURCE, plain, waitingCell } from "../view/cells.ts";
import { fenced, type Waiting } from "../view/context.ts";
import * as strings from "./strings.ts";

/** Characters of an error's message within the question; all of it stands in the traceback. */
const MOST_MESSAGE = 300;

export interface Question {
  readonly text: string;
  readonly waiting: Waiting;
}

/** Whether a cell's outputs end with an error, or have one. */
export function failed({ outputs }: NotebookCell): boolean {
  return outputs.some(({ type }) => type === "error");
}

/** What a cell's error means; null where it has none. */
export function errorQuestion(notebook: Notebook, cell: NotebookCell): Question | null {
  const error = cell.outputs.find((output) => output.type === "error");
  if (error === undefined) return null;
  const [line = ""] = plain(error.message).trim().split("\n");
  const message = bounded(line, MOST_MESSAGE).replaceAll("\n", " ");
  const named = message === "" ? error.name : `${error.name}: ${message}`;
  return { text: strings.question(cellLabel(cell), named), waiting: waitingCell(notebook, cell) };
}

/** A cell, or what is selected in it. */
export function passage(notebook: Notebook, cell: NotebookCell, selected: string): Waiting {
  if (selected.trim() === "") return waitingCell(notebook, cell);
  const label = strings.selection(cellLabel(cell));
  const body = fenced(bounded(selected, MOST_SOURCE), cell.type === "code" ? notebook.language : "");
  return { key: `${label}:${selected}`, context: { label, body } };
}
