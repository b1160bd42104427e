/** The button in the composer that lists the open notebook's cells, for a person to choose those that go with the prompt. */

import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { visible } from "../markdown/index.ts";
import { pageNotebooks, type Notebook, type NotebookCell } from "../notebook.ts";
import { cellLabel, glance } from "./cells.ts";
import { place } from "./float.ts";
import { useChanges } from "./hooks.ts";
import { CellIcon } from "./icons.tsx";
import * as strings from "./strings.ts";

interface Choosing {
  /** Whether a cell goes with the prompt. */
  readonly has: (notebook: Notebook, cell: NotebookCell) => boolean;
  readonly onToggle: (notebook: Notebook, cell: NotebookCell, on: boolean) => void;
}

interface Props extends Choosing {
  readonly open: boolean;
  readonly onOpen: (open: boolean) => void;
}

/** Nothing where the page has no notebooks that a chat may read. */
export function CellPicker({ open, onOpen, has, onToggle }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  if (pageNotebooks() === null) return null;
  return (
    <>
      <button
        ref={button}
        type="button"
        class="streamchat-icon"
        aria-label={strings.addCells()}
        title={strings.addCellsWhat()}
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => onOpen(!open)}
      >
        <CellIcon />
      </button>
      {open && (
        <CellList
          anchor={button.current}
          has={has}
          onToggle={onToggle}
          onLeave={(byKey) => {
            onOpen(false);
            if (byKey) button.current?.focus({ preventScroll: true });
          }}
        />
      )}
    </>
  );
}

interface ListProps extends Choosing {
  readonly anchor: HTMLElement | null;
  readonly onLeave: (byKey: boolean) => void;
}

function CellList({ anchor, has, onToggle, onLeave }: ListProps) {
  const list = useRef<HTMLDivElement>(null);
  const title = useId();
  const notebooks = pageNotebooks();
  useChanges(notebooks ?? NEVER);
  const notebook = notebooks?.find(anchor) ?? null;
  const cells = (notebook?.cells() ?? []).filter(({ source }) => source.trim() !== "");
  const current = notebook?.cell(anchor)?.id;

  useLayoutEffect(() => {
    const dialog = list.current;
    if (dialog === null || anchor === null) return undefined;
    const lifetime = new AbortController();
    place(dialog, anchor, () => onLeave(false), lifetime.signal);
    const boxes = [...dialog.querySelectorAll("input")];
    const here = boxes.find(({ dataset }) => dataset["cell"] === current) ?? boxes[0];
    here?.scrollIntoView({ block: "center" });
    (here ?? dialog).focus({ preventScroll: true });
    return () => lifetime.abort();
  }, []);

  const onKeyDown = (event: KeyboardEvent): void => {
    const boxes = [...(list.current?.querySelectorAll("input") ?? [])];
    const here = boxes.findIndex((box) => box === document.activeElement);
    if (event.key === "Escape" || event.key === "Enter") onLeave(true);
    else if (event.key === "ArrowDown") boxes[Math.min(here + 1, boxes.length - 1)]?.focus();
    else if (event.key === "ArrowUp") boxes[Math.max(here - 1, 0)]?.focus();
    else if (event.key === "Home") boxes[0]?.focus();
    else if (event.key === "End") boxes.at(-1)?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      ref={list}
      class="streamchat-menu streamchat-cells"
      popover="manual"
      role="dialog"
      aria-labelledby={title}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <h3 id={title}>{notebook === null ? strings.noNotebook() : strings.cellsOf(visible(nameOf(notebook)))}</h3>
      {notebook !== null && cells.length === 0 && <p>{strings.noCells()}</p>}
      {notebook !== null &&
        cells.map((cell) => (
          <label key={cell.id}>
            <input
              type="checkbox"
              data-cell={cell.id}
              checked={has(notebook, cell)}
              onChange={({ currentTarget }) => onToggle(notebook, cell, currentTarget.checked)}
            />
            <b>{cell.executionCount === null ? (cell.type === "code" ? "[ ]" : "¶") : `[${cell.executionCount}]`}</b>
            <code title={cellLabel(cell)}>{visible(glance(cell))}</code>
          </label>
        ))}
    </div>
  );
}

const NEVER = { subscribe: () => undefined };

function nameOf({ path }: Notebook): string {
  return path.split("/").at(-1) ?? path;
}
