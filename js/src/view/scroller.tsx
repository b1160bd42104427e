/** A scrolling list that follows its growing end only while the person is there. */

import type { ComponentChildren, Ref } from "preact";
import { useCallback, useImperativeHandle, useLayoutEffect, useRef, useState } from "preact/hooks";
import { DownIcon } from "./icons.tsx";
import * as strings from "./strings.ts";

/** How near the end counts as there, in pixels. */
const NEAR = 32;

/** What others may do with the list. */
export interface ScrollerHandle {
  focus(): void;
  /** Before a change: what stands there now is not to move; `find` finds it in the changed list. */
  hold(find: (list: HTMLElement) => Element | null): void;
}

interface Props {
  readonly handle: Ref<ScrollerHandle>;
  /** Grows whenever the end must be shown, wherever the person is: they sent something. */
  readonly jumps: number;
  readonly children: ComponentChildren;
}

export function Scroller({ handle, jumps, children }: Props) {
  const outer = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const [away, setAway] = useState(false);
  const held = useRef<{ readonly top: number; readonly find: (list: HTMLElement) => Element | null } | null>(null);

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

  // After each drawing: there may be something that was not to move.
  useLayoutEffect(() => {
    const list = outer.current;
    if (held.current === null || list === null) return;
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
  }, []);

  useLayoutEffect(() => {
    const list = outer.current;
    const content = inner.current;
    if (list === null || content === null) return undefined;
    const lifetime = new AbortController();
    let last = list.scrollTop;
    const onScroll = (): void => {
      const left = list.scrollHeight - list.scrollTop - list.clientHeight;
      // Going up is leaving, from its first pixels on: growth must not pull back a person who has
      // begun to scroll. Content that grows under a person who stays is not leaving.
      if (list.scrollTop < last && left > 1) following.current = false;
      else if (left <= NEAR) following.current = true;
      last = list.scrollTop;
      setAway(!following.current);
    };
    list.addEventListener("scroll", onScroll, { passive: true, signal: lifetime.signal });
    // The wheel speaks before the list moves; growth in between would end the scrolling at once.
    const onWheel = (event: WheelEvent): void => {
      if (event.deltaY < 0 && list.scrollTop > 0) following.current = false;
    };
    list.addEventListener("wheel", onWheel, { passive: true, signal: lifetime.signal });
    const growth = new ResizeObserver(() => {
      if (!following.current) return;
      list.scrollTop = list.scrollHeight;
      last = list.scrollTop;
    });
    growth.observe(content);
    growth.observe(list);
    return () => {
      lifetime.abort();
      growth.disconnect();
    };
  }, []);

  useLayoutEffect(toEnd, [jumps, toEnd]);

  return (
    <div class="streamchat-scroller">
      <div class="streamchat-list" ref={outer} tabIndex={0} role="region" aria-label={strings.conversation()}>
        <div class="streamchat-messages" ref={inner}>
          {children}
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
