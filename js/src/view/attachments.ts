/** The files that wait in the composer for their prompt: read, uploaded, removed, sent. */

import type { Connection } from "../connection.ts";
import { visible } from "../markdown/index.ts";
import { MAX_FRAME_BYTES, type FilePart, type ModelsOk } from "../protocol/frames.gen.ts";
import { plain } from "./numbers.ts";
import * as strings from "./strings.ts";

const MIB = 2 ** 20;
/** What a prompt may take in which the files themselves travel, a third larger; the rest is for its text. */
const WITHIN = ((MAX_FRAME_BYTES - 64 * 1024) * 3) / 4;
const PICTURE = /^image\/(png|jpeg|gif|webp)$/;
const AUDIO = /^audio\/(wav|mpeg)$/;

export interface Attachment {
  readonly key: number;
  /** What it came with; empty for what a person attached. */
  readonly of: string;
  readonly name: string;
  readonly media_type: string;
  /** An address in this page for a picture and for audio; empty for others. */
  readonly preview: string;
  /** How much of it is uploaded, from 0 to 1. */
  readonly progress: number;
  /** What the prompt will hold, once it is ready. */
  readonly part: FilePart | null;
}

/** Adds files one by one as they become ready; what cannot be sent is named in `problem` and left out. */
export class Attachments {
  list: readonly Attachment[] = [];
  problem = "";
  readonly #connection: Connection;
  readonly #uploads = new Map<number, AbortController>();
  readonly #listeners = new Set<() => void>();
  #order = Promise.resolve();
  #last = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  subscribe(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener));
  }

  get ready(): boolean {
    return this.list.every(({ part }) => part !== null);
  }

  /** Adds them in this order, however long each takes. */
  add(files: readonly File[], of = ""): void {
    this.problem = "";
    for (const file of files) this.#order = this.#order.then(() => this.#admit(file, of));
  }

  remove(key: number): void {
    this.#uploads.get(key)?.abort();
    this.#drop(key);
    this.problem = "";
    this.#changed();
  }

  /** Whether something that goes with the prompt has brought any. */
  has(of: string): boolean {
    return this.list.some((one) => one.of === of);
  }

  /** What came with something that goes with the prompt no more. */
  removeAll(of: string): void {
    this.#order = this.#order.then(() => {
      for (const { key } of this.list.filter((one) => one.of === of)) this.remove(key);
    });
  }

  /** All of them for a prompt that is about to leave; `restore` brings them back if it did not. */
  take(): { readonly parts: readonly FilePart[]; restore(): void; release(): void } {
    const taken = this.list;
    this.list = [];
    this.problem = "";
    this.#changed();
    return {
      parts: taken.flatMap(({ part }) => part ?? []),
      restore: () => {
        this.list = [...taken, ...this.list];
        this.#changed();
      },
      release: () => taken.forEach(({ preview }) => preview && URL.revokeObjectURL(preview)),
    };
  }

  clear(): void {
    for (const { key } of this.list) this.remove(key);
  }

  /** Reads a file, and begins its upload. */
  async #admit(file: File, of: string): Promise<void> {
    const { blobs, maxFileBytes } = this.#connection;
    const name = file.name || strings.someFile();
    const most = blobs === null ? WITHIN : maxFileBytes;
    if (file.size > most) {
      const bound = Math.floor((most / MIB) * 10) / 10;
      this.#refuse(strings.fileTooLarge(name, plain(file.size / MIB, 1), plain(bound, Number.isInteger(bound) ? 0 : 1)));
      return;
    }
    const media_type = await mediaType(file).catch(() => null);
    if (media_type === null) {
      this.#refuse(strings.fileUnreadable(name));
      return;
    }
    if (media_type === "") {
      this.#refuse(file.size === 0 ? strings.fileEmpty(name) : strings.fileUnknown(name));
      return;
    }
    this.#last += 1;
    const key = this.#last;
    const preview = isPicture(media_type) || isAudio(media_type) ? URL.createObjectURL(file) : "";
    this.list = [...this.list, { key, of, name, media_type, preview, progress: 0, part: null }];
    this.#changed();
    void this.#upload(key, file, media_type);
  }

  async #upload(key: number, file: File, media_type: string): Promise<void> {
    const { blobs } = this.#connection;
    const upload = new AbortController();
    this.#uploads.set(key, upload);
    try {
      const typed = file.slice(0, file.size, media_type);
      const part =
        blobs === null
          ? { type: "file" as const, url: await dataUrl(typed), media_type }
          : await blobs.upload(typed, (progress) => this.#update(key, { progress }), upload.signal);
      this.#update(key, { progress: 1, part: { ...part, name: file.name } });
    } catch (error) {
      this.#drop(key);
      const why = error instanceof Error ? error.message : strings.cannotBeSent();
      if (!upload.signal.aborted) this.#refuse(strings.fileFailed(file.name || strings.someFile(), why));
    } finally {
      this.#uploads.delete(key);
    }
  }

  #update(key: number, fields: Partial<Attachment>): void {
    this.list = this.list.map((one) => (one.key === key ? { ...one, ...fields } : one));
    this.#changed();
  }

  #drop(key: number): void {
    const gone = this.list.find((one) => one.key === key);
    if (gone?.preview) URL.revokeObjectURL(gone.preview);
    this.list = this.list.filter((one) => one.key !== key);
  }

  #refuse(problem: string): void {
    this.problem = [this.problem, visible(problem)].filter(Boolean).join(" ");
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** What a file is by its bytes: a picture, a PDF, audio, or text; empty for anything that models cannot read. */
export async function mediaType(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const head = String.fromCharCode(...bytes.subarray(0, 16));
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (head.startsWith("GIF8")) return "image/gif";
  if (head.startsWith("RIFF") && head.slice(8, 12) === "WEBP") return "image/webp";
  if (head.startsWith("RIFF") && head.slice(8, 12) === "WAVE") return "audio/wav";
  if (isMp3(bytes)) return "audio/mpeg";
  if (head.startsWith("%PDF-")) return "application/pdf";
  if (bytes.length === 0 || bytes.subarray(0, 4096).includes(0)) return "";
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return "text/plain";
  } catch {
    return "";
  }
}

export function isPicture(media_type: string): boolean {
  return PICTURE.test(media_type);
}

export function isAudio(media_type: string): boolean {
  return AUDIO.test(media_type);
}

/** A tag of ID3v2, or the header of an MPEG frame of layer III: ISO 11172-3, 2.4.1.3. */
function isMp3([first = 0, second = 0, third = 0, fourth = 0]: Uint8Array): boolean {
  if (first === 0x49 && second === 0x44 && third === 0x33) return fourth >= 2 && fourth <= 4;
  return first === 0xff && (second & 0xe6) === 0xe2 && (second & 0x18) !== 0x08 && (third & 0xf0) !== 0xf0 && (third & 0x0c) !== 0x0c;
}

/** What the model that a prompt would go to takes besides text; all of it where its provider does not tell. */
export interface Senses {
  readonly model: string;
  readonly sees: boolean;
  readonly hears: boolean;
}

export function sensesOf(catalog: ModelsOk | null, current: string): Senses {
  const id = current || (catalog?.default ?? "");
  const told = catalog?.models.find((model) => model.id === id)?.capabilities ?? [];
  const has = (sense: string): boolean => told.length === 0 || told.includes(sense);
  return { model: id, sees: has("image"), hears: has("audio") };
}

function dataUrl(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(new Error(strings.cannotBeRead()));
    reader.readAsDataURL(file);
  });
}
