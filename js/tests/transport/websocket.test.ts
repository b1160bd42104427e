// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { pageAddress, webSocketTransport } from "../../src/transport/websocket.ts";

const opened: { url: string; protocol: string }[] = [];

class FakeWebSocket {
  static readonly OPEN = 1;
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor(url: string, protocol: string) {
    opened.push({ url, protocol });
    sockets.push(this);
  }
  send = vi.fn();
  close = vi.fn();
}
let sockets: FakeWebSocket[] = [];

beforeEach(() => {
  opened.length = 0;
  sockets = [];
  vi.stubGlobal("WebSocket", FakeWebSocket);
});
afterEach(() => vi.unstubAllGlobals());

const nobody = { opened: () => undefined, received: () => undefined, closed: () => undefined };

describe("the address", () => {
  it.each([
    [{ baseUrl: "/", wsUrl: "", token: "" }, "http://host:8888/lab", "ws://host:8888/streamchat/ws"],
    [{ baseUrl: "/user/ada/", wsUrl: "", token: "" }, "https://hub/user/ada/lab", "wss://hub/user/ada/streamchat/ws"],
    [{ baseUrl: "/a", wsUrl: "wss://other/a", token: "" }, "https://hub/a/lab", "wss://other/a/streamchat/ws"],
    [{ baseUrl: "/", wsUrl: "", token: "s&t" }, "http://h:1/", "ws://h:1/streamchat/ws"],
    [{ baseUrl: "/", wsUrl: "ws://h:2/", token: "s&t" }, "http://h:1/", "ws://h:2/streamchat/ws?token=s%26t"],
    [{ baseUrl: "http://g/", wsUrl: "", token: "s&t" }, "http://h/", "ws://g/streamchat/ws?token=s%26t"],
  ])("%o on %s is %s", (address, page, url) => {
    webSocketTransport(address, page).connect(nobody);
    expect(opened).toEqual([{ url, protocol: "streamchat.v1" }]);
  });

  it("comes from Jupyter's page config, and is null elsewhere or where that is broken", () => {
    expect(pageAddress(document)).toBeNull();
    const config = document.createElement("script");
    config.id = "jupyter-config-data";
    config.setAttribute("type", "application/json");
    document.body.append(config);
    config.textContent = '{"baseUrl": "/b/", "token": 3}';
    expect(pageAddress(document)).toEqual({ baseUrl: "/b/", wsUrl: "", token: "" });
    config.textContent = "{";
    expect(pageAddress(document)).toBeNull();
    config.remove();
  });
});

describe("a link", () => {
  it("reports its end once, also where the socket never finishes closing", () => {
    const closed = vi.fn();
    const link = webSocketTransport({ baseUrl: "/", wsUrl: "", token: "" }, "http://h/").connect({ ...nobody, closed });
    link.close();
    sockets[0]?.onclose?.({ code: 1000 });
    expect(closed.mock.calls).toEqual([[null]]);
  });
});

describe("the diagnosis of a refused socket", () => {
  it.each([
    [403, /Log in to Jupyter again/],
    [401, /Log in to Jupyter again/],
    [404, /extension is not enabled/],
    [200, /proxy/],
    [503, null],
  ])("of %i", async (status, words) => {
    const fetching = vi.fn(() => Promise.resolve({ status, type: "basic" }));
    vi.stubGlobal("fetch", fetching);
    const transport = webSocketTransport({ baseUrl: "/u/", wsUrl: "", token: "" }, "http://h/u/lab");
    const diagnosis = await transport.diagnose(new AbortController().signal);
    expect(fetching).toHaveBeenCalledWith(new URL("http://h/u/streamchat/models"), expect.anything());
    if (words === null) expect(diagnosis).toBeNull();
    else expect(diagnosis?.reason.message).toMatch(words);
    expect(diagnosis?.passing ?? false).toBe(status === 200);
  });

  it("asks as the socket does: with the token only where the cookie is not", async () => {
    const asked: unknown[] = [];
    vi.stubGlobal("fetch", (_: unknown, { headers }: RequestInit) => {
      asked.push(headers);
      return Promise.resolve({ status: 503, type: "basic" });
    });
    for (const baseUrl of ["/", "http://g/"]) {
      const transport = webSocketTransport({ baseUrl, wsUrl: "", token: "s" }, "http://h/lab");
      await transport.diagnose(new AbortController().signal);
    }
    expect(asked).toEqual([{}, { Authorization: "token s" }]);
  });

  it("shows that its page asks, as JupyterHub wants of every fetch", async () => {
    document.cookie = "_xsrf=2|abc";
    const fetching = vi.fn(() => Promise.resolve({ ok: true, json: () => Promise.resolve({}) }));
    vi.stubGlobal("fetch", fetching);
    const transport = webSocketTransport({ baseUrl: "/", wsUrl: "", token: "" }, "http://h/lab");
    await transport.spendings("c1", new AbortController().signal);
    document.cookie = "_xsrf=; max-age=0";
    expect(fetching).toHaveBeenCalledWith(expect.anything(), expect.objectContaining({ headers: { "X-XSRFToken": "2|abc" } }));
  });
});

describe("what was used", () => {
  it("is asked of the server for one conversation", async () => {
    const fetching = vi.fn(() => Promise.resolve({ ok: true, json: () => Promise.resolve({ tokens_today: { used: 3 } }) }));
    vi.stubGlobal("fetch", fetching);
    const transport = webSocketTransport({ baseUrl: "/u/", wsUrl: "", token: "" }, "http://h/u/lab");
    expect(await transport.spendings("c-1", new AbortController().signal)).toEqual({ tokens_today: { used: 3 } });
    expect(fetching).toHaveBeenCalledWith(new URL("http://h/u/streamchat/usage?conversation=c-1"), expect.anything());
  });

  it("is not known of a server that does not tell", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve({ ok: false }));
    const transport = webSocketTransport({ baseUrl: "/", wsUrl: "", token: "" }, "http://h/");
    expect(await transport.spendings("c1", new AbortController().signal)).toBeNull();
  });
});
