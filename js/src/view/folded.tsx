/** Something that is shown when somebody asks for it. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

/** Its content is made only when somebody looks. */
export function Folded({ label, children }: { label: ComponentChildren; children: ComponentChildren }) {
  const [open, set] = useState(false);
  return (
    <details class="streamchat-folded" onToggle={(event) => set(event.currentTarget.open)}>
      <summary>{label}</summary>
      {open && <div class="streamchat-folded-content">{children}</div>}
    </details>
  );
}
