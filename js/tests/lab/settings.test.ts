import { expect, it } from "vitest";
import { panelSettings, preferences } from "../../src/lab/settings.ts";

it("has prompts go with what is set, and with nothing else", () => {
  expect(panelSettings({ model: "", systemPrompt: "  ", temperature: null, maxTokens: null })).toEqual({ model: "", params: {} });
  expect(panelSettings({ model: " demo/fast ", systemPrompt: "Be brief.", temperature: 0, maxTokens: 100 })).toEqual({
    model: "demo/fast",
    params: { system: "Be brief.", temperature: 0, max_tokens: 100 },
  });
});

it("takes odd values for none", () => {
  expect(panelSettings({ model: 3, systemPrompt: [], temperature: "hot" })).toEqual({ model: "", params: {} });
  expect(preferences({ enter: "flies", codeActions: 1 })).toEqual({ enter: "sends", codeActions: true, readAloud: true, explainErrors: true });
});

it("turns off what was turned off", () => {
  expect(preferences({ enter: "breaks", codeActions: false, readAloud: false, explainErrors: false })).toEqual({ enter: "breaks", codeActions: false, readAloud: false, explainErrors: false });
});
