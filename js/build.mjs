// Bundles the front end: the widget with its style sheet into the Python package, and the Markdown renderer by itself, whole and only its core.
import { build } from "esbuild";
import { gzipSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const widget = join(here, "..", "jupyter_streamchat", "static");
const common = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "inline",
  logLevel: "warning",
};

await Promise.all([
  build({ ...common, entryPoints: ["src/widget.ts"], outfile: join(widget, "widget.js") }),
  build({ ...common, entryPoints: ["src/view/widget.css"], outfile: join(widget, "widget.css") }),
  build({ ...common, entryPoints: ["src/markdown/whole.ts"], outfile: join(here, "dist", "markdown.js") }),
  build({ ...common, entryPoints: ["src/markdown/index.ts"], outfile: join(here, "dist", "markdown-core.js") }),
]);
const made = [join(widget, "widget.js"), join(widget, "widget.css"), join(here, "dist", "markdown.js"), join(here, "dist", "markdown-core.js")];
for (const path of made) {
  const bytes = readFileSync(path);
  console.log(`${relative(process.cwd(), path)}  ${(bytes.length / 1024).toFixed(1)} KB, ${(gzipSync(bytes).length / 1024).toFixed(1)} KB gzip`);
}
