// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Connection } from "../../src/connection.ts";
import widget, { type WidgetModel } from "../../src/widget.ts";
import { FakeKernel } from "../fakes/kernel.ts";
import { FakeTransport } from "../fakes/transport.ts";

const KEY = Symbol.for("jupyter_streamchat.connection/3");
const page = globalThis as { [KEY]?: Connection };
const TRAITS = { conversation: "c1", run: "", model: "", params: {}, relay: "kernel", link: "l".repeat(24) };

let kernel: FakeKernel;
let transport: FakeTransport;
let lifetime: AbortController;
let flushing: ReturnType<typeof setInterval>;

beforeEach(() => {
  kernel = new FakeKernel();
  transport = new FakeTransport();
  // A page that knows a Jupyter server, too.
  page[KEY] = new Connection(transport, () => 1);
  lifetime = new AbortController();
  flushing = setInterval(() => kernel.flush(), 10);
});

afterEach(() => {
  lifetime.abort();
  clearInterval(flushing);
  document.body.replaceChildren();
  delete page[KEY];
});

/** Proxies differ from view to view, as anywidget makes them. */
function proxy(traits: Record<string, unknown>): WidgetModel {
  return { ...kernel.model, get: (name) => traits[name] };
}

function render(traits: Record<string, unknown>, signal = lifetime.signal): HTMLElement {
  const el = document.createElement("div");
  document.body.append(el);
  widget.render({ model: proxy(traits), el, signal });
  return el;
}

function start(traits: Record<string, unknown> = TRAITS): void {
  widget.initialize({ model: proxy(traits), signal: lifetime.signal });
}

const HOSTED = "without the server extension";

it("two views of a widget share one link, which outlives the first of them", async () => {
  start();
  const first = new AbortController();
  const views = [render(TRAITS, first.signal), render(TRAITS)];
  await vi.waitFor(() => expect(kernel.relay.greeted).toBe(1));
  const message = { id: "m1", role: "assistant", parent: null } as const;
  kernel.relay.append({ type: "start", run: "r1", t: 0, message, model: "m", provider: "p" });
  kernel.relay.append({ type: "text-start", run: "r1", t: 0, part: "1" });
  kernel.relay.append({ type: "text-delta", run: "r1", t: 0, part: "1", delta: "both" });
  for (const view of views) {
    await vi.waitFor(() => expect(view.querySelector(".streamchat-content")?.textContent).toBe("both"));
  }
  first.abort();
  kernel.relay.append({ type: "text-delta", run: "r1", t: 0, part: "1", delta: " of us" });
  await vi.waitFor(() => expect(views[1]?.querySelector(".streamchat-content")?.textContent).toBe("both of us"));
  expect(kernel.relay.links).toHaveLength(1);
  expect(transport.links).toHaveLength(0);
});

it("a chat of a kernel says in one line what it lacks, and a server's does not", async () => {
  start();
  const view = render(TRAITS);
  await vi.waitFor(() => expect(view.textContent).toContain(HOSTED));
  const served = render({ ...TRAITS, relay: "server" });
  await vi.waitFor(() => expect(served.querySelector("textarea")).not.toBeNull());
  expect(served.textContent).not.toContain(HOSTED);
});

it.each(["", "ws://elsewhere.example", "KERNEL", null, { kernel: true }])(
  "a saved widget that asks for %o gets the page's own server",
  async (relay) => {
    start({ ...TRAITS, relay });
    render({ ...TRAITS, relay });
    await vi.waitFor(() => expect(transport.links).toHaveLength(1));
    expect(kernel.taken).toEqual([]);
  },
);

it("a kernel that computes is said to hear nothing", async () => {
  start();
  const view = render(TRAITS);
  await vi.waitFor(() => expect(kernel.relay.greeted).toBe(1));
  kernel.busy = true;
  const field = view.querySelector("textarea");
  if (field === null) throw new Error("no field");
  field.value = "Are you there?";
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  await vi.waitFor(() => expect(view.textContent).toContain("interrupt button"), 5000);
  kernel.busy = false;
  await vi.waitFor(() => expect(view.textContent).not.toContain("interrupt button"));
});

it("a kernel that ended leaves one line that says what to do, and nothing turns", async () => {
  start();
  const view = render(TRAITS);
  await vi.waitFor(() => expect(kernel.relay.greeted).toBe(1));
  const message = { id: "m1", role: "assistant", parent: null } as const;
  kernel.relay.append({ type: "start", run: "r1", t: 0, message, model: "m", provider: "p" });
  await vi.waitFor(() => expect(view.querySelector(".streamchat-pulse")).not.toBeNull());
  kernel.dead = true;
  kernel.emit("comm_live_update");
  await vi.waitFor(() => expect(view.textContent).toContain("Run the cell again"), 5000);
  expect(view.querySelector(".streamchat-pulse")).toBeNull();
  expect([...view.querySelectorAll("button")].map((one) => one.textContent)).not.toContain("Retry");
});
