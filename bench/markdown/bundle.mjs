// Bundles each entry by itself, minified, what it loads late in chunks: `node bundle.mjs OUTDIR ENTRY…`, with the product's esbuild.
import { rmSync } from "node:fs";
import { join, parse } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "../../js/node_modules/esbuild/lib/main.js";

const [made, ...entries] = process.argv.slice(2);
for (const entry of entries) {
  const outdir = join(made, parse(entry).name);
  rmSync(outdir, { recursive: true, force: true });
  await build({
    entryPoints: [entry],
    outdir,
    entryNames: "index",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: true,
    define: { "process.env.NODE_ENV": '"production"' },
    // What the bench itself needs, such as the oracle, is the product's development tool.
    nodePaths: [fileURLToPath(new URL("../../js/node_modules", import.meta.url))],
    loader: { ".svg": "text", ".css": "empty" },
    logLevel: "error",
  });
}
