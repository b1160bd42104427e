/** Files on the screen: those that wait in the composer, those of a prompt, and where they are dropped. */

import { useEffect, useState } from "preact/hooks";
import type { RefObject } from "preact";
import type { Connection } from "../connection.ts";
import { visible } from "../markdown/index.ts";
import type { FilePart } from "../protocol/frames.gen.ts";
import { isAudio, isPicture, type Attachment } from "./attachments.ts";
import { CrossIcon, FileIcon } from "./icons.tsx";
import * as strings from "./strings.ts";

interface Waiting {
  readonly files: readonly Attachment[];
  readonly onRemove: (key: number) => void;
}

export function WaitingFiles({ files, onRemove }: Waiting) {
  if (files.length === 0) return null;
  return (
    <ul class="streamchat-files" aria-label={strings.attachedFiles()}>
      {files.map(({ key, name, media_type, preview, progress, part }) => {
        const shown = visible(name);
        const sound = isAudio(media_type);
        return (
          <li key={key} class={sound ? "streamchat-recording" : preview ? "streamchat-thumb" : "streamchat-chip"} title={shown} aria-busy={part === null}>
            {sound ? <Recording url={preview} name={shown} /> : preview ? <img src={preview} alt={shown} /> : <Named name={shown} />}
            {part === null && (
              <progress aria-label={strings.uploading(shown)} max={1} value={progress} />
            )}
            <button type="button" class="streamchat-remove" aria-label={strings.removeFile(shown)} title={strings.remove()} onClick={() => onRemove(key)}>
              <CrossIcon />
            </button>
          </li>
        );
      })}
    </ul>
  );
}

interface Sent {
  readonly files: readonly FilePart[];
  readonly connection: Connection;
}

/** The files of a prompt. Nothing is fetched for them but from this Jupyter server. */
export function PromptFiles({ files, connection }: Sent) {
  if (files.length === 0) return null;
  return (
    <ul class="streamchat-files">
      {files.map((file, index) => {
        const name = visible(file.name || file.media_type);
        const kept = connection.blobs?.address(file.url) ?? null;
        const within = file.url.startsWith(`data:${file.media_type};base64,`);
        const own = kept ?? ((isPicture(file.media_type) || isAudio(file.media_type)) && within ? file.url : null);
        if (isAudio(file.media_type) && own !== null) {
          return (
            <li key={file.id ?? index} class="streamchat-recording" title={name}>
              <Recording url={own} name={name} />
            </li>
          );
        }
        const inner = isPicture(file.media_type) && own !== null ? <Picture url={own} name={name} /> : <Chip name={name} />;
        return (
          <li key={file.id ?? index} title={name}>
            {kept === null ? (
              inner
            ) : (
              <a href={kept} target="_blank" rel="noopener noreferrer" {...(isPicture(file.media_type) ? {} : { download: name })}>
                {inner}
              </a>
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** A picture that is kept no more is a name. */
function Picture({ url, name }: { readonly url: string; readonly name: string }) {
  const [gone, setGone] = useState(false);
  if (gone) return <Chip name={name} />;
  return <img class="streamchat-picture" src={url} alt={name} onError={() => setGone(true)} />;
}

/** Audio with its name, its length once that is known, and what plays it; what is kept no more is a name. */
function Recording({ url, name }: { readonly url: string; readonly name: string }) {
  const [length, setLength] = useState(Number.NaN);
  const [gone, setGone] = useState(false);
  return (
    <>
      <span class="streamchat-recorded">
        <Named name={name} />
        {Number.isFinite(length) && <span class="streamchat-length">{clock(length)}</span>}
      </span>
      {!gone && (
        <audio
          controls
          preload="metadata"
          src={url}
          aria-label={name}
          onLoadedMetadata={({ currentTarget }) => setLength(currentTarget.duration)}
          onError={() => setGone(true)}
        />
      )}
    </>
  );
}

/** Seconds as a player shows them. */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return strings.length(String(Math.floor(whole / 60)), String(whole % 60).padStart(2, "0"));
}

function Chip({ name }: { readonly name: string }) {
  return (
    <span class="streamchat-chip">
      <Named name={name} />
    </span>
  );
}

function Named({ name }: { readonly name: string }) {
  return (
    <>
      <FileIcon />
      <span class="streamchat-name">{name}</span>
    </>
  );
}

/** Files that are held over the chat can be dropped anywhere on it. */
export function DropZone({ within, onFiles }: { readonly within: RefObject<HTMLElement | null>; readonly onFiles: (files: File[]) => void }) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const chat = within.current?.closest(".streamchat") as HTMLElement | null;
    if (chat == null) return undefined;
    const lifetime = new AbortController();
    const { signal } = lifetime;
    const holds = (event: DragEvent): boolean => {
      if (!event.dataTransfer?.types.includes("Files")) return false;
      // Else the browser opens the file in the place of the notebook.
      event.preventDefault();
      event.stopPropagation();
      return true;
    };
    chat.addEventListener("dragenter", (event) => holds(event) && setOver(true), { signal });
    chat.addEventListener("dragover", (event) => holds(event) && setOver(true), { signal });
    chat.addEventListener(
      "dragleave",
      (event) => {
        if (!chat.contains(event.relatedTarget as Node | null)) setOver(false);
      },
      { signal },
    );
    chat.addEventListener(
      "drop",
      (event) => {
        setOver(false);
        if (holds(event)) onFiles([...(event.dataTransfer?.files ?? [])]);
      },
      { signal },
    );
    return () => lifetime.abort();
  }, [within, onFiles]);
  return over ? <div class="streamchat-drop">{strings.dropFiles()}</div> : null;
}
