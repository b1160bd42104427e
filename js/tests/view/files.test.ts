// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../../src/connection.ts";
import type { FilePart, ModelInfo } from "../../src/protocol/frames.gen.ts";
import type { Blobs } from "../../src/transport/blobs.ts";
import { mediaType } from "../../src/view/attachments.ts";
import widget from "../../src/widget.ts";
import { FakeTransport } from "../fakes/transport.ts";

const KEY = Symbol.for("jupyter_streamchat.connection/3");
const page = globalThis as { [KEY]?: Connection };
const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]);
const MP3 = Uint8Array.from([0xff, 0xfb, 0x90, 0x64, 0, 0]);
const MIB = 2 ** 20;

/** Keeps files when a test says so; `uploads` are those that were asked for. */
class FakeBlobs implements Blobs {
  readonly uploads: { file: Blob; progress: (share: number) => void; done: (part: FilePart) => void; fail: (error: Error) => void; signal: AbortSignal }[] = [];
  address(url: string): string | null {
    return url.startsWith("blob:sha256/") ? `http://host/streamchat/blobs/${url.slice(12)}` : null;
  }
  upload(file: Blob, progress: (share: number) => void, signal: AbortSignal): Promise<FilePart> {
    return new Promise((done, fail) => this.uploads.push({ file, progress, done, fail, signal }));
  }
}

let transport: FakeTransport;
let blobs: FakeBlobs;
let element: HTMLElement;
let lifetime: AbortController;

beforeEach(() => {
  transport = new FakeTransport();
  blobs = new FakeBlobs();
  transport.blobs = blobs;
  transport.maxBlobBytes = 2 * MIB;
  page[KEY] = new Connection(transport, () => 1);
  element = document.createElement("div");
  document.body.append(element);
  lifetime = new AbortController();
});

afterEach(() => {
  lifetime.abort();
  element.remove();
  delete page[KEY];
});

async function ready(...models: ModelInfo[]): Promise<void> {
  const traits: Record<string, unknown> = { conversation: "c1", run: "", model: "", params: {} };
  widget.render({ model: { get: (name) => traits[name], on() {}, off() {}, send() {} }, el: element, signal: lifetime.signal });
  await vi.waitFor(() => expect(transport.links).toHaveLength(1));
  transport.last.greet();
  transport.last.opened("c1");
  await vi.waitFor(() => expect(transport.last.of("models")).toHaveLength(1));
  const id = transport.last.of("models")[0]?.id ?? "";
  transport.last.say({ type: "ok", id, models, default: models[0]?.id ?? "", problems: [] });
}

function find<Found extends HTMLElement = HTMLElement>(selector: string): Found {
  const found = element.querySelector<Found>(selector);
  if (found === null) throw new Error(`no ${selector} in ${element.innerHTML}`);
  return found;
}

const files = (...of: [string | Uint8Array, string][]): File[] =>
  of.map(([content, name]) => new File([content as BlobPart], name));

function give(type: "paste" | "drop" | "dragenter", given: File[], types: string[] = ["Files"]): Event {
  const event = new Event(type, { bubbles: true, cancelable: true });
  const data = { files: given, types };
  Object.assign(event, { clipboardData: data, dataTransfer: data, relatedTarget: null });
  (type === "paste" ? find("textarea") : find(".streamchat-composer")).dispatchEvent(event);
  return event;
}

/** Picks files, and waits until so many are being uploaded. */
async function pick(given: File[], uploads = given.length): Promise<void> {
  const before = blobs.uploads.length;
  const input = find<HTMLInputElement>("input[type=file]");
  Object.defineProperty(input, "files", { value: given, configurable: true });
  input.dispatchEvent(new Event("change", { bubbles: true }));
  await vi.waitFor(() => expect(blobs.uploads).toHaveLength(before + uploads));
}

const part = (name: string, media_type = "image/png"): FilePart => ({ type: "file", url: `blob:sha256/${name}`, media_type, size: 11 });
const press = (key: string): boolean => find("textarea").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const shows = (text: string | RegExp): Promise<void> => vi.waitFor(() => expect(element.textContent).toMatch(text));
const sendable = (): Promise<void> => vi.waitFor(() => expect(find<HTMLButtonElement>("[aria-label=Send]").disabled).toBe(false));

