/** How frames travel to a Jupyter server: one WebSocket, beside it a GET for what was used, or why it could not be opened. */

import { SUBPROTOCOL, type ErrorInfo } from "../protocol/frames.gen.ts";
import type { Spendings } from "../model/spendings.ts";
import { rights } from "./rights.ts";
import { serverBlobs, type Blobs } from "./blobs.ts";
import * as strings from "./strings.ts";

/** What a transport reports. `closed` comes exactly once, also when no link could be opened. */
export interface LinkEvents {
  opened(): void;
  received(text: string): void;
  closed(code: number | null): void;
  /** Whether the other end takes what is sent; only of a transport where it may not for long. */
  heeded?(on: boolean): void;
}

export interface Link {
  send(text: string): void;
  close(): void;
}

export interface Transport {
  /** Where the relay is; without it, in a server. One in a kernel ends with it. */
  readonly relay?: "server" | "kernel";
  /** Where a prompt's files are kept; without it they travel within the prompt. */
  readonly blobs?: Blobs | null;
  connect(events: LinkEvents): Link;
  /** Why a link could not be opened, where that can be known; null means that it may well work next time. */
  diagnose(signal: AbortSignal): Promise<Diagnosis | null>;
  /** What was used and may be; null where that is not told. */
  spendings(conversation: string, signal: AbortSignal): Promise<Spendings | null>;
}

export interface Diagnosis {
  readonly reason: ErrorInfo;
  /** A server that is just stopping looks the same, for a moment. */
  readonly passing: boolean;
  /** Whether no later link can be opened either: what the relay had is lost. */
  readonly final?: boolean;
}

/** Where the Jupyter server is. `token` is for a server of another origin: to its own, a page shows its cookie. */
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
  const usageUrl = new URL("streamchat/usage", base);
  // As Jupyter's own sockets do: addresses get into logs, and tokens should not.
  const foreign = ({ host }: URL): boolean => address.token !== "" && host !== new URL(origin).host;
  if (foreign(socketUrl)) socketUrl.searchParams.set("token", address.token);
  const get = (url: URL, signal: AbortSignal): Promise<Response> =>
    fetch(url, {
      credentials: "same-origin",
      redirect: "manual",
      headers: rights(foreign(url) ? address.token : ""),
      signal,
    });

  return {
    blobs: serverBlobs(base, foreign(base) ? address.token : ""),

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

    async spendings(conversation, signal) {
      const url = new URL(usageUrl);
      url.searchParams.set("conversation", conversation);
      const answer = await get(url, signal);
      return answer.ok ? ((await answer.json()) as Spendings) : null;
    },

    async diagnose(signal) {
      const done = new AbortController();
      const { status, type } = await get(modelsUrl, AbortSignal.any([signal, done.signal]));
      // Only the status matters.
      done.abort();
      if (status === 401 || status === 403 || type === "opaqueredirect") {
        return lasting("unauthorized", strings.login());
      }
      if (status === 404) {
        return lasting("not_found", strings.notEnabled());
      }
      if (status >= 200 && status < 300) {
        return { ...lasting("internal", strings.noWebSocket()), passing: true };
      }
      return null;
    },
  };
}

function lasting(code: ErrorInfo["code"], message: string): Diagnosis {
  return { reason: { code, message, retryable: true }, passing: false };
}

function withSlash(url: string, base: URL): URL {
  return new URL(url.replace(/\/*$/, "/"), base);
}
