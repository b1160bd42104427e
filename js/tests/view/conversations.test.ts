// @vitest-environment happy-dom
import { h, render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../../src/connection.ts";
import type { ClientFrame, ConversationInfo } from "../../src/protocol/frames.gen.ts";
import { age, group } from "../../src/view/ages.ts";
import { Conversations } from "../../src/view/conversations.tsx";
import { GAP_MS, GLANCE_MS, PAGE, TYPING_MS } from "../../src/view/listing.ts";
import { FakeTransport } from "../fakes/transport.ts";

const NOON = new Date(2026, 10, 28, 12).getTime();
const HOUR = 3600 * 1000;

describe("the time of a conversation", () => {
  const at = (...date: [number, number, number, number?]): number => new Date(...date).getTime();

  it("puts it into the group that people look for it in", () => {
    expect(group(NOON - HOUR, NOON)).toBe("Today");
    expect(group(at(2026, 10, 27, 23), NOON)).toBe("Yesterday");
    // Yesterday is a day of the calendar, not 24 hours.
    expect(group(at(2026, 10, 27, 0), at(2026, 10, 28, 0))).toBe("Yesterday");
    expect(group(at(2026, 10, 26), NOON)).toBe("Previous 7 days");
    expect(group(at(2026, 10, 21), NOON)).toBe("Previous 7 days");
    expect(group(at(2026, 10, 20), NOON)).toBe("Previous 30 days");
    expect(group(at(2026, 9, 3), NOON)).toBe("October");
    expect(group(at(2025, 9, 3), NOON)).toBe("October 2025");
    // A clock that runs ahead is no reason for another group.
    expect(group(NOON + HOUR, NOON)).toBe("Today");
  });

  it("is told the shorter, the longer ago it was", () => {
    expect(age(NOON - 20_000, NOON)).toBe("now");
    expect(age(NOON - 5 * 60_000, NOON)).toBe("5m ago");
    expect(age(NOON - 3 * HOUR, NOON)).toBe("3h ago");
    expect(age(at(2026, 10, 27, 9), NOON)).toMatch(/^9:00\sAM$/);
    expect(age(at(2026, 10, 24), NOON)).toBe("Tue");
    expect(age(at(2026, 9, 3), NOON)).toBe("Oct 3");
    expect(age(at(2025, 9, 3), NOON)).toBe("Oct 3, 2025");
  });
});

describe("the list of conversations", () => {
  let transport: FakeTransport;
  let connection: Connection;
  let element: HTMLElement;
  let lifetime: AbortController;
  let opened: string[];
  let begun: number;

  beforeEach(() => {
    vi.useFakeTimers({ now: NOON });
    transport = new FakeTransport();
    connection = new Connection(transport, () => 1);
    element = document.createElement("div");
    document.body.append(element);
    lifetime = new AbortController();
    opened = [];
    begun = 0;
    connection.hold(lifetime.signal);
    draw("c1");
    transport.last.greet();
  });

  afterEach(() => {
    lifetime.abort();
    render(null, element);
    element.remove();
    vi.useRealTimers();
  });

  function draw(current: string): void {
    const props = { connection, current, onOpen: (id: string) => opened.push(id), onNew: () => (begun += 1) };
    render(h(Conversations, props), element);
  }

  const info = (number: number, more: Partial<ConversationInfo> = {}): ConversationInfo => ({
    id: `c${number}`,
    title: `Talk ${number}`,
    used: (NOON - number * HOUR) / 1000,
    ...more,
  });

  /** Let timers run, and what they lead to be drawn. */
  const pass = (ms = 50): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
  const asked = <Type extends ClientFrame["type"]>(type: Type) => transport.last.of(type).at(-1);

  async function told(conversations: readonly ConversationInfo[], more = false): Promise<void> {
    await pass();
    transport.last.say({ type: "ok", id: asked("list")?.id ?? "", conversations, more });
    await pass();
  }

  async function ok(type: "delete" | "restore" | "rename", more: object = {}): Promise<void> {
    await pass();
    transport.last.say({ type: "ok", id: asked(type)?.id ?? "", ...more } as never);
    await pass();
  }

  const rows = (): HTMLElement[] => [...element.querySelectorAll<HTMLElement>("[data-conversation]")];
  const titles = (): (string | null)[] => [...element.querySelectorAll(".streamchat-past-title")].map((one) => one.textContent);
  const named = (name: string): HTMLElement => {
    const all = [...element.querySelectorAll<HTMLElement>("button, input")];
    const found = all.find((one) => (one.getAttribute("aria-label") ?? one.textContent?.trim()) === name);
    if (found === undefined) throw new Error(`no ${name} in ${element.innerHTML}`);
    return found;
  };
  const press = (key: string): void => {
    document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  };
  const type = (text: string): void => {
    const field = named("Search conversations") as HTMLInputElement;
    field.value = text;
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };

  it("has them by their time, with the open one and the answering one marked", async () => {
    expect(element.textContent).toContain("Loading");
    await told([info(0, { answering: true }), info(1), info(20, { title: "" })]);
    expect([...element.querySelectorAll("h3")].map((one) => one.textContent)).toEqual(["Today", "Yesterday"]);
    expect(titles()).toEqual(["Talk 0", "Talk 1", "Untitled"]);
    expect(rows().map((one) => one.getAttribute("aria-current"))).toEqual([null, "true", null]);
    expect(rows()[0]?.querySelector("[aria-label='Answering now']")).not.toBeNull();
    rows()[2]?.click();
    expect(opened).toEqual(["c20"]);
    named("New conversation").click();
    expect(begun).toBe(1);
  });

  it("says where there is nothing, and what is wrong", async () => {
    await told([]);
    expect(element.textContent).toContain("No conversations yet");
    type("tides");
    await pass(TYPING_MS);
    await told([]);
    expect(element.textContent).toContain("Nothing found for “tides”.");
    type("");
    await pass();
    const error = { code: "internal" as const, message: "The disk is full.", retryable: true };
    transport.last.say({ type: "fail", id: asked("list")?.id ?? "", error });
    await pass();
    expect(element.querySelector("[role=alert]")?.textContent).toBe("The disk is full.");
  });

  it("is searched as one types, once the typing rests, and shows where it was found", async () => {
    await told([info(0), info(1)]);
    const before = transport.last.of("list").length;
    for (const text of ["t", "ti", "tides"]) {
      type(text);
      await pass(TYPING_MS / 2);
    }
    // What was there stays until there is something else.
    expect(titles()).toEqual(["Talk 0", "Talk 1"]);
    await pass(TYPING_MS);
    expect(transport.last.of("list").length).toBe(before + 1);
    expect(asked("list")).toMatchObject({ search: "tides", limit: PAGE });
    await told([info(1, { found: "of the tides" })]);
    expect(titles()).toEqual(["Talk 1"]);
    expect(rows()[0]?.querySelector("small")?.textContent).toBe("of the tides");
    expect(element.querySelector("[role=status]")?.textContent).toBe("1 conversation found");
    named("Search conversations").focus();
    press("Escape");
    await told([info(0), info(1)]);
    expect(titles()).toEqual(["Talk 0", "Talk 1"]);
  });

  it("forgets the answer to an older question", async () => {
    await told([info(0)]);
    type("one");
    await pass(TYPING_MS);
    const first = asked("list")?.id ?? "";
    type("two");
    await pass(TYPING_MS);
    await told([info(2)]);
    transport.last.say({ type: "ok", id: first, conversations: [info(1)], more: false });
    await pass();
    expect(titles()).toEqual(["Talk 2"]);
  });

  it("asks for older ones where the end is near, each once", async () => {
    await told([info(0), info(1)], true);
    // Nothing has a height here, so the end is near at once.
    expect(asked("list")).toMatchObject({ limit: PAGE, before: { used: info(1).used, id: "c1" } });
    const count = transport.last.of("list").length;
    element.querySelector(".streamchat-past-list")?.dispatchEvent(new Event("scroll"));
    await pass();
    expect(transport.last.of("list").length).toBe(count);
    await told([info(1), info(2)]);
    expect(titles()).toEqual(["Talk 0", "Talk 1", "Talk 2"]);
    expect(transport.last.of("list").length).toBe(count);
  });

  it("looks again when something has changed, at most once a second, and when one comes back", async () => {
    await told([info(0)]);
    const count = (): number => transport.last.of("list").length;
    const before = count();
    transport.last.say({ type: "stale" });
    transport.last.say({ type: "stale" });
    await pass(1);
    expect(count()).toBe(before);
    await pass(GAP_MS);
    expect(count()).toBe(before + 1);
    await told([info(0), info(1)]);
    document.dispatchEvent(new Event("visibilitychange"));
    await pass();
    expect(count()).toBe(before + 1);
    await pass(GLANCE_MS);
    expect(count()).toBe(before + 1);
    document.dispatchEvent(new Event("visibilitychange"));
    await pass();
    expect(count()).toBe(before + 2);
  });

  it("is walked by arrows, one stop for the Tab key", async () => {
    await told([info(0), info(1), info(2)]);
    const stops = (): (string | undefined)[] => rows().filter((one) => one.tabIndex === 0).map((one) => one.dataset["conversation"]);
    expect(stops()).toEqual(["c1"]);
    named("Search conversations").focus();
    press("ArrowDown");
    expect(document.activeElement).toBe(rows()[0]);
    press("ArrowDown");
    press("End");
    await pass();
    expect(document.activeElement).toBe(rows()[2]);
    expect(stops()).toEqual(["c2"]);
    press("Home");
    press("ArrowUp");
    expect(document.activeElement).toBe(named("Search conversations"));
  });

  it("renames in place by F2, and gives the keyboard back", async () => {
    await told([info(0), info(1)]);
    rows()[0]?.focus();
    press("F2");
    await pass();
    const field = named("Name of this conversation") as HTMLInputElement;
    expect(document.activeElement).toBe(field);
    expect(field.value).toBe("Talk 0");
    field.value = "Of tides";
    press("Enter");
    await pass();
    // It shows before the relay has answered.
    expect(titles()).toEqual(["Of tides", "Talk 1"]);
    expect(asked("rename")).toMatchObject({ conversation: "c0", title: "Of tides" });
    expect(document.activeElement).toBe(rows()[0]);
    await ok("rename", { title: "Of tides" });
    await told([info(0, { title: "Of tides" }), info(1)]);
    rows()[0]?.focus();
    press("F2");
    await pass();
    press("Escape");
    await pass();
    expect(transport.last.of("rename")).toHaveLength(1);
  });

  it("deletes at once, goes on at the next one, and brings it back by Undo", async () => {
    await told([info(0), info(1), info(2)]);
    rows()[1]?.focus();
    press("Delete");
    await pass();
    expect(titles()).toEqual(["Talk 0", "Talk 2"]);
    expect(document.activeElement).toBe(rows()[1]);
    expect(asked("delete")).toMatchObject({ conversation: "c1" });
    // The relay may tell of it until it has done it.
    transport.last.say({ type: "stale" });
    await pass(GAP_MS);
    await told([info(0), info(1), info(2)]);
    expect(titles()).toEqual(["Talk 0", "Talk 2"]);
    await ok("delete", { restorable_s: 600 });
    await told([info(0), info(2)]);
    expect(element.querySelector(".streamchat-undo")?.textContent).toBe("Deleted “Talk 1”Undo");
    named("Undo").click();
    await ok("restore");
    await told([info(0), info(1), info(2)]);
    expect(titles()).toEqual(["Talk 0", "Talk 1", "Talk 2"]);
    expect(document.activeElement).toBe(rows()[1]);
    expect(element.querySelector(".streamchat-undo")).toBeNull();
  });

  it("shows again what was restored elsewhere", async () => {
    await told([info(0), info(1)]);
    rows()[1]?.focus();
    press("Delete");
    await ok("delete", { restorable_s: 600 });
    await told([info(0)]);
    transport.last.say({ type: "stale" });
    await pass(GAP_MS);
    await told([info(0), info(1)]);
    expect(titles()).toEqual(["Talk 0", "Talk 1"]);
  });

  it("offers Undo for some seconds, and for as long as somebody is at it", async () => {
    await told([info(0), info(1)]);
    rows()[1]?.focus();
    press("Delete");
    await ok("delete", { restorable_s: 600 });
    await told([info(0)]);
    named("Undo").dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
    await pass(30_000);
    expect(element.querySelector(".streamchat-undo")).not.toBeNull();
    named("Undo").dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
    await pass(10_100);
    expect(element.querySelector(".streamchat-undo")).toBeNull();
  });

  it("shows again what could not be deleted, and why", async () => {
    await told([info(0), info(1)]);
    rows()[0]?.focus();
    press("Delete");
    await pass();
    const error = { code: "internal" as const, message: "The disk is full.", retryable: true };
    transport.last.say({ type: "fail", id: asked("delete")?.id ?? "", error });
    await told([info(0), info(1)]);
    expect(titles()).toEqual(["Talk 0", "Talk 1"]);
    expect(element.querySelector("[role=alert]")?.textContent).toBe("The disk is full.");
    expect(element.querySelector(".streamchat-undo")).toBeNull();
  });

  it("exports what the relay writes", async () => {
    const made: Blob[] = [];
    vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => (made.push(blob as Blob), "blob:x"));
    const clicked = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => undefined);
    await told([info(0)]);
    named("More for Talk 0").click();
    await pass();
    named("Export as Markdown").click();
    await pass();
    expect(asked("export")).toMatchObject({ conversation: "c0", form: "md" });
    transport.last.say({ type: "ok", id: asked("export")?.id ?? "", name: "Talk 0.md", text: "# Talk 0\n" });
    await pass();
    expect(clicked.mock.contexts.map((link) => (link as HTMLAnchorElement).download)).toEqual(["Talk 0.md"]);
    expect(await made[0]?.text()).toBe("# Talk 0\n");
    vi.restoreAllMocks();
  });
});