describe("a file in the composer", () => {
  it("shows how far it is, holds the prompt back until it is there, and goes before the text", async () => {
    await ready();
    await pick(files([PNG, "plot.png"]));
    expect(find<HTMLImageElement>(".streamchat-thumb img").alt).toBe("plot.png");
    blobs.uploads[0]?.progress(0.5);
    await vi.waitFor(() => expect(find<HTMLProgressElement>("progress").value).toBe(0.5));
    const area = find<HTMLTextAreaElement>("textarea");
    area.value = "What is odd?";
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
    press("Enter");
    expect(transport.last.of("send")).toEqual([]);
    expect(area.value).toBe("What is odd?");
    blobs.uploads[0]?.done(part("one"));
    await sendable();
    press("Enter");
    expect(transport.last.of("send")[0]?.message?.parts).toEqual([
      { ...part("one"), name: "plot.png" },
      { type: "text", text: "What is odd?" },
    ]);
    expect(area.value).toBe("");
    await vi.waitFor(() => expect(find<HTMLImageElement>(".streamchat-prompt img").src).toBe("http://host/streamchat/blobs/one"));
    expect(element.querySelector(".streamchat-box li")).toBeNull();
  });

  it("makes a prompt by itself", async () => {
    await ready();
    await pick(files(["a,b\n", "table.csv"]));
    blobs.uploads[0]?.done(part("two", "text/plain"));
    await sendable();
    find("[aria-label=Send]").click();
    expect(transport.last.of("send")[0]?.message?.parts).toEqual([{ ...part("two", "text/plain"), name: "table.csv" }]);
    await shows("table.csv");
  });

  it("is removed, and its upload ends", async () => {
    await ready();
    await pick(files([PNG, "a.png"], ["text", "b.txt"]));
    await vi.waitFor(() => expect(element.querySelectorAll(".streamchat-box li")).toHaveLength(2));
    find("[aria-label='Remove a.png']").click();
    await vi.waitFor(() => expect(element.querySelectorAll(".streamchat-box li")).toHaveLength(1));
    const gone = blobs.uploads.find(({ file }) => file.type === "image/png");
    expect(gone?.signal.aborted).toBe(true);
    gone?.fail(new Error("Removed."));
    await Promise.resolve();
    expect(element.textContent).not.toContain("Removed.");
  });

  it("comes back with the text when the prompt is refused", async () => {
    await ready();
    await pick(files([PNG, "plot.png"]));
    blobs.uploads[0]?.done(part("one"));
    await sendable();
    press("Enter");
    const id = transport.last.of("send")[0]?.id ?? "";
    transport.last.say({ type: "fail", id, error: { code: "bad_request", message: "Too much.", retryable: false } });
    await shows("Too much.");
    expect(find<HTMLImageElement>(".streamchat-thumb img").alt).toBe("plot.png");
  });
});

it("several files keep their order, however long each is read", async () => {
  await ready();
  const slow = new File([PNG], "slow.png");
  const read = slow.arrayBuffer.bind(slow);
  let go: (() => void) | undefined;
  slow.arrayBuffer = () => new Promise((resolve) => (go = () => resolve(read())));
  await pick([slow, ...files(["text", "quick.txt"])], 0);
  await vi.waitFor(() => expect(go).toBeDefined());
  expect(blobs.uploads).toEqual([]);
  go?.();
  await vi.waitFor(() => expect(blobs.uploads.map(({ file }) => file.type)).toEqual(["image/png", "text/plain"]));
});

describe("what cannot be sent", () => {
  it.each([
    [new File([new Uint8Array(2 * MIB + 1)], "long.txt"), /long\.txt has 2\.0 MiB; at most 2 MiB can be sent/],
    [new File(["PK\x03\x04\0\0"], "all.zip"), /all\.zip cannot be sent: models take pictures \(PNG, JPEG, GIF, WebP\), PDFs, audio \(WAV, MP3\) and text/],
    [new File([], "none.txt"), /none\.txt cannot be sent: it is empty/],
  ])("is said in words: %o", async (file, words) => {
    await ready();
    await pick([file], 0);
    await shows(words);
    expect(element.querySelector(".streamchat-box li")).toBeNull();
  });

  it("is said when the server refuses it or is not there", async () => {
    await ready();
    await pick(files([PNG, "plot.png"]));
    blobs.uploads[0]?.fail(new Error("The Jupyter server could not be reached. Add it again."));
    await shows("plot.png: The Jupyter server could not be reached. Add it again.");
    expect(element.querySelector(".streamchat-box li")).toBeNull();
  });
});

describe("files come", () => {
  it("by pasting, but not where a text was copied with its picture", async () => {
    await ready();
    expect(give("paste", files([PNG, "image.png"]), ["text/plain", "Files"]).defaultPrevented).toBe(false);
    expect(give("paste", files([PNG, "image.png"])).defaultPrevented).toBe(true);
    await vi.waitFor(() => expect(blobs.uploads).toHaveLength(1));
  });

  it("by dropping them anywhere on the chat, which says so", async () => {
    await ready();
    await vi.waitFor(() => {
      give("dragenter", []);
      expect(find(".streamchat-drop").textContent).toContain("Drop files");
    });
    expect(give("drop", files([PNG, "a.png"])).defaultPrevented).toBe(true);
    await vi.waitFor(() => expect(blobs.uploads).toHaveLength(1));
    await vi.waitFor(() => expect(element.querySelector(".streamchat-drop")).toBeNull());
  });

  it("and a dragged text is left to the page", async () => {
    await ready();
    expect(give("drop", [], ["text/plain"]).defaultPrevented).toBe(false);
  });
});

