/** One answer: its parts as they grow, how it stands, how it ended, and its figures. */

import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import type { Connection } from "../connection.ts";
import type { ConversationStore } from "../conversation.ts";
import { copyText, linkAddress, visible } from "../markdown/index.ts";
import { ended, textOf, type Part } from "../model/reduce.ts";
import type { Message, Rate, RunRecord } from "../protocol/frames.gen.ts";
import { Again } from "./again.tsx";
import { Folded } from "./folded.tsx";
import { GrowingText } from "./growing.tsx";
import { useNow } from "./hooks.ts";
import { CheckIcon, CopyIcon, DownIcon, StopIcon, ThumbIcon } from "./icons.tsx";
import type { Place } from "./scroller.tsx";
import * as strings from "./strings.ts";
import { ToolCall } from "./tool.tsx";
import { ending, figures, progress, thinking } from "./words.ts";

/** JupyterLab's classes for Markdown: for each text of a chat, or for all of an output. */
const CHAT_LOOK = "jp-RenderedHTMLCommon";
const OUTPUT_LOOK = "jp-RenderedHTMLCommon jp-RenderedMarkdown";

interface Props {
  readonly connection: Connection;
  readonly store: ConversationStore;
  readonly run: string;
  readonly message?: Message | undefined;
  readonly record?: RunRecord | undefined;
  readonly held?: boolean;
  /** Whether this is all of an output: it then looks as its Markdown will, which JupyterLab shows in its place at the end. */
  readonly asOutput?: boolean;
  readonly onStop?: (() => void) | undefined;
  /** The model that answers again, where none is chosen. */
  readonly model?: string;
  readonly onAgain?: ((model?: string) => void) | undefined;
  readonly onRate?: ((value: Rate["value"]) => void) | undefined;
  readonly onContinue?: (() => void) | undefined;
  /** Which of how many it is, where it stands among others. */
  readonly place?: Place | undefined;
  /** The arrows between its versions. */
  readonly children?: ComponentChildren;
}

export function Answer({
  connection,
  store,
  run,
  message,
  record,
  held = false,
  asOutput = false,
  onStop,
  model = "",
  onAgain,
  onRate,
  onContinue,
  place,
  children,
}: Props) {
  const over = record !== undefined && ended(record);
  const parts = message?.parts ?? [];
  const waited = useWaited(record?.state === "retrying", record?.retry_after);
  const waiting = over ? "" : progress(record, held, store.stopping.has(run), parts, waited);
  const end = record === undefined ? null : ending(record);
  return (
    <article
      class={asOutput ? `streamchat-answer ${OUTPUT_LOOK}` : "streamchat-answer"}
      aria-label={record ? strings.answerOf(record.model) : strings.answer()}
      aria-busy={!over}
      {...(place && { ...place, tabIndex: -1 })}
    >
      {message !== undefined &&
        parts.map((part) => (
          <PartView key={part.id} {...{ connection, store, run, message, part }} look={asOutput ? "" : CHAT_LOOK} />
        ))}
      {end?.tone === "bad" && (
        <div class="streamchat-ending streamchat-bad">
          <span>{end.text}</span>
          {onAgain !== undefined && <Again {...{ connection, model, onAgain }} label={strings.retry()} />}
        </div>
      )}
      <div class="streamchat-meta">
        {!over && <Pulse />}
        {waiting && <span class="streamchat-progress">{waiting}</span>}
        {over && message !== undefined && textOf(message) !== "" && (
          <CopyAnswer store={store} id={message.id} />
        )}
        {over && end?.tone !== "bad" && onAgain !== undefined && <Again {...{ connection, model, onAgain }} />}
        {over && onRate !== undefined && end?.tone !== "bad" && (
          <Thumbs value={record.feedback ?? "none"} onRate={onRate} />
        )}
        {children}
        {onContinue !== undefined && (
          <button type="button" class="streamchat-quiet streamchat-continue" title={strings.goOnWhere()} onClick={onContinue}>
            <DownIcon /> {strings.goOn()}
          </button>
        )}
        {record !== undefined && !waiting && (
          <span class="streamchat-figures">
            {end?.tone === "calm" && <span class="streamchat-ending">{end.text}</span>}
            <span class="streamchat-model">{record.model}</span>
            {over &&
              figures(record).map(({ text, title }) => (
                <span key={title} title={title}>
                  {text}
                </span>
              ))}
          </span>
        )}
        {!over && onStop !== undefined && (
          <button type="button" class="streamchat-quiet" onClick={onStop} disabled={store.stopping.has(run)}>
            <StopIcon /> {strings.stop()}
          </button>
        )}
      </div>
    </article>
  );
}

