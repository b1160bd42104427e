/** A text part on the screen: its growth goes past Preact, straight into the Markdown stream. */

import { useLayoutEffect, useRef } from "preact/hooks";
import type { ConversationStore } from "../conversation.ts";
import { createMarkdownStream, type MarkdownStream } from "../markdown/index.ts";

interface Props {
  readonly store: ConversationStore;
  readonly run: string;
  readonly message: string;
  readonly part: string;
  readonly open: boolean;
  /** Classes of its own for the content. */
  readonly look: string;
}

export function GrowingText({ store, run, message, part, open, look }: Props) {
  const container = useRef<HTMLDivElement>(null);
  const stream = useRef<MarkdownStream | null>(null);

  useLayoutEffect(() => {
    const element = container.current;
    if (element === null) return undefined;
    const lifetime = new AbortController();
    let pushed = "";
    const push = (text: string): void => {
      pushed += text;
      stream.current?.push(text);
    };
    const catchUp = (): void => {
      const text = textOf(store, message, part);
      if (stream.current === null || !text.startsWith(pushed)) {
        element.replaceChildren();
        stream.current = createMarkdownStream(element);
        pushed = "";
      }
      push(text.slice(pushed.length));
      stream.current.flush();
    };
    stream.current = null;
    catchUp();
    store.onDelta(
      run,
      (delta) => {
        if (delta === null) catchUp();
        else if (delta.part === part) push(delta.text);
      },
      lifetime.signal,
    );
    return () => {
      lifetime.abort();
      stream.current?.end();
    };
  }, [store, run, message, part]);

  useLayoutEffect(() => {
    if (!open) stream.current?.flush();
  }, [open]);

  return <div class={`streamchat-content ${look}`} ref={container} />;
}

function textOf(store: ConversationStore, message: string, part: string): string {
  const found = store.state.messages
    .findLast((one) => one.id === message)
    ?.parts.find((one) => one.id === part);
  return found?.type === "text" || found?.type === "reasoning" ? found.text : "";
}
