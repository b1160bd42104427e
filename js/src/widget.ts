/** The root for anywidget: `initialize` once for a widget's model, `render` once for each of its views. */

import { h, render as draw } from "preact";
import type { Connection } from "./connection.ts";
import { kernelConnection } from "./kernel.ts";
import { pageConnection } from "./page.ts";
import { commVariables } from "./transport/variables.ts";
import { Chat } from "./view/chat.tsx";
import { keepPlace } from "./view/place.ts";
import { ReplyView } from "./view/reply.tsx";
import { Notice } from "./view/status.tsx";
import * as strings from "./view/strings.ts";

/** What of a widget's model is used here. A saved notebook may hold anything: nothing of it is trusted. */
export interface WidgetModel {
  get(name: string): unknown;
  on(event: string, listener: (content: unknown) => void): void;
  off(event: string, listener: (content: unknown) => void): void;
  send(content: unknown): void;
}

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const TRAITS = ["conversation", "run", "model", "params"] as const;
/** Events that Jupyter would take for its own. */
const KEYS = ["keydown", "keyup", "keypress"] as const;

interface Initialized {
  readonly model: WidgetModel;
  readonly signal?: AbortSignal;
}

interface Rendered extends Initialized {
  readonly el: HTMLElement;
}

function initialize({ model, signal }: Initialized): () => void {
  const lifetime = lifetimeOf(signal);
  if (word(model, "relay") === "kernel") {
    // Its views open it.
    connectionOf(model, lifetime.signal);
    return () => lifetime.abort();
  }
  // anywidget waits 2 s for a module at most, and the page has more to do than to connect.
  afterPaint(lifetime.signal, () => pageConnection()?.hold(lifetime.signal));
  return () => lifetime.abort();
}

function render({ model, el, signal }: Rendered): () => void {
  const lifetime = lifetimeOf(signal);
  const root = document.createElement("div");
  root.setAttribute("data-lm-suppress-shortcuts", "true");
  for (const key of KEYS) root.addEventListener(key, (event) => event.stopPropagation());
  el.append(root);
  if (word(model, "run") !== "") {
    tell(model, "shown");
    keepPlace(el, lifetime.signal, () => tell(model, "gone"));
  }

  const variables = commVariables(model);
  let shown = new AbortController();
  const show = (): void => {
    shown.abort();
    shown = new AbortController();
    const { signal: one } = shown;
    root.className = "streamchat";
    const connection = connectionOf(model, lifetime.signal);
    if (connection === null) {
      draw(h(Notice, { text: strings.noServer() }), root);
      return;
    }
    const conversation = word(model, "conversation");
    const run = word(model, "run");
    if (!ID.test(conversation) || (run !== "" && !ID.test(run))) {
      draw(h(Notice, { text: strings.badId() }), root);
      return;
    }
    const store = connection.follow(conversation, one);
    afterPaint(one, () => connection.hold(one));
    root.classList.add(run === "" ? "streamchat-chat" : "streamchat-reply");
    draw(
      run === ""
        ? h(Chat, {
            key: conversation,
            connection,
            store,
            model: word(model, "model"),
            params: params(model),
            variables,
          })
        : h(ReplyView, { key: run, connection, store, run }),
      root,
    );
  };
  show();
  for (const trait of TRAITS) model.on(`change:${trait}`, show);

  lifetime.signal.addEventListener("abort", () => {
    for (const trait of TRAITS) model.off(`change:${trait}`, show);
    shown.abort();
    draw(null, root);
    root.remove();
  });
  return () => lifetime.abort();
}

/** A saved notebook chooses between the two, and nothing else. */
function connectionOf(model: WidgetModel, signal: AbortSignal): Connection | null {
  if (word(model, "relay") !== "kernel") return pageConnection();
  return kernelConnection(word(model, "link"), model, signal);
}

function word(model: WidgetModel, name: string): string {
  const value = model.get(name);
  return typeof value === "string" ? value : "";
}

/** Let the kernel count the views of a reply, which it drops when nobody looks at it any more. */
function tell(model: WidgetModel, what: "shown" | "gone"): void {
  try {
    model.send({ type: what });
  } catch {
    // The kernel is gone, and what it kept.
  }
}

function params(model: WidgetModel): Readonly<Record<string, unknown>> {
  const value = model.get("params");
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** A lifetime that ends with its owner's signal or by itself. */
function lifetimeOf(signal: AbortSignal | undefined): AbortController {
  const lifetime = new AbortController();
  if (signal?.aborted) lifetime.abort();
  else signal?.addEventListener("abort", () => lifetime.abort(), { signal: lifetime.signal });
  return lifetime;
}

/** Soon after the next paint; in a hidden page, where nothing is painted, soon. */
function afterPaint(signal: AbortSignal, action: () => void): void {
  let done = false;
  const once = (): void => {
    if (done || signal.aborted) return;
    done = true;
    action();
  };
  requestAnimationFrame(() => setTimeout(once, 0));
  setTimeout(once, 250);
}

export default { initialize, render };
