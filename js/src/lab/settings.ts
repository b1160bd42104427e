/** The plugin's settings, read from what JupyterLab holds; anything odd there counts as not set. */

import type { Preferences } from "../preferences.ts";

/** What the panel's prompts go with. */
export interface PanelSettings {
  /** Empty for the server's default. */
  readonly model: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export function panelSettings(values: Readonly<Record<string, unknown>>): PanelSettings {
  const { model, systemPrompt, temperature, maxTokens } = values;
  const params: Record<string, unknown> = {};
  if (typeof systemPrompt === "string" && systemPrompt.trim() !== "") params["system"] = systemPrompt;
  if (typeof temperature === "number") params["temperature"] = temperature;
  if (typeof maxTokens === "number") params["max_tokens"] = maxTokens;
  return { model: typeof model === "string" ? model.trim() : "", params };
}

export function preferences(values: Readonly<Record<string, unknown>>): Preferences {
  return {
    enter: values["enter"] === "breaks" ? "breaks" : "sends",
    codeActions: values["codeActions"] !== false,
    readAloud: values["readAloud"] !== false,
    explainErrors: values["explainErrors"] !== false,
  };
}
