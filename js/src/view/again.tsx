/** Another answer to the same prompt, by the model that is picked or by another one. */

import { useRef, useState } from "preact/hooks";
import type { Connection } from "../connection.ts";
import { MoreIcon, RetryIcon } from "./icons.tsx";
import { Menu } from "./menu.tsx";
import { modelName } from "./picker.tsx";
import * as strings from "./strings.ts";

interface Props {
  readonly connection: Connection;
  /** The model that answers where none is chosen. */
  readonly model: string;
  /** Words beside the picture, where the answer failed. */
  readonly label?: string;
  readonly onAgain: (model?: string) => void;
}

export function Again({ connection, model, label, onAgain }: Props) {
  const [open, setOpen] = useState(false);
  const more = useRef<HTMLButtonElement>(null);
  const name = label ?? strings.regenerate();
  const close = (): void => {
    setOpen(false);
    more.current?.focus({ preventScroll: true });
  };
  return (
    <span class="streamchat-again">
      <button
        type="button"
        class={label === undefined ? "streamchat-icon" : "streamchat-quiet"}
        aria-label={name}
        title={model === "" ? name : strings.withModel(name, model)}
        onClick={() => onAgain()}
      >
        <RetryIcon /> {label}
      </button>
      {(connection.catalog?.models.length ?? 0) > 1 && (
        <button
          ref={more}
          type="button"
          class="streamchat-icon streamchat-more"
          aria-label={strings.anotherModel()}
          title={strings.anotherModel()}
          aria-haspopup="menu"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <MoreIcon />
        </button>
      )}
      {open && (
        <Menu
          label={strings.models()}
          anchor={more.current}
          items={(connection.catalog?.models ?? []).map((one) => ({ key: one.id, label: modelName(one), detail: one.provider }))}
          current={model}
          onClose={close}
          onLeave={() => setOpen(false)}
          onChoose={(id) => {
            setOpen(false);
            onAgain(id);
          }}
        />
      )}
    </span>
  );
}