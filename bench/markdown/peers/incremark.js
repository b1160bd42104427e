// @incremark/core parses only, so it is shown by its own React component, as its README has it.
import { IncremarkContent } from "@incremark/react";
import { createElement } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { settled, whole } from "./whole.js";

export function create(container) {
  const root = createRoot(container);
  return whole((content, isFinished) => {
    flushSync(() => root.render(createElement(IncremarkContent, { content, isFinished })));
    return isFinished ? settled() : undefined;
  });
}

/** The head of a block of code: what no Markdown says. */
export const furniture = ".code-header";