/** Seconds since a run was told to wait, by this page's clock: nobody else's can be read here. */
function useWaited(waits: boolean, told: number | null | undefined): number {
  const now = useNow(waits);
  const since = useRef({ waits, told, at: now });
  if (since.current.waits !== waits || since.current.told !== told) since.current = { waits, told, at: Date.now() };
  return waits ? Math.max(0, now - since.current.at) / 1000 : 0;
}

interface PartProps {
  readonly connection: Connection;
  readonly store: ConversationStore;
  readonly run: string;
  readonly message: Message;
  readonly part: Part;
  readonly look: string;
}

function PartView({ connection, store, run, message, part, look }: PartProps) {
  const text = { store, run, message: message.id, part: part.id ?? "", open: part.open === true, look };
  switch (part.type) {
    case "text":
      return <GrowingText {...text} />;
    case "reasoning":
      // A thought that its provider does not show has no text.
      return part.text === "" && !part.open ? null : (
        <Folded name={`${message.id}/${part.id}`} label={thinking(part)}>
          <GrowingText {...text} />
        </Folded>
      );
    case "tool":
      return <ToolCall {...{ connection, run, part }} name={`${message.id}/${part.id}`} />;
    case "source": {
      const address = linkAddress(part.url);
      const title = visible(part.title || part.url);
      return address === null ? null : (
        <a class="streamchat-source" href={address} title={address} target="_blank" rel="noopener noreferrer">
          {title}
        </a>
      );
    }
    case "file":
      return <div class="streamchat-file">{strings.file(visible(part.name || part.media_type))}</div>;
    default:
      part satisfies never;
      return null;
  }
}

function Pulse() {
  return (
    <span class="streamchat-pulse" aria-hidden="true">
      <i />
      <i />
      <i />
    </span>
  );
}

interface ThumbsProps {
  readonly value: Rate["value"];
  readonly onRate: (value: Rate["value"]) => void;
}

/** A second click takes it back. */
function Thumbs({ value, onRate }: ThumbsProps) {
  const thumb = (way: "up" | "down", label: string) => (
    <button
      type="button"
      class="streamchat-icon"
      aria-label={label}
      title={label}
      aria-pressed={value === way}
      onClick={() => onRate(value === way ? "none" : way)}
    >
      <ThumbIcon down={way === "down"} filled={value === way} />
    </button>
  );
  return (
    <span class="streamchat-thumbs">
      {thumb("up", strings.goodAnswer())}
      {thumb("down", strings.badAnswer())}
    </span>
  );
}

function CopyAnswer({ store, id }: { store: ConversationStore; id: string }) {
  const [copied, set] = useState(false);
  const copy = async (): Promise<void> => {
    const message = store.state.messages.find((one) => one.id === id);
    if (message === undefined || !(await copyText(textOf(message)))) return;
    set(true);
    setTimeout(() => set(false), 1500);
  };
  const label = copied ? strings.copied() : strings.copyAnswer();
  return (
    <button type="button" class="streamchat-icon" aria-label={label} title={label} onClick={() => void copy()}>
      {copied ? <CheckIcon /> : <CopyIcon />}
    </button>
  );
}
