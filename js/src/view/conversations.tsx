/** The list of past conversations: found, opened, named, exported, deleted and restored. */

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Connection } from "../connection.ts";
import { visible } from "../markdown/index.ts";
import type { ConversationInfo } from "../protocol/frames.gen.ts";
import { language } from "../translation.ts";
import { group } from "./ages.ts";
import { composing, useChanges } from "./hooks.ts";
import { PlusIcon } from "./icons.tsx";
import { Listing } from "./listing.ts";
import { full } from "./numbers.ts";
import { Row } from "./row.tsx";
import { Notice } from "./status.tsx";
import * as strings from "./strings.ts";
import { Undo } from "./undo.tsx";

/** Ages are told anew so often. */
const AGE_MS = 30_000;
/** Older ones are fetched when so much is left below, in pixels. */
const AHEAD = 400;

interface Props {
  readonly connection: Connection;
  /** The conversation that is open beside the list. */
  readonly current: string;
  readonly onOpen: (id: string) => void;
  readonly onNew: () => void;
}

export function Conversations({ connection, current, onOpen, onNew }: Props) {
  useChanges(connection);
  useChanges(language);
  const { listing, lifetime } = useMemo(() => {
    const own = new AbortController();
    return { listing: new Listing(connection, own.signal), lifetime: own };
  }, [connection]);
  useEffect(() => () => lifetime.abort(), [lifetime]);
  useChanges(listing);
  const now = useAge();
  const search = useRef<HTMLInputElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const [renaming, setRenaming] = useState("");
  /** The row that Tab leads to. */
  const [reached, setReached] = useState("");
  const wanted = useRef("");

  const { items } = listing;
  const row = (id: string): HTMLElement | undefined =>
    [...(scroller.current?.querySelectorAll<HTMLElement>("[data-conversation]") ?? [])].find((one) => one.dataset["conversation"] === id);
  const focus = (id: string): void => {
    setReached(id);
    row(id)?.focus();
  };
  // What is to have the focus may not have been drawn until now.
  useLayoutEffect(() => {
    if (wanted.current === "") return;
    const found = row(wanted.current);
    if (found === undefined) return;
    wanted.current = "";
    setReached(found.dataset["conversation"] ?? "");
    found.focus();
  });
  // A list that does not fill its place cannot be scrolled.
  const further = (): void => {
    const list = scroller.current;
    if (list !== null && list.scrollHeight - list.scrollTop - list.clientHeight < AHEAD) void listing.further();
  };
  useEffect(further, [items]);

  const remove = (id: string): void => {
    const at = items.findIndex((one) => one.id === id);
    const next = items[at + 1] ?? items[at - 1];
    const had = scroller.current?.contains(document.activeElement) ?? false;
    void listing.remove(id);
    if (!had) return;
    if (next === undefined) search.current?.focus();
    else wanted.current = next.id;
  };

  const onKeyDown = (event: KeyboardEvent, at: number): void => {
    const { id } = items[at] ?? { id: "" };
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) {
      const next = items[to];
      if (next !== undefined) focus(next.id);
      else if (to < 0) search.current?.focus();
    } else if (event.key === "F2") setRenaming(id);
    // Keyboards of Macs have the other one.
    else if (event.key === "Delete" || (event.key === "Backspace" && event.metaKey)) remove(id);
    else return;
    event.preventDefault();
  };

  const rest = items.some((one) => one.id === reached) ? reached : (items.find((one) => one.id === current) ?? items[0])?.id;
  const { status } = connection;
  const problem = status.kind === "ended" ? status.reason : listing.problem;
  const searching = listing.words.trim() !== "";
  return (
    <nav class="streamchat-past" aria-label={strings.conversations()}>
      <div class="streamchat-past-head">
        <input
          ref={search}
          type="search"
          value={listing.words}
          placeholder={strings.searchConversations()}
          aria-label={strings.searchConversations()}
          maxLength={200}
          onInput={(event) => listing.search(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (composing(event)) return;
            if (event.key === "ArrowDown" && items[0] !== undefined) focus(items[0].id);
            else if (event.key === "Escape" && listing.words !== "") listing.search("");
            else return;
            event.preventDefault();
          }}
        />
        <button type="button" class="streamchat-icon" aria-label={strings.newConversation()} title={strings.newConversation()} onClick={onNew}>
          <PlusIcon />
        </button>
      </div>
      {problem !== null && <Notice text={problem.message} />}
      <div ref={scroller} class="streamchat-past-list" aria-busy={listing.words !== listing.toldFor} onScroll={further}>
        {groups(items, now).map(([name, those]) => (
          <section key={name}>
            <h3>{name}</h3>
            <ul>
              {those.map((one) => (
                <Row
                  key={one.id}
                  one={one}
                  now={now}
                  open={one.id === current}
                  reached={one.id === rest}
                  renaming={one.id === renaming}
                  onOpen={() => onOpen(one.id)}
                  onKeyDown={(event) => onKeyDown(event, items.indexOf(one))}
                  onFocus={() => setReached(one.id)}
                  onRename={() => setRenaming(one.id)}
                  onRenamed={(title, byKey) => {
                    setRenaming("");
                    if (byKey) wanted.current = one.id;
                    if (title !== null && title.trim() !== (one.title ?? "")) void listing.rename(one.id, title.trim());
                  }}
                  onExport={(form) => void listing.save(one.id, form)}
                  onDelete={() => remove(one.id)}
                />
              ))}
            </ul>
          </section>
        ))}
        {items.length === 0 && (
          <p class="streamchat-past-empty">
            {!listing.loaded
              ? problem === null && strings.loadingConversations()
              : listing.toldFor.trim() === ""
                ? strings.noConversations()
                : strings.nothingFound(visible(listing.toldFor.trim()))}
          </p>
        )}
      </div>
      {listing.deletion !== null && (
        <Undo
          key={listing.deletion.id}
          deletion={listing.deletion}
          onUndo={() => {
            wanted.current = listing.deletion?.id ?? "";
            void listing.undo();
          }}
          onOver={(deletion) => listing.forget(deletion)}
        />
      )}
      <div class="streamchat-unseen" role="status" aria-live="polite">
        {searching && listing.words === listing.toldFor && strings.foundCount(items.length, full(items.length))}
      </div>
    </nav>
  );
}

/** Those of the same time together, in their order. */
function groups(items: readonly ConversationInfo[], now: number): [string, ConversationInfo[]][] {
  const found: [string, ConversationInfo[]][] = [];
  for (const one of items) {
    const name = group(one.used * 1000, now);
    const last = found.at(-1);
    if (last?.[0] === name) last[1].push(one);
    else found.push([name, [one]]);
  }
  return found;
}

function useAge(): number {
  const [now, set] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), AGE_MS);
    return () => clearInterval(timer);
  }, []);
  return Math.max(now, Date.now());
}
