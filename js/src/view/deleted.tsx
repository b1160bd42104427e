/** What stands in the place of a conversation that was deleted. */

import { useLayoutEffect, useRef } from "preact/hooks";
import * as strings from "./strings.ts";

interface DeletedProps {
  readonly restorable: boolean;
  /** Why it could not be restored. */
  readonly problem: string;
  /** Whether the keyboard was here. */
  readonly focused: boolean;
  readonly onRestore: () => void;
}

export function Deleted({ restorable, problem, focused, onRestore }: DeletedProps) {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (focused) button.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div class="streamchat-deleted" role="status">
      <span>{problem || strings.conversationDeleted()}</span>
      {restorable && problem === "" && (
        <button ref={button} type="button" class="streamchat-quiet" onClick={onRestore}>
          {strings.restore()}
        </button>
      )}
    </div>
  );
}
