/** How frames travel to a Jupyter server: one WebSocket, and one GET that tells why it could not be opened. */

import { SUBPROTOCOL, type ErrorInfo } from "../protocol/frames.gen.ts";

/** What a transport reports. `closed` comes exactly once, also when no link could be opened. */
export interface LinkEvents {
  opened(): void;
  received(text: string): void;
  closed(code: number | null): void;
}

export interface Link {
  send(text: string): void;
  close(): void;
}

export interface Transport {
  connect(events: LinkEvents): Link;
  /** Why a link could not be opened, where that can be known; null means that it may well work next time. */
  diagnose(signal: AbortSignal): Promise<ErrorInfo | null>;
}

/** Where the Jupyter server is. `token` is empty where a cookie authenticates. */
export interface ServerAddress {
  readonly baseUrl: string;
  readonly wsUrl: string;
  readonly token: string;
}

/** What the page knows of its server, or null on a page that Jupyter did not make. */
export function pageAddress(page: Document): ServerAddress | null {
  const text = page.getElementById("jupyter-config-data")?.textContent;
  if (!text) return null;
  try {
    const config = JSON.parse(text) as Record<string, unknown>;
    const word = (name: string): string => {
      const value = config[name];
      return typeof value === "string" ? value : "";
    };
    return { baseUrl: word("baseUrl") || "/", wsUrl: word("wsUrl"), token: word("token") };
  } catch {
    return null;
  }
}

/** A transport to the relay in this Jupyter server. */
export function webSocketTransport(address: ServerAddress, origin: string): Transport {
  const base = new URL(address.baseUrl.replace(/\/*$/, "/"), origin);
  const socketUrl = new URL("streamchat/ws", address.wsUrl ? withSlash(address.wsUrl, base) : base);
  socketUrl.protocol = /^(https|wss):$/.test(socketUrl.protocol) ? "wss:" : "ws:";
  const modelsUrl = new URL("streamchat/models", base);
  if (address.token) socketUrl.searchParams.set("token", address.token);

  return {
    connect(events) {
      const socket = new WebSocket(socketUrl.href, SUBPROTOCOL);
      let over = false;
      const close = (code: number | null): void => {
        if (over) return;
        over = true;
        events.closed(code);
      };
      socket.onopen = () => over || events.opened();
      socket.onmessage = ({ data }) => {
        if (!over && typeof data === "string") events.received(data);
      };
      socket.onclose = ({ code }) => close(code);
      return {
        send: (text) => {
          if (socket.readyState === WebSocket.OPEN) socket.send(text);
        },
        close: () => {
          // A dead link never finishes its closing handshake: what comes later is nobody's business.
          socket.close();
          close(null);
        },
      };
    },

    async diagnose(signal) {
      const headers = address.token ? { Authorization: `token ${address.token}` } : {};
      const done = new AbortController();
      const { status, type } = await fetch(modelsUrl, {
        credentials: "same-origin",
        redirect: "manual",
        headers,
        signal: AbortSignal.any([signal, done.signal]),
      });
      // Only the status matters.
      done.abort();
      if (status === 401 || status === 403 || type === "opaqueredirect") {
        return {
          code: "unauthorized",
          message: "Log in to Jupyter again and reload this page.",
          retryable: true,
        };
      }
      if (status === 404) {
        return {
          code: "not_found",
          message:
            "The jupyter_streamchat server extension is not enabled: run " +
            "“jupyter server extension enable streamchat_relay” where Jupyter is installed, " +
            "restart Jupyter and reload this page.",
          retryable: true,
        };
      }
      if (status >= 200 && status < 300) {
        return {
          code: "internal",
          message:
            "Jupyter answers, but no WebSocket gets through. If a proxy is in between, it must pass WebSockets.",
          retryable: true,
        };
      }
      return null;
    },
  };
}

function withSlash(url: string, base: URL): URL {
  return new URL(url.replace(/\/*$/, "/"), base);
}
