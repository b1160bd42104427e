/** Something that is shown when somebody asks for it. */

import type { ComponentChildren } from "preact";
import { useContext, useState } from "preact/hooks";
import { KeptContext } from "./kept.ts";

interface Props {
  /** By which it is known when it comes back to the screen; absent where it then is folded again. */
  readonly name?: string;
  readonly label: ComponentChildren;
  readonly children: ComponentChildren;
}

/** Its content is made only when somebody looks. */
export function Folded({ name, label, children }: Props) {
  const kept = useContext(KeptContext);
  const [open, set] = useState((name !== undefined && kept?.unfolded(name)) ?? false);
  return (
    <details
      class="streamchat-folded"
      open={open}
      onToggle={(event) => {
        if (name !== undefined) kept?.unfold(name, event.currentTarget.open);
        set(event.currentTarget.open);
      }}
    >
      <summary>{label}</summary>
      {open && <div class="streamchat-folded-content">{children}</div>}
    </details>
  );
}
