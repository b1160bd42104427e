// Bundles each entry into one minified ES module of the same name: `node bundle.mjs OUTDIR ENTRY…`, with the product's esbuild.
import { build } from "../../js/node_modules/esbuild/lib/main.js";
import { fileURLToPath } from "node:url";

const [outdir, ...entries] = process.argv.slice(2);
await build({
  entryPoints: entries,
  outdir,
  entryNames: "[name]",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  define: { "process.env.NODE_ENV": '"production"' },
  // What the bench itself needs, such as the oracle, is the product's development tool.
  nodePaths: [fileURLToPath(new URL("../../js/node_modules", import.meta.url))],
  loader: { ".svg": "text", ".css": "empty" },
  logLevel: "error",
});
