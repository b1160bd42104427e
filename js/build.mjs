// Bundles the front end: the widget with its style sheet and the JupyterLab plugin into the Python package, and the Markdown renderer by itself, whole and only its core.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
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

const made = [join(widget, "widget.js"), join(widget, "widget.css"), ...(await plugin()), join(here, "dist", "markdown.js"), join(here, "dist", "markdown-core.js")];
for (const path of made) {
  const bytes = readFileSync(path);
  console.log(`${relative(process.cwd(), path)}  ${(bytes.length / 1024).toFixed(1)} KB, ${(gzipSync(bytes).length / 1024).toFixed(1)} KB gzip`);
}

// JupyterLab's own builder is webpack with the whole of JupyterLab; what its pages ask of an extension is only a
// container (src/lab/federation.ts), and a folder with these files.
async function plugin() {
  const folder = join(here, "..", "jupyter_streamchat", "labextension");
  const { version, description, license } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
  const bundle = { ...common, write: false };
  const [bodies, styles] = await Promise.all([
    build({ ...bundle, format: "cjs", entryPoints: ["src/lab/plugin.ts"], external: ["@jupyterlab/*", "@lumino/*"], metafile: true }),
    build({ ...bundle, entryPoints: ["src/lab/panel.css"] }),
  ]);
  const [{ imports }] = Object.values(bodies.metafile.outputs);
  const needs = [...new Set(imports.filter(({ external }) => external).map(({ path }) => path))].sort();
  const body = `export const needs = ${JSON.stringify(needs)};\nexport const body = (require, module) => {\n${bodies.outputFiles[0].text}\n};`;
  const inPlace = {
    name: "plugin",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^streamchat:plugin$/ }, ({ path }) => ({ path, namespace: "plugin" }));
      onLoad({ filter: /.*/, namespace: "plugin" }, () => ({ contents: body }));
    },
  };
  const scripts = await build({ ...bundle, format: "iife", entryPoints: ["src/lab/entry.ts"], plugins: [inPlace] });
  const script = scripts.outputFiles[0].contents;
  const style = styles.outputFiles[0].contents;
  // In the names, as pages keep them for long.
  const digest = createHash("sha256").update(script).update(style).digest("hex").slice(0, 10);
  const about = { name: "jupyter-streamchat", version, description, license };
  const load = `static/plugin.${digest}.js`;
  const _build = { load, extension: "./extension", style: "./style" };
  const schemas = join(folder, "schemas", about.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(schemas, { recursive: true });
  mkdirSync(join(folder, "static"));
  writeFileSync(join(folder, load), script);
  writeFileSync(join(folder, "static", `style.${digest}.css`), style);
  copyFileSync(join(here, "schema", "plugin.json"), join(schemas, "plugin.json"));
  writeJson(join(schemas, "package.json.orig"), about);
  writeJson(join(folder, "package.json"), { ...about, jupyterlab: { extension: true, schemaDir: "schemas", _build } });
  writeJson(join(folder, "install.json"), {
    packageManager: "python",
    packageName: "jupyter-streamchat",
    uninstallInstructions: "Use your Python package manager (pip, conda, …) to uninstall the package jupyter-streamchat.",
  });
  return [join(folder, load), join(folder, "static", `style.${digest}.css`)];
}

function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}
