/** A text part on the screen: its growth goes past Preact, straight into the Markdown stream. */

import { useContext, useLayoutEffect, useRef } from "preact/hooks";
import type { ConversationStore } from "../conversation.ts";
import { codeHighlighter } from "../markdown/highlight/index.ts";
import { createMarkdownStream, type MarkdownOptions, type MarkdownStream } from "../markdown/index.ts";
import { copyMathSource, mathRenderer } from "../markdown/math/index.ts";
import { CellActions } from "./codeactions.ts";
import { KeptContext } from "./kept.ts";
import * as strings from "./strings.ts";

/** Addresses without a scheme would lead into the notebook server. */
const options = (look: string): MarkdownOptions => ({
  math: mathRenderer,
  highlight: codeHighlighter,
  relative: false,
  labels: strings.markdownLabels(),
  // An output is to look as JupyterLab will show it.
  directions: look !== "",
});

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
  const ended = useRef(false);
  const kept = useContext(KeptContext);

  useLayoutEffect(() => {
    const element = container.current;
    if (element === null) return undefined;
    const lifetime = new AbortController();
    const name = `${message}/${part}`;
    const cells = new CellActions(lifetime.signal);
    let pushed = "";
    let restored = false;
    const push = (text: string): void => {
      pushed += text;
      stream.current?.push(text);
    };
    const catchUp = (): void => {
      const text = textOf(store, message, part);
      const more = text.length > pushed.length;
      if ((stream.current === null && !restored) || !text.startsWith(pushed) || (ended.current && more)) {
        element.replaceChildren();
        cells.clear();
        stream.current = createMarkdownStream(element, { ...options(look), actions: cells.add });
        ended.current = false;
        pushed = "";
      }
      push(text.slice(pushed.length));
      stream.current?.flush();
    };
    stream.current = null;
    copyMathSource(element, lifetime.signal);
    const text = textOf(store, message, part);
    const blocks = kept?.restore(name, text, element) ?? null;
    if (blocks === null) {
      catchUp();
    } else {
      [pushed, restored, ended.current] = [text, true, true];
      for (const { code, offer } of blocks) cells.add(code, offer);
    }
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
      stream.current = null;
      if (ended.current) kept?.put(name, pushed, element, cells.blocks);
    };
  }, [store, run, message, part, look, kept]);

  useLayoutEffect(() => {
    if (open) return;
    stream.current?.end();
    ended.current = true;
  }, [open]);

  return <div class={`streamchat-content ${look}`} ref={container} />;
}

function textOf(store: ConversationStore, message: string, part: string): string {
  const found = store.state.messages
    .findLast((one) => one.id === message)
    ?.parts.find((one) => one.id === part);
  return found?.type === "text" || found?.type === "reasoning" ? found.text : "";
}
