/** That something was deleted, with the way back. */

import { useEffect, useState } from "preact/hooks";
import { visible } from "../markdown/index.ts";
import type { Deletion } from "./listing.ts";
import * as strings from "./strings.ts";

/** How long a deletion can be taken back here; at its place it can for minutes. */
const UNDO_MS = 10_000;

interface UndoProps {
  readonly deletion: Deletion;
  readonly onUndo: () => void;
  readonly onOver: (deletion: Deletion) => void;
}

/** That something was deleted, for some seconds; it waits for who is at it. */
export function Undo({ deletion, onUndo, onOver }: UndoProps) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return undefined;
    const timer = setTimeout(() => onOver(deletion), UNDO_MS);
    return () => clearTimeout(timer);
  }, [held, deletion]);
  return (
    <div
      class="streamchat-undo"
      role="status"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocusIn={() => setHeld(true)}
      onFocusOut={() => setHeld(false)}
    >
      <span>{strings.wasDeleted(visible(deletion.title) || strings.untitled())}</span>
      <button type="button" class="streamchat-quiet" onClick={onUndo}>
        {strings.undo()}
      </button>
    </div>
  );
}
