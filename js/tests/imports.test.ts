import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../src/", import.meta.url));

/** Each layer, and the layers it may import from. `model` takes only generated types from `protocol`. */
const LAW: Readonly<Record<string, readonly string[]>> = {
  "translation.ts": [],
  markdown: ["markdown"],
  model: ["model", "protocol/frames.gen.ts"],
  protocol: ["protocol", "translation.ts"],
  transport: ["transport", "translation.ts", "protocol/frames.gen.ts", "model"],
  "conversation.ts": ["model", "protocol"],
  "connection.ts": ["conversation.ts", "model", "protocol", "transport"],
  "notebook.ts": [],
  "preferences.ts": [],
  view: ["view", "translation.ts", "notebook.ts", "preferences.ts", "connection.ts", "conversation.ts", "markdown", "model", "protocol"],
  "page.ts": ["connection.ts", "transport"],
  "kernel.ts": ["connection.ts", "transport"],
  lab: ["lab", "connection.ts", "conversation.ts", "model", "notebook.ts", "page.ts", "preferences.ts", "translation.ts", "view"],
  "widget.ts": ["connection.ts", "kernel.ts", "page.ts", "transport", "view"],
};

it("modules import only from below", () => {
  for (const path of readdirSync(SRC, { recursive: true, encoding: "utf8" })) {
    if (!/\.tsx?$/.test(path)) continue;
    const allowed = LAW[path.split("/")[0] ?? ""];
    expect(allowed, `no law for ${path}`).toBeDefined();
    for (const [, name] of readFileSync(join(SRC, path), "utf8").matchAll(/from "(\.[^"]+)"/g)) {
      const target = relative(SRC, join(SRC, dirname(path), name ?? ""));
      const lawful = allowed?.some((one) => target === one || target.startsWith(`${one}/`));
      expect(lawful, `${path} imports ${target}`).toBe(true);
    }
  }
});
