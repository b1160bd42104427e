/** What happens to this conversation in other views of it, quietly. */

import type { Connection } from "../connection.ts";
import type { ConversationStore } from "../conversation.ts";
import { visible } from "../markdown/index.ts";
import type { View } from "../protocol/frames.gen.ts";
import { EyeIcon } from "./icons.tsx";
import * as strings from "./strings.ts";

interface Props {
  readonly connection: Connection;
  readonly store: ConversationStore;
}

/** That somebody types in another view; where it stands nothing moves for it. */
export function TypingElsewhere({ connection, store }: Props) {
  const typing = store.views.filter((view) => view.typing);
  const first = typing.find((view) => !mine(connection, view)) ?? typing[0];
  if (first === undefined) return null;
  const words = mine(connection, first) ? strings.typingElsewhere() : strings.typingBy(name(first));
  return (
    <div class="streamchat-elsewhere" title={words}>
      {words}
    </div>
  );
}

/** That another view has shown all there is. */
export function SeenElsewhere({ connection, store }: Props) {
  const seen = store.views.filter((view) => (view.seen ?? 0) >= store.settled);
  if (seen.length === 0) return null;
  const others = seen.filter((view) => !mine(connection, view));
  const words = others.length === 0 ? strings.seenElsewhere() : strings.seenBy([...new Set(others.map(name))].join(", "));
  return (
    <span class="streamchat-seen" role="img" aria-label={words} title={words}>
      <EyeIcon />
    </span>
  );
}

/** A person's own tabs are not told by the person's name. */
function mine(connection: Connection, view: View): boolean {
  return view.user === connection.user;
}

function name({ user }: View): string {
  return visible(user.replace(/^user:/, ""));
}
