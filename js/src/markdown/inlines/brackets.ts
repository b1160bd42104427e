/** What stands in brackets: links and images, from `[` or `![` to what their `]` leads to. */

import { resolveInside } from "./attention.ts";
import type { Draft } from "./draft.ts";
import { LONGEST_WAIT } from "./formula.ts";
import { labelEnd, normalized, resource } from "./link.ts";
import { plainText, type Bracket } from "./tree.ts";

export interface Target {
  readonly address: string;
  readonly title: string | null;
}

/** What labels lead to. */
export interface Labels {
  /** The target of a normalized label. */
  target(label: string): Target | undefined;
  /** A label that has no target yet would have been used. */
  wanted(label: string): void;
}

export class Brackets {
  readonly #draft: Draft;
  readonly #labels: Labels;
  /** Where in the draft's items the open ones are. */
  readonly #places: number[] = [];

  constructor(draft: Draft, labels: Labels) {
    [this.#draft, this.#labels] = [draft, labels];
  }

  get open(): boolean {
    return this.#places.length > 0;
  }

  begin(image: boolean): void {
    const length = image ? 2 : 1;
    this.#draft.push({ type: "bracket", image, inside: this.#draft.at + length, active: true }, length);
    this.#places.push(this.#draft.items.length - 1);
  }

  close(): boolean {
    const draft = this.#draft;
    const place = this.#places.at(-1);
    const item = place === undefined ? undefined : draft.items[place];
    if (place === undefined || item?.value.type !== "bracket") {
      draft.at += 1;
      return true;
    }
    const bracket = item.value;
    const target = bracket.active ? this.#target(bracket) : null;
    if (target === undefined) return this.#wait(place);
    this.#places.pop();
    if (target === null) {
      item.value = written(bracket);
      draft.at += 1;
      return true;
    }
    draft.flush(draft.at);
    const children = resolveInside(draft.items.splice(place + 1));
    const { address, title, to } = target;
    item.to = to;
    item.value = bracket.image
      ? { type: "image", address, title, alt: plainText(children) }
      : { type: "link", address, title, children };
    draft.at = to;
    draft.plain = to;
    if (!bracket.image) this.#deactivate();
    return true;
  }

  /** The text ends: those that may still be closed are held back, and the others are text. */
  finish(): void {
    const draft = this.#draft;
    const first = this.#places[0];
    const from = first === undefined ? undefined : draft.items[first]?.from;
    if (first !== undefined && from !== undefined && !draft.final) {
      if (draft.end - from < LONGEST_WAIT) this.#wait(first);
      else draft.unsettled(from);
    }
    for (const place of this.#places) {
      const item = draft.items[place];
      if (item?.value.type === "bracket") item.value = written(item.value);
    }
  }

  /** No link is in a link. */
  #deactivate(): void {
    for (const place of this.#places) {
      const value = this.#draft.items[place]?.value;
      if (value?.type === "bracket" && !value.image) value.active = false;
    }
  }

  /** What the bracket that closes here leads to; undefined while that depends on what comes. */
  #target(bracket: Bracket): (Target & { readonly to: number }) | null | undefined {
    const { text, at, end, final } = this.#draft;
    const next = at + 1;
    const waits = !final && end - bracket.inside < LONGEST_WAIT;
    if (next >= end && waits) return undefined;
    const label = normalized(text.slice(bracket.inside, at));
    const own = label.length < LONGEST_WAIT ? this.#labels.target(label) : undefined;
    if (text[next] === "(" && next < end) {
      const found = resource(text, next, end);
      if (found) return found;
      if (found === undefined && waits) return undefined;
    } else if (text[next] === "[" && next < end) {
      const to = labelEnd(text, next, end);
      if (to === undefined && waits) return undefined;
      if (to) {
        const other = normalized(text.slice(next + 1, to - 1));
        const target = this.#labels.target(other);
        if (target) return { ...target, to };
        this.#labels.wanted(other);
      }
      const collapsed = text[next + 1] === "]" && next + 1 < end;
      if (own && !collapsed) return null;
      if (own) return { ...own, to: next + 2 };
    }
    if (own) return { ...own, to: next };
    if (label !== "") this.#labels.wanted(label);
    return null;
  }

  /** End before an open bracket. */
  #wait(place: number): false {
    const draft = this.#draft;
    draft.unsettled(draft.items[place]?.from ?? draft.end);
    draft.items.length = place;
    this.#places.length = this.#places.indexOf(place);
    draft.plain = draft.end;
    return false;
  }
}

const written = ({ image }: Bracket) => ({ type: "text", value: image ? "![" : "[" }) as const;
