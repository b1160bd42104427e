/** The model picker: what there is, by provider, and quietly what is missing. */

import { useRef } from "preact/hooks";
import type { Connection } from "../connection.ts";
import type { ModelInfo } from "../protocol/frames.gen.ts";
import * as strings from "./strings.ts";

/** The list is asked for anew when it is looked at and older than this. */
const STALE_MS = 30_000;

interface Props {
  readonly connection: Connection;
  /** The model that the next prompt goes to; empty for the server's default. */
  readonly current: string;
  readonly onPick: (model: string) => void;
}

export function Picker({ connection, current, onPick }: Props) {
  const asked = useRef(Date.now());
  const { catalog } = connection;
  const groups = new Map<string, ModelInfo[]>();
  for (const model of catalog?.models ?? []) {
    groups.set(model.provider, [...(groups.get(model.provider) ?? []), model]);
  }
  const value = current || (catalog?.default ?? "");
  const known = catalog?.models.some((model) => model.id === value) ?? false;
  const problems = catalog?.problems ?? [];
  const refresh = (): void => {
    if (connection.status.kind !== "live" || Date.now() - asked.current < STALE_MS) return;
    asked.current = Date.now();
    connection.refreshCatalog();
  };
  return (
    <select
      class="streamchat-picker"
      aria-label={strings.model()}
      title={value}
      value={value}
      onFocus={refresh}
      onChange={(event) => onPick(event.currentTarget.value)}
    >
      {!known && <option value={value}>{value || strings.defaultModel()}</option>}
      {[...groups].map(([provider, models]) => (
        <optgroup key={provider} label={provider}>
          {models.map((model) => (
            <option key={model.id} value={model.id}>
              {modelName(model)}
            </option>
          ))}
        </optgroup>
      ))}
      {problems.length > 0 && (
        <optgroup label={strings.notAvailable()}>
          {problems.map(({ provider, message }) => (
            <option key={provider} value="" disabled title={message}>
              {/* The list is as wide as its widest line. */}
              {strings.unavailable(provider, message.split(/(?<=\.) /)[0] ?? "")}
            </option>
          ))}
        </optgroup>
      )}
    </select>
  );
}

export function modelName({ name, provider }: ModelInfo): string {
  return provider === "demo" ? strings.demoModel(name) : name;
}
