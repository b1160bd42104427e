/** The arrows between the versions of a prompt or an answer. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { BackIcon, ForthIcon } from "./icons.tsx";
import { plain } from "./numbers.ts";
import * as strings from "./strings.ts";

export type Direction = "back" | "forth";

interface Props {
  /** The message that is shown, and those in its place, oldest first. */
  readonly id: string;
  readonly siblings: readonly string[];
  /** The arrow by which the person came here: it goes on being theirs. */
  readonly cameBy: Direction | undefined;
  readonly onChoose: (id: string, by: Direction) => void;
}

export function Branches({ id, siblings, cameBy, onChoose }: Props) {
  const arrows = { back: useRef<HTMLButtonElement>(null), forth: useRef<HTMLButtonElement>(null) };
  useLayoutEffect(() => {
    if (cameBy !== undefined) arrows[cameBy].current?.focus({ preventScroll: true });
    // Only when these arrows come, not whenever they are drawn.
  }, []);
  const index = siblings.indexOf(id);
  const [number, of] = [plain(index + 1), plain(siblings.length)];
  const arrow = (by: Direction, to: string | undefined) => (
    <button
      ref={arrows[by]}
      type="button"
      class="streamchat-icon"
      aria-label={by === "back" ? strings.previousVersion() : strings.nextVersion()}
      title={by === "back" ? strings.previousVersion() : strings.nextVersion()}
      // One that is disabled would lose the focus at the end.
      aria-disabled={to === undefined}
      onClick={() => to !== undefined && onChoose(to, by)}
    >
      {by === "back" ? <BackIcon /> : <ForthIcon />}
    </button>
  );
  return (
    <span class="streamchat-branches" data-first={siblings[0]} role="group" aria-label={strings.version(number, of)}>
      {arrow("back", siblings[index - 1])}
      <span aria-hidden="true">
        {number}/{of}
      </span>
      {arrow("forth", siblings[index + 1])}
    </span>
  );
}
