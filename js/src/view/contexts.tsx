/** Contexts on the screen: chips in the composer that can be removed, folded texts with a prompt that was sent. */

import { visible } from "../markdown/index.ts";
import type { Context, Waiting } from "./context.ts";
import { Folded } from "./folded.tsx";
import { CellIcon, CrossIcon } from "./icons.tsx";
import * as strings from "./strings.ts";

interface WaitingProps {
  readonly contexts: readonly Waiting[];
  readonly onRemove: (key: string) => void;
}

export function WaitingContexts({ contexts, onRemove }: WaitingProps) {
  if (contexts.length === 0) return null;
  return (
    <ul class="streamchat-files streamchat-contexts" aria-label={strings.addedContext()}>
      {contexts.map(({ key, context: { label, body } }) => (
        <li key={key} class="streamchat-chip" title={visible(body)}>
          <CellIcon />
          <span class="streamchat-name">{visible(label)}</span>
          <button
            type="button"
            class="streamchat-remove"
            aria-label={strings.removeFile(visible(label))}
            title={strings.remove()}
            onClick={() => onRemove(key)}
          >
            <CrossIcon />
          </button>
        </li>
      ))}
    </ul>
  );
}

/** All that was sent, for whoever wants to see it. */
export function SentContexts({ contexts }: { readonly contexts: readonly Context[] }) {
  if (contexts.length === 0) return null;
  return (
    <div class="streamchat-sent">
      {contexts.map(({ label, body }, index) => (
        <Folded key={index} label={visible(label)}>
          <pre tabIndex={0} aria-label={visible(label)}>{visible(body)}</pre>
        </Folded>
      ))}
    </div>
  );
}
