/** The list of messages: it follows its growing end only while the person is there, and mounts only what is near. */

import { Fragment, type ComponentChildren, type Ref } from "preact";
import { useCallback, useImperativeHandle, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import { drawNow } from "./hooks.ts";
import { DownIcon } from "./icons.tsx";
import { Mounting, type Row, type Segment } from "./mounting.ts";
import { pinnedRows, rowOf } from "./pinned.ts";
import * as strings from "./strings.ts";

/** How near the end counts as there, in pixels. */
const NEAR = 32;
/** As the style sheet has it between two rows. */
const GAP = 14;
/** So many rows are all mounted, for a browser has no trouble with them. */
const FEW = 40;
/** So much above and below what is seen is mounted. Half of it may be used up before the next drawing. */
const MARGIN = 900;
/** So much of what is seen a key scrolls. */
const PAGE = 0.85;
/** What is seen, until that is known. */
const SEEN = 620;

/** What others may do with the list. */
export interface ScrollerHandle {
  focus(): void;
  /** Before a change: what stands there now is not to move; `find` finds it in the changed list. */
  hold(find: (list: HTMLElement) => Element | null): void;
}

/** Which message of how many: those that are not mounted count, too. */
export interface Place {
  readonly "aria-posinset": number;
  readonly "aria-setsize": number;
}

export interface DrawnRow extends Row {
  /** What of it the browser's search finds while it is not mounted. */
  readonly text: string;
  draw(place: Place): ComponentChildren;
}

interface Props {
  readonly handle: Ref<ScrollerHandle>;
  /** Grows whenever the end must be shown, wherever the person is: they sent something. */
  readonly jumps: number;
  /** Above the first row. */
  readonly head: ComponentChildren;
  readonly rows: readonly DrawnRow[];
}

export function Scroller({ handle, jumps, head, rows }: Props) {
  const outer = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const feed = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const [away, setAway] = useState(false);
  const [, again] = useReducer((count: number) => count + 1, 0);
  const [mounting] = useState(() => new Mounting(GAP));
  const held = useRef<{ readonly top: number; readonly find: (list: HTMLElement) => Element | null } | null>(null);
  /** Why all rows are mounted: they are printed, or all of them are selected. */
  const whole = useRef<"printed" | "selected" | null>(null);
  const seen = useRef(SEEN);
  /** Where the list was scrolled when that was looked at last. */
  const known = useRef(0);
  const drawn = useRef<readonly Segment[]>([]);
  /** The person came to rows that were not mounted: no browser can have kept them in place. */
  const jumped = useRef(false);
  const goal = useRef<{ readonly key: string; readonly focus: boolean } | null>(null);
  const rowSizes = useRef<ResizeObserver | null>(null);

  const pinned = rows.length > FEW ? pinnedRows(feed.current) : new Set<string>();
  mounting.rows = rows.map(({ key, guess, pinned: own }) => ({ key, guess, pinned: own || pinned.has(key) }));
  const segments = (): readonly Segment[] => {
    if (following.current) mounting.scrolled(mounting.height - seen.current);
    if (rows.length <= FEW || whole.current !== null) return rows.map((_, index) => ({ kind: "row", index }));
    return mounting.segments(seen.current, MARGIN);
  };
  drawn.current = segments();

  const settle = useRef(() => undefined as void);
  /** Measure what is mounted; then draw again where other rows are near by now, or put the list where it belongs. */
  settle.current = (): void => {
    const list = outer.current;
    const content = feed.current;
    if (list === null || content === null) return;
    const kept = getComputedStyle(list).overflowAnchor === "auto";
    // Who has scrolled since is told of later, and is not to be taken back.
    if (!kept && !following.current) mounting.scrolled(mounting.top() + list.scrollTop - known.current);
    known.current = list.scrollTop;
    // Where all are mounted no height is needed, but soon.
    for (const row of rows.length > FEW / 2 ? content.children : []) {
      const key = (row as HTMLElement).dataset["entry"];
      if (key === undefined) continue;
      rowSizes.current?.observe(row);
      mounting.measured(key, row.getBoundingClientRect().height);
    }
    if (!same(segments(), drawn.current)) again(undefined);
    if (following.current) list.scrollTop = list.scrollHeight;
    else if (jumped.current || !kept) {
      const left = feedTop(list, content) + mounting.top() - list.scrollTop;
      if (Math.abs(left) >= 1) list.scrollTop += left;
    }
    known.current = list.scrollTop;
  };

  const goTo = useCallback((index: number, focus: boolean): void => {
    const key = mounting.rows[index]?.key;
    if (key === undefined) return;
    following.current = false;
    goal.current = { key, focus };
    const row = rowOf(feed.current, key);
    if (row === null) {
      jumped.current = true;
      mounting.scrolled(mounting.top(index));
    }
    again(undefined);
  }, []);

  useImperativeHandle(handle, () => ({
    focus: () => outer.current?.focus({ preventScroll: true }),
    hold: (find) => {
      const list = outer.current;
      const element = list === null ? null : find(list);
      if (element === null) return;
      following.current = false;
      held.current = { top: element.getBoundingClientRect().top, find };
    },
  }));

  // After each drawing: there may be something that was not to move, or that somebody wants to see.
  useLayoutEffect(() => {
    const list = outer.current;
    if (list === null) return;
    settle.current();
    if (goal.current !== null) {
      const row = rowOf(feed.current, goal.current.key);
      if (row !== null) {
        row.scrollIntoView({ block: row.offsetHeight > seen.current ? "start" : "nearest" });
        if (goal.current.focus) (row.firstElementChild as HTMLElement | null)?.focus({ preventScroll: true });
        goal.current = null;
      }
    }
    if (held.current === null) return;
    const { top, find } = held.current;
    const element = find(list);
    held.current = null;
    if (element !== null) list.scrollTop += element.getBoundingClientRect().top - top;
    following.current = list.scrollHeight - list.scrollTop - list.clientHeight <= 1;
    setAway(!following.current);
  });

  const toEnd = useCallback(() => {
    following.current = true;
    setAway(false);
    const list = outer.current;
    if (list !== null) list.scrollTop = list.scrollHeight;
    again(undefined);
  }, []);

  useLayoutEffect(() => {
    const list = outer.current;
    const content = inner.current;
    const messages = feed.current;
    if (list === null || content === null || messages === null) return undefined;
    const lifetime = new AbortController();
    const { signal } = lifetime;
    let last = list.scrollTop;
    const onScroll = (): void => {
      const left = list.scrollHeight - list.scrollTop - list.clientHeight;
      // Going up is leaving, from its first pixels on: growth must not pull back a person who has
      // begun to scroll. Content that grows under a person who stays is not leaving.
      if (list.scrollTop < last && left > 1) following.current = false;
      else if (left <= NEAR) following.current = true;
      last = list.scrollTop;
      setAway(!following.current);
      known.current = list.scrollTop;
      const top = list.scrollTop - feedTop(list, messages);
      mounting.scrolled(top);
      jumped.current = !covered(mounting.within(top, top), drawn.current);
      if (!covered(mounting.within(top - MARGIN / 2, top + seen.current + MARGIN / 2), drawn.current)) again(undefined);
    };
    list.addEventListener("scroll", onScroll, { passive: true, signal });
    // The wheel speaks before the list moves; growth in between would end the scrolling at once.
    const onWheel = (event: WheelEvent): void => {
      if (event.deltaY < 0 && list.scrollTop > 0) following.current = false;
    };
    list.addEventListener("wheel", onWheel, { passive: true, signal });
    let width = list.clientWidth;
    const growth = new ResizeObserver(() => {
      // On paper all is seen.
      if (whole.current !== "printed") seen.current = list.clientHeight || SEEN;
      if (list.clientWidth !== width) {
        width = list.clientWidth;
        mounting.forget(new Set([...messages.children].map((row) => (row as HTMLElement).dataset["entry"] ?? "")));
      }
      settle.current();
      last = list.scrollTop;
    });
    growth.observe(content);
    growth.observe(list);
    const sizes = new ResizeObserver(() => settle.current());
    rowSizes.current = sizes;
    settle.current();

    const show = (why: "printed" | "selected" | null) => (): void => {
      whole.current = why;
      drawNow(() => again(undefined));
    };
    addEventListener("beforeprint", show("printed"), { signal });
    addEventListener("afterprint", show(null), { signal });
    const paper = matchMedia("print");
    paper.addEventListener("change", () => show(paper.matches ? "printed" : null)(), { signal });
    // What is selected has to be there to be copied.
    const onKeyDown = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "a" || editable(event.target)) return;
      event.preventDefault();
      show("selected")();
      document.getSelection()?.selectAllChildren(messages);
    };
    list.addEventListener("keydown", onKeyDown, { signal });
    const onSelection = (): void => {
      if (whole.current !== "selected") return;
      const selection = document.getSelection();
      if (selection !== null && !selection.isCollapsed && messages.contains(selection.anchorNode)) return;
      whole.current = null;
      again(undefined);
    };
    document.addEventListener("selectionchange", onSelection, { signal });
    // The browser's search has found something in what is not mounted.
    const onMatch = ({ target }: globalThis.Event): void => {
      const { unmounted } = (target as HTMLElement).dataset;
      goTo(mounting.rows.findIndex(({ key }) => key === unmounted), false);
    };
    messages.addEventListener("beforematch", onMatch, { signal });
    return () => {
      lifetime.abort();
      growth.disconnect();
      sizes.disconnect();
    };
  }, []);

  useLayoutEffect(toEnd, [jumps, toEnd]);

  /** Through the messages as through a feed; where one goes on beyond what is seen, it is scrolled first. */
  const onKeyDown = (event: KeyboardEvent): void => {
    const list = outer.current;
    const row = (event.target as HTMLElement).closest<HTMLElement>("[data-entry]");
    if (list === null || row === null || editable(event.target)) return;
    const index = mounting.rows.findIndex(({ key }) => key === row.dataset["entry"]);
    const [box, view] = [row.getBoundingClientRect(), list.getBoundingClientRect()];
    if (event.ctrlKey && (event.key === "Home" || event.key === "End")) goTo(event.key === "Home" ? 0 : rows.length - 1, true);
    else if (event.ctrlKey || event.altKey || event.shiftKey || event.metaKey) return;
    else if (event.key === "PageDown" && box.bottom > view.bottom + 1) list.scrollTop += PAGE * view.height;
    else if (event.key === "PageUp" && box.top < view.top - 1) list.scrollTop -= PAGE * view.height;
    else if (event.key === "PageDown") goTo(index + 1, true);
    else if (event.key === "PageUp") goTo(index - 1, true);
    else return;
    event.preventDefault();
  };

  return (
    <div class="streamchat-scroller">
      <div class="streamchat-list" ref={outer} tabIndex={0} role="region" aria-label={strings.conversation()}>
        <div class="streamchat-messages" ref={inner}>
          {head}
          <div class="streamchat-feed" ref={feed} role="feed" aria-label={strings.messages()} onKeyDown={onKeyDown}>
            {drawn.current.map((one) => (one.kind === "gap" ? unmounted(one, rows) : mounted(one.index, rows)))}
          </div>
        </div>
      </div>
      {away && (
        <button type="button" class="streamchat-latest" onClick={toEnd}>
          <DownIcon /> {strings.jumpToLatest()}
        </button>
      )}
    </div>
  );
}

