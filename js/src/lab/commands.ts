/** The plugin's commands and what they do; menus and keys name them in the settings' schema. */

import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { CommandPalette } from "@jupyterlab/apputils";
import type { Cell, NotebookTracker } from "@jupyterlab/notebook";
import type { ErrorActions } from "./errors.ts";
import { chatIcon } from "./icon.ts";
import type { LabNotebooks } from "./notebooks.ts";
import { PANEL_ID, type ChatPanel } from "./panel.tsx";
import { errorQuestion, failed, passage } from "./questions.ts";
import * as strings from "./strings.ts";

interface Where {
  readonly app: JupyterFrontEnd;
  readonly panel: ChatPanel;
  readonly notebooks: LabNotebooks;
  readonly tracker: NotebookTracker;
  readonly palette: CommandPalette | null;
}

/** Returns what the buttons below errors do, which is what the commands do. */
export function addCommands({ app, panel, notebooks, tracker, palette }: Where): ErrorActions {
  const { commands, shell } = app;
  const show = (): void => shell.activateById(PANEL_ID);
  const add = (name: string, label: string, execute: () => unknown, isEnabled = () => true, icon?: unknown): void => {
    const command = `streamchat:${name}`;
    commands.addCommand(command, { label, execute, isEnabled, icon });
    palette?.addItem({ command, category: strings.category() });
  };
  const cell = (element?: Element) => {
    const notebook = notebooks.find(element);
    const found = notebook?.cell(element) ?? null;
    return notebook === null || found === null ? null : { notebook, cell: found };
  };

  const explain = (element?: Element): void => {
    const found = cell(element);
    const asked = found === null ? null : errorQuestion(found.notebook, found.cell);
    if (asked === null) return;
    show();
    panel.chat()?.ask(asked.text, [asked.waiting.context]);
  };
  const prepare = (element: Element): void => {
    const found = cell(element);
    const asked = found === null ? null : errorQuestion(found.notebook, found.cell);
    if (asked === null) return;
    show();
    panel.chat()?.prepare(asked.text, asked.waiting, true);
  };

  add("open", strings.openCommand(), show, undefined, chatIcon);
  add("new", strings.newCommand(), () => {
    show();
    panel.newChat();
  });
  add("stop", strings.stopCommand(), () => panel.chat()?.stop(), () => panel.running);
  add(
    "add-cell",
    strings.addCommand(),
    () => {
      const found = cell();
      if (found === null) return;
      const selected = selection(tracker.activeCell);
      show();
      panel.chat()?.prepare("", passage(found.notebook, found.cell, selected));
    },
    () => cell() !== null,
  );
  add(
    "explain-error",
    strings.explainCommand(),
    () => explain(),
    () => {
      const found = cell();
      return found !== null && failed(found.cell);
    },
  );
  return { explain, prepare, failed: (output) => notebooks.failed(output) };
}

function selection(cell: Cell | null): string {
  const editor = cell?.editor;
  if (cell == null || editor == null) return "";
  const { start, end } = editor.getSelection();
  const [from, to] = [editor.getOffsetAt(start), editor.getOffsetAt(end)].sort((a, b) => a - b);
  return cell.model.sharedModel.getSource().slice(from, to);
}
