/** A notebook's cells as a model reads them: fenced, under their labels, and bounded. */

import type { CellOutput, Notebook, NotebookCell } from "../notebook.ts";
import { fenced, type Context, type Waiting } from "./context.ts";
import * as strings from "./strings.ts";

/** Characters of a cell's source, and of all its outputs. */
export const MOST_SOURCE = 10_000;
export const MOST_OUTPUT = 6_000;
/** Characters of a source's first line, where cells are listed. */
const GLANCE = 80;

/** What a terminal would take for colours and moves, and not show. */
const TERMINAL = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/** How a cell is called: by its number in brackets, or where it has none by its place. */
export function cellLabel({ executionCount, index, type }: NotebookCell): string {
  if (type !== "code") return strings.textCell(String(index + 1));
  return executionCount === null ? strings.unrunCell(String(index + 1)) : strings.runCell(String(executionCount));
}

/** The first line of a cell that says something. */
export function glance({ source }: NotebookCell): string {
  const line = source.split("\n").find((one) => one.trim() !== "")?.trim() ?? "";
  return line.length > GLANCE ? `${line.slice(0, GLANCE - 1)}…` : line;
}

/** A cell with its outputs, without the pictures among them. */
export function cellContext(cell: NotebookCell, language: string): Context {
  const source = bounded(cell.source, MOST_SOURCE);
  const blocks = [fenced(source, cell.type === "code" ? language : cell.type === "markdown" ? "markdown" : "")];
  if (cell.type === "code") {
    const shown = cell.outputs.map(outputText).filter((text) => text.trim() !== "");
    if (shown.length > 0) blocks.push(`${strings.output()}\n\n${fenced(bounded(shown.join("\n"), MOST_OUTPUT))}`);
  }
  return { label: cellLabel(cell), body: blocks.join("\n\n") };
}

/** One of each, whatever its number becomes. */
export function cellKey({ path }: Notebook, { id }: NotebookCell): string {
  return `${path}#${id}`;
}

/** A cell that waits for its prompt, and goes as it is by then. */
export function waitingCell(notebook: Notebook, cell: NotebookCell): Waiting {
  const renew = (): Context | null => {
    const now = notebook.cells().find(({ id }) => id === cell.id);
    return now === undefined ? null : cellContext(now, notebook.language);
  };
  return { key: cellKey(notebook, cell), context: cellContext(cell, notebook.language), renew };
}

/** The pictures that a cell shows, as files for a prompt. */
export function cellPictures(cell: NotebookCell): File[] {
  return cell.outputs.flatMap((output, index) => {
    if (output.type !== "image") return [];
    const bytes = decoded(output.data);
    const name = `${cellLabel(cell)} ${index + 1}.${output.mediaType.split("/")[1] ?? "png"}`;
    return bytes === null ? [] : [new File([bytes], name, { type: output.mediaType })];
  });
}

/** A text without a terminal's colours, and with the lines that it would have written over left out. */
export function plain(text: string): string {
  return text.replaceAll(TERMINAL, "").split("\n").map(overwritten).join("\n");
}

/** What stands in a line after all its returns; not by a pattern, which would take quadratic time. */
function overwritten(line: string): string {
  let end = line.length;
  while (line[end - 1] === "\r") end -= 1;
  return line.slice(end === 0 ? 0 : line.lastIndexOf("\r", end - 1) + 1, end);
}

/** A text of at most so many characters and the words that say so: its beginning and, as errors end with what matters, its end. */
export function bounded(text: string, most: number): string {
  if (text.length <= most) return text;
  const half = Math.floor(most / 2);
  const [head, tail] = [whole(text.slice(0, half)), whole(text.slice(-half))];
  return `${head}\n${strings.charactersLeftOut(String(text.length - head.length - tail.length))}\n${tail}`;
}

function outputText(output: CellOutput): string {
  switch (output.type) {
    case "text":
      return plain(output.text).trimEnd();
    case "error":
      return plain(output.traceback).trimEnd() || `${output.name}: ${plain(output.message)}`;
    case "image":
      return "";
    default:
      output satisfies never;
      return "";
  }
}

/** Without half of a character at either end. */
function whole(text: string): string {
  return text.replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, "");
}

function decoded(data: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}
