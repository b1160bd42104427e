// markdown-it with GitHub's tables, strikethrough and links, on the whole text, and innerHTML.
import MarkdownIt from "markdown-it";
import { whole } from "./whole.js";

const parser = new MarkdownIt({ linkify: true });

export const create = (container) =>
  whole((text) => {
    container.innerHTML = parser.render(text);
  });
