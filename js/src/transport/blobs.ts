/** How a prompt's files travel to a Jupyter server: each once, under the hash of its bytes, beside the socket. */

import type { FilePart } from "../protocol/frames.gen.ts";
import { rights } from "./rights.ts";
import * as strings from "./strings.ts";

/** A file of so many bytes is asked for before it is sent; a smaller one is there as soon as the answer would be. */
const WORTH_ASKING = 256 * 1024;
const ADDRESS = /^blob:sha256\/([0-9a-f]{64})$/;

export interface Blobs {
  /** Where the page can show a kept file from; null where it has no right to without a token. */
  address(url: string): string | null;
  /** Have the server keep a file. `progress` hears the share that is there; rejects with an `Error` in a person's words. */
  upload(file: Blob, progress: (share: number) => void, signal: AbortSignal): Promise<FilePart>;
}

/** The blobs of the server at `base`; a `token` is for one of another origin. Null where the page cannot hash. */
export function serverBlobs(base: URL, token: string): Blobs | null {
  // Browsers keep it from pages that came without TLS, unless from this machine.
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (subtle === undefined) return null;
  const kept = new Map<string, FilePart>();
  const place = (sha256: string): URL => new URL(`streamchat/blobs/${sha256}`, base);

  const found = async (sha256: string, signal: AbortSignal): Promise<boolean> => {
    const { ok } = await fetch(place(sha256), { method: "HEAD", credentials: "same-origin", redirect: "manual", headers: rights(token), signal });
    return ok;
  };

  return {
    address(url) {
      const sha256 = ADDRESS.exec(url)?.[1];
      return sha256 === undefined || token !== "" ? null : place(sha256).href;
    },

    async upload(file, progress, signal) {
      const digest = await subtle.digest("SHA-256", await file.arrayBuffer());
      const sha256 = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
      const before = kept.get(sha256);
      // What was kept may have gone with a conversation that was deleted.
      const likely = before !== undefined || file.size >= WORTH_ASKING;
      if (likely && (await found(sha256, signal).catch(() => false))) {
        // What it is the server has seen then; what the page says of it counts for nothing.
        return before ?? { type: "file", url: `blob:sha256/${sha256}`, media_type: file.type, size: file.size };
      }
      const part = await put(place(sha256), rights(token), file, progress, signal);
      kept.set(sha256, part);
      return part;
    },
  };
}

/** `fetch` does not tell how far a body has come. */
function put(url: URL, headers: Record<string, string>, file: Blob, progress: (share: number) => void, signal: AbortSignal): Promise<FilePart> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0);
    request.onload = () => {
      const answer = read(request.responseText);
      if (request.status >= 200 && request.status < 300 && typeof answer["url"] === "string") {
        resolve(answer as unknown as FilePart);
      } else {
        reject(new Error(refusal(request.status, answer["message"])));
      }
    };
    request.onerror = () => reject(new Error(strings.unreachable()));
    request.onabort = () => reject(new Error(strings.removed()));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    if (signal.aborted) request.abort();
    else request.send(file);
  });
}

function read(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function refusal(status: number, message: unknown): string {
  if (status === 401 || status === 403) return strings.login();
  if (typeof message === "string" && message !== "") return message;
  return status === 413 ? strings.proxyLimit() : strings.notTaken(status);
}