function mounted(index: number, rows: readonly DrawnRow[]) {
  const row = rows[index];
  if (row === undefined) return null;
  return (
    <div key={row.key} data-entry={row.key} class="streamchat-row">
      {row.draw({ "aria-posinset": index + 1, "aria-setsize": rows.length })}
    </div>
  );
}

/** As high as its rows. Their text is there for the browser's search, which has a place to go to; nothing is laid out. */
function unmounted({ from, to, height }: Segment & { kind: "gap" }, rows: readonly DrawnRow[]) {
  return (
    <div key={`gap-${rows[from]?.key}`} class="streamchat-gap" style={{ height: `${height}px` }}>
      {rows.slice(from, to).map(({ key, text }) => (
        <Fragment key={key}>
          <div hidden={"until-found" as unknown as boolean} data-unmounted={key}>
            {text}
          </div>
        </Fragment>
      ))}
    </div>
  );
}

/** Where the first row begins in what is scrolled. */
function feedTop(list: HTMLElement, feed: HTMLElement): number {
  return feed.getBoundingClientRect().top - list.getBoundingClientRect().top + list.scrollTop;
}

function covered({ from, to }: { readonly from: number; readonly to: number }, drawn: readonly Segment[]): boolean {
  return !drawn.some((one) => one.kind === "gap" && one.from < to && one.to > from);
}

function same(one: readonly Segment[], other: readonly Segment[]): boolean {
  return (
    one.length === other.length &&
    one.every((segment, at) => {
      const its = other[at];
      if (segment.kind === "row") return its?.kind === "row" && its.index === segment.index;
      return its?.kind === "gap" && its.from === segment.from && its.to === segment.to && Math.abs(its.height - segment.height) < 1;
    })
  );
}

function editable(target: EventTarget | null): boolean {
  return (target as HTMLElement | null)?.closest?.("textarea, input, select, [contenteditable=true]") != null;
}
