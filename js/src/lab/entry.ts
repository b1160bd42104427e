/** Registers the extension's container; the build puts the plugin's packages and body in place. */

import { body, needs } from "streamchat:plugin";
import { container, type Container } from "./federation.ts";

const NAME = "jupyter-streamchat";

// Known only while the script itself runs.
const script = document.currentScript as HTMLScriptElement | null;

function style(): Promise<void> {
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = (script?.src ?? "").replace(/plugin(\.\w+)?\.js/, "style$1.css");
    link.onload = () => resolve();
    link.onerror = () => reject(new Error(`${NAME}: ${link.href} cannot be loaded.`));
    document.head.append(link);
  });
}

const page = globalThis as { _JUPYTERLAB?: Record<string, Container> };
page._JUPYTERLAB ??= {};
page._JUPYTERLAB[NAME] = container(NAME, needs, body, style);
