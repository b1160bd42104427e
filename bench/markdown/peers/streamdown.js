// Streamdown as its README has it, without its plugins: its own repair, sanitizer and memory of blocks.
import { createElement } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { Streamdown } from "streamdown";
import { settled, whole } from "./whole.js";

/** With `settings` it is to be compared: then its links are links, not buttons that ask first. */
export function create(container, settings) {
  const root = createRoot(container);
  const more = settings ? { linkSafety: { enabled: false } } : {};
  return whole((children, ended) => {
    flushSync(() => root.render(createElement(Streamdown, { isAnimating: !ended, ...more }, children)));
    return ended ? settled() : undefined;
  });
}

/** The head of a block of code: what no Markdown says. */
export const furniture = "[data-streamdown=code-block-header]";
