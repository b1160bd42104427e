/** What a person sees before a cell is replaced: its code and the suggested code, with what is different. */

import { render } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { visible } from "../markdown/index.ts";
import { counted, difference, type Line } from "./difference.ts";
import * as strings from "./strings.ts";

/** A cell that is to be replaced. */
export interface Replacement {
  /** The words for the cell, for example `cell [3]`. */
  readonly cell: string;
  /** Whether the chat that suggests it stands in that very cell. */
  readonly own: boolean;
  readonly suggestion: string;
  /** Its code as it is now; null where the cell is gone. */
  source(): string | null;
  /** False where the cell takes none. */
  replace(): boolean;
}

/** Ask in front of the page; `near` says in which chat, `done` is called when the cell was replaced. */
export function review(near: Element, replacement: Replacement, done: () => void, signal: AbortSignal): void {
  const place = document.createElement("div");
  (near.closest(".streamchat") ?? document.body).append(place);
  const close = (): void => {
    signal.removeEventListener("abort", close);
    render(null, place);
    place.remove();
  };
  signal.addEventListener("abort", close);
  const leave = (replaced: boolean): void => {
    close();
    if (replaced) done();
  };
  render(<Review replacement={replacement} onLeave={leave} />, place);
}

interface Props {
  readonly replacement: Replacement;
  readonly onLeave: (replaced: boolean) => void;
}

function Review({ replacement, onLeave }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const accept = useRef<HTMLButtonElement>(null);
  const [shown, setShown] = useState(() => replacement.source() ?? "");
  const [problem, setProblem] = useState("");
  const lines = difference(shown, replacement.suggestion);

  useLayoutEffect(() => {
    dialog.current?.showModal();
    accept.current?.focus();
    dialog.current?.querySelector(":is(ins, del)")?.scrollIntoView({ block: "nearest" });
  }, []);

  const leave = (replaced: boolean): void => {
    // It gives the focus back to where it was.
    dialog.current?.close();
    onLeave(replaced);
  };

  const replace = (): void => {
    const now = replacement.source();
    if (now === null) {
      setProblem(strings.cellGone());
    } else if (now !== shown) {
      setShown(now);
      setProblem(strings.cellChanged());
    } else if (replacement.replace()) {
      leave(true);
    } else {
      setProblem(strings.cellFixed());
    }
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") {
      event.preventDefault();
      leave(false);
    } else if (event.key === "Enter" && !(event.target instanceof HTMLButtonElement)) {
      event.preventDefault();
      replace();
    }
  };

  const { cell, own } = replacement;
  return (
    <dialog
      ref={dialog}
      class="streamchat-review"
      aria-labelledby="streamchat-review-title"
      aria-describedby="streamchat-review-sum"
      onKeyDown={onKeyDown}
      onCancel={(event) => {
        event.preventDefault();
        leave(false);
      }}
    >
      <h2 id="streamchat-review-title">{strings.mayReplace(cell)}</h2>
      <p id="streamchat-review-sum">
        {own && `${strings.ownCell()} `}
        {summary(lines)}
      </p>
      {problem && (
        <p class="streamchat-notice" role="alert">
          {problem}
        </p>
      )}
      <ul class="streamchat-difference" tabIndex={0} aria-label={strings.changes()}>
        {lines.map((line, at) => (
          <DifferentLine key={at} line={line} />
        ))}
      </ul>
      <div class="streamchat-choice">
        <button type="button" class="streamchat-quiet" title={strings.leaveCell()} onClick={() => leave(false)}>
          {strings.cancel()}
        </button>
        <button ref={accept} type="button" class="streamchat-allow" title={strings.replaceKey()} onClick={replace}>
          {strings.replaceCell(cell)}
        </button>
      </div>
    </dialog>
  );
}

function DifferentLine({ line: { kind, pieces } }: { readonly line: Line }) {
  const text = pieces.map(({ text: piece, changed }, at) => (changed ? <mark key={at}>{visible(piece)}</mark> : visible(piece)));
  switch (kind) {
    case "same":
      return (
        <li>
          <span>{text}</span>
        </li>
      );
    case "removed":
      return (
        <li class="streamchat-removed">
          <span class="streamchat-unseen">{strings.removedLine()} </span>
          <del>{text}</del>
        </li>
      );
    case "added":
      return (
        <li class="streamchat-added">
          <span class="streamchat-unseen">{strings.addedLine()} </span>
          <ins>{text}</ins>
        </li>
      );
    default:
      kind satisfies never;
      return null;
  }
}

function summary(lines: readonly Line[]): string {
  const { removed, added } = counted(lines);
  if (removed + added === 0) return strings.sameCode();
  return `${[...(removed ? [strings.linesRemoved(removed)] : []), ...(added ? [strings.linesAdded(added)] : [])].join(", ")}.`;
}
