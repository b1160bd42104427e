// Streamdown as its README has it, without its plugins: its own repair, sanitizer and memory of blocks.
import { createElement } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { Streamdown } from "streamdown";
import { whole } from "./whole.js";

export function create(container) {
  const root = createRoot(container);
  return whole((children, ended) => {
    flushSync(() => root.render(createElement(Streamdown, { isAnimating: !ended }, children)));
  });
}
