// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { serverBlobs } from "../../src/transport/blobs.ts";

const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const BASE = new URL("http://host/base/");
const KEPT = JSON.stringify({ type: "file", url: `blob:sha256/${ABC}`, media_type: "text/plain", size: 3 });
const file = new Blob(["abc"], { type: "text/plain" });
const nobody = new AbortController().signal;

class FakeRequest {
  static readonly all: FakeRequest[] = [];
  readonly headers: Record<string, string> = {};
  readonly upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
  onload?: () => void;
  onerror?: () => void;
  onabort?: () => void;
  status = 0;
  responseText = "";
  opened: unknown[] = [];
  body: unknown = null;
  constructor() {
    FakeRequest.all.push(this);
  }
  open(...how: unknown[]): void {
    this.opened = how.map(String);
  }
  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }
  send(body: unknown): void {
    this.body = body;
  }
  abort(): void {
    this.onabort?.();
  }
  answer(status: number, text: string): void {
    this.status = status;
    this.responseText = text;
    this.onload?.();
  }
}

beforeEach(() => {
  FakeRequest.all.length = 0;
  vi.stubGlobal("XMLHttpRequest", FakeRequest);
  document.cookie = "_xsrf=2|abc|def";
});
afterEach(() => vi.unstubAllGlobals());

const requested = () => vi.waitFor(() => FakeRequest.all.at(-1) ?? Promise.reject(new Error("nothing was sent")));

describe("an upload", () => {
  it("goes to the hash of its bytes, with the token that only this page can read", async () => {
    const shares: number[] = [];
    const upload = serverBlobs(BASE, "")?.upload(file, (share) => shares.push(share), nobody);
    const request = await requested();
    expect(request.opened).toEqual(["PUT", `http://host/base/streamchat/blobs/${ABC}`]);
    expect(request.headers).toEqual({ "X-XSRFToken": "2|abc|def" });
    expect(request.body).toBe(file);
    request.upload.onprogress?.({ loaded: 1, total: 4 });
    request.answer(201, KEPT);
    expect(await upload).toEqual(JSON.parse(KEPT));
    expect(shares).toEqual([0.25]);
  });

  it("happens once for the same bytes, as long as the server has them", async () => {
    const fetched = vi.fn(() => Promise.resolve({ ok: true }));
    vi.stubGlobal("fetch", fetched);
    const blobs = serverBlobs(BASE, "");
    const first = blobs?.upload(file, () => undefined, nobody);
    (await requested()).answer(201, KEPT);
    expect(await blobs?.upload(new Blob(["abc"]), () => undefined, nobody)).toEqual(await first);
    expect(FakeRequest.all).toHaveLength(1);
    fetched.mockResolvedValue({ ok: false });
    const again = blobs?.upload(file, () => undefined, nobody);
    await vi.waitFor(() => expect(FakeRequest.all).toHaveLength(2));
    FakeRequest.all[1]?.answer(201, KEPT);
    expect(await again).toEqual(await first);
  });

  it("of a large file does not happen where the server has it", async () => {
    const fetched = vi.fn(() => Promise.resolve({ ok: true }));
    vi.stubGlobal("fetch", fetched);
    const large = new Blob(["x".repeat(300_000)], { type: "text/plain" });
    const part = await serverBlobs(BASE, "")?.upload(large, () => undefined, nobody);
    expect(part).toMatchObject({ type: "file", media_type: "text/plain", size: 300_000 });
    expect(fetched).toHaveBeenCalledOnce();
    expect(FakeRequest.all).toEqual([]);
  });

  it.each([
    [413, '{"message": "The file is larger than 20 MiB."}', "The file is larger than 20 MiB."],
    [413, "<html>nginx</html>", "A proxy before Jupyter does not let files of this size through."],
    [403, '{"message": "XSRF"}', "Log in to Jupyter again and reload this page."],
    [502, "", "The Jupyter server does not take it (502)."],
  ])("that is answered with %i %j says: %s", async (status, text, words) => {
    const upload = serverBlobs(BASE, "")?.upload(file, () => undefined, nobody);
    const failed = expect(upload).rejects.toThrow(words);
    (await requested()).answer(status, text);
    await failed;
  });

  it("ends with its signal", async () => {
    const removed = new AbortController();
    const upload = serverBlobs(BASE, "")?.upload(file, () => undefined, removed.signal);
    await requested();
    const failed = expect(upload).rejects.toThrow("Removed.");
    removed.abort();
    await failed;
  });

  it("to a server of another origin has the token, and nothing is shown from there", async () => {
    const blobs = serverBlobs(BASE, "s&t");
    expect(blobs?.address(`blob:sha256/${ABC}`)).toBeNull();
    void blobs?.upload(file, () => undefined, nobody);
    expect((await requested()).headers["Authorization"]).toBe("token s&t");
  });
});

it("only what the server keeps has an address", () => {
  const blobs = serverBlobs(BASE, "");
  expect(blobs?.address(`blob:sha256/${ABC}`)).toBe(`http://host/base/streamchat/blobs/${ABC}`);
  for (const other of [`blob:sha256/${ABC}/..`, "blob:sha256/../models", "https://evil.example/", `data:,${ABC}`]) {
    expect(blobs?.address(other)).toBeNull();
  }
});

it("a page that cannot hash has none", () => {
  vi.stubGlobal("crypto", {});
  expect(serverBlobs(BASE, "")).toBeNull();
});