it("where the relay keeps no files they travel within the prompt", async () => {
  transport.maxBlobBytes = 0;
  await ready();
  await pick(files([PNG, "plot.png"]), 0);
  await sendable();
  press("Enter");
  expect(transport.last.of("send")[0]?.message?.parts).toEqual([
    { type: "file", url: `data:image/png;base64,${btoa(String.fromCharCode(...PNG))}`, media_type: "image/png", name: "plot.png" },
  ]);
  await vi.waitFor(() => expect(find<HTMLImageElement>(".streamchat-prompt img").src).toMatch(/^data:image\/png;base64,/));
  await pick([new File([new Uint8Array(8 * MIB)], "large.bin")], 0);
  await shows("large.bin has 8.0 MiB; at most 7.4 MiB can be sent.");
});

it.each([
  [{ capabilities: ["text", "reasoning"] }, true],
  [{ capabilities: ["text", "image"] }, false],
  [{}, false],
])("of a model with %o that it does not look at pictures is said: %s", async (told, said) => {
  await ready({ id: "p/m", provider: "p", name: "m", ...told });
  await pick(files(["text", "a.txt"]));
  expect(element.textContent).not.toContain("does not look at pictures");
  await pick(files([PNG, "plot.png"]));
  await vi.waitFor(() => expect(element.querySelector(".streamchat-thumb")).not.toBeNull());
  expect(element.textContent?.includes("p/m does not look at pictures")).toBe(said);
});

it.each([
  [{ capabilities: ["text", "image"] }, true],
  [{ capabilities: ["text", "audio"] }, false],
  [{}, false],
])("of a model with %o that it does not listen to audio is said: %s", async (told, said) => {
  await ready({ id: "p/m", provider: "p", name: "m", ...told });
  await pick(files([PNG, "plot.png"]));
  await vi.waitFor(() => expect(element.querySelector(".streamchat-thumb")).not.toBeNull());
  expect(element.textContent).not.toContain("does not listen to audio");
  await pick(files([MP3, "note.mp3"]));
  await vi.waitFor(() => expect(element.querySelector(".streamchat-recording")).not.toBeNull());
  expect(element.textContent?.includes("p/m does not listen to audio")).toBe(said);
});

it("audio is a player with its name and its length, before it is sent and after", async () => {
  await ready();
  await pick(files([MP3, "note.mp3"]));
  const measured = async (player: HTMLAudioElement): Promise<void> => {
    Object.defineProperty(player, "duration", { value: 64.6 });
    player.dispatchEvent(new Event("loadedmetadata"));
    await shows("1:05");
  };
  const waiting = find<HTMLAudioElement>(".streamchat-box audio");
  expect([waiting.controls, waiting.getAttribute("aria-label"), waiting.src.slice(0, 5)]).toEqual([true, "note.mp3", "blob:"]);
  await measured(waiting);
  blobs.uploads[0]?.done(part("two", "audio/mpeg"));
  await sendable();
  press("Enter");
  await vi.waitFor(() => expect(find<HTMLAudioElement>(".streamchat-prompt audio").src).toBe("http://host/streamchat/blobs/two"));
  expect(element.querySelector(".streamchat-prompt a")).toBeNull();
  await measured(find<HTMLAudioElement>(".streamchat-prompt audio"));
  find(".streamchat-prompt audio").dispatchEvent(new Event("error"));
  await vi.waitFor(() => expect(element.querySelector(".streamchat-prompt audio")).toBeNull());
  await shows("note.mp3");
});

it("a picture elsewhere is not fetched, and a name steers nothing", async () => {
  await ready();
  transport.last.events("c1", {
    type: "message",
    t: 0,
    message: {
      id: "m1", role: "user", parent: null, run: "r1",
      parts: [
        { type: "file", url: "https://evil.example/p.png", media_type: "image/png", name: "far.png" },
        { type: "file", url: "data:image/svg+xml;base64,PHN2Zy8+", media_type: "image/svg+xml", name: "a\u202egnp.svg" },
        { type: "file", url: "javascript:alert(1)", media_type: "image/png", name: "script.png" },
        { type: "file", url: "https://evil.example/a.mp3", media_type: "audio/mpeg", name: "far.mp3" },
      ],
    },
  });
  await shows("far.png");
  expect(find(".streamchat-prompt").querySelector("img, a, audio")).toBeNull();
  expect(element.textContent).not.toContain("\u202e");
});

it.each([
  [PNG, "image/png"],
  ["\u00ff\u00d8\u00ff", "text/plain"],
  [Uint8Array.from([0xff, 0xd8, 0xff, 0xe0]), "image/jpeg"],
  ["GIF89a", "image/gif"],
  ["RIFF\x04\0\0\0WEBPVP8 ", "image/webp"],
  ["%PDF-1.7", "application/pdf"],
  ["RIFF\x04\0\0\0WAVEfmt ", "audio/wav"],
  ["ID3\x04\0\0", "audio/mpeg"],
  [Uint8Array.from([0xff, 0xfb, 0x90, 0x64, 0]), "audio/mpeg"],
  [Uint8Array.from([0xff, 0xfe, 0x41, 0]), ""],
  ["ID3 is a tag", "text/plain"],
  ["größer", "text/plain"],
  ["", ""],
  ["a\0b", ""],
  [Uint8Array.from([0xe4, 0x20]), ""],
])("%j is %j by its bytes", async (content, kind) => {
  expect(await mediaType(new Blob([content as BlobPart]))).toBe(kind);
});
