/** Says to who cannot see it how the newest answer stands, and reads it by whole sentences while it comes. */

import { useEffect, useReducer, useRef } from "preact/hooks";
import type { ConversationStore } from "../conversation.ts";
import { ended } from "../model/reduce.ts";
import { pagePreferences } from "../preferences.ts";
import { language } from "../translation.ts";
import { useChanges } from "./hooks.ts";
import type { Entry } from "./shown.ts";
import { Speaker } from "./speaker.ts";
import { Spoken } from "./spoken.ts";
import * as strings from "./strings.ts";
import { ending, progress } from "./words.ts";

interface Props {
  readonly store: ConversationStore;
  /** What stands last. */
  readonly entry: Entry | undefined;
  /** The answer that is being written; absent where none is, or where it was told to stop. */
  readonly run: string | undefined;
}

export function Announcer({ store, entry, run }: Props) {
  const preferences = pagePreferences();
  useChanges(preferences);
  const words = standing(store, entry);
  const told = useRef(words);
  const [said, say] = useReducer((before: { readonly text: string; readonly count: number }, text: string) => ({ text, count: before.count + 1 }), {
    text: words,
    count: 0,
  });
  const rest = useRef("");
  /** The run of which something was read. */
  const reading = useRef("");
  /** What ran when the conversation came: nobody wants to hear all of it. */
  const old = useRef<ReadonlySet<string> | null>(null);
  if (store.loaded) old.current ??= new Set(Object.keys(store.state.runs));
  const aloud = preferences.value.readAloud;

  useEffect(() => {
    if (run === undefined || !aloud) return undefined;
    const lifetime = new AbortController();
    const read = (text: string): void => {
      reading.current = run;
      say(text);
    };
    const reader = new Reader(store, run, read, old.current?.has(run) ?? false, lifetime.signal);
    return () => {
      lifetime.abort();
      // Who stops an answer has heard enough.
      rest.current = store.stopping.has(run) ? "" : reader.rest();
    };
  }, [store, run, aloud]);

  useEffect(() => {
    const left = rest.current;
    rest.current = "";
    // Who hears the answer knows that it comes.
    const known = words === strings.answering() && run !== undefined && reading.current === run;
    const news = words !== told.current && !known;
    told.current = words;
    if (news || left !== "") say([left, news ? words : strings.complete()].filter(Boolean).join(" "));
  });

  return (
    <div class="streamchat-unseen" role="status" aria-live="polite" aria-atomic="true">
      {/* Another element, for what is said twice is news twice. */}
      <span key={said.count}>{said.text}</span>
    </div>
  );
}

function standing(store: ConversationStore, entry: Entry | undefined): string {
  if (entry?.kind !== "answer") return "";
  const { record, message, held, run } = entry;
  return record !== undefined && ended(record)
    ? (ending(record)?.text ?? strings.complete())
    : progress(record, held, store.stopping.has(run), message?.parts ?? []) || strings.answering();
}

/** Reads one answer's text, from what it has by now on. */
class Reader {
  readonly #store: ConversationStore;
  readonly #run: string;
  readonly #speaker: Speaker;
  #part = "";
  #spoken = made();
  #read = 0;
  #left: string[] = [];

  constructor(store: ConversationStore, run: string, say: (text: string) => void, silent: boolean, signal: AbortSignal) {
    [this.#store, this.#run] = [store, run];
    this.#speaker = new Speaker(say);
    this.#catchUp(silent);
    store.onDelta(run, (delta) => (delta === null ? this.#catchUp(false) : this.#push(delta.part, delta.text)), signal);
  }

  /** What was not said yet; nothing more is. */
  rest(): string {
    this.#left.push(...this.#speaker.stop(), ...this.#spoken.end());
    return this.#left.splice(0).join(" ");
  }

  #catchUp(silent: boolean): void {
    for (const { id = "", text } of this.#texts()) {
      const from = id === this.#part ? this.#read : 0;
      if (text.length > from) this.#push(id, text.slice(from), silent);
    }
  }

  #push(part: string, text: string, silent = false): void {
    if (!this.#texts().some(({ id }) => id === part)) return;
    const sentences: string[] = [];
    if (part !== this.#part) {
      sentences.push(...this.#spoken.end());
      [this.#part, this.#spoken, this.#read] = [part, made(), 0];
    }
    this.#read += text.length;
    sentences.push(...this.#spoken.push(text));
    if (!silent) this.#speaker.push(sentences);
  }

  /** Its texts; thoughts are not read. */
  #texts() {
    const message = this.#store.state.messages.findLast(({ run, role }) => run === this.#run && role === "assistant");
    return message?.parts.filter((part) => part.type === "text") ?? [];
  }
}

function made(): Spoken {
  return new Spoken(language.tag, { code: strings.codeBlock, formula: strings.formula });
}
