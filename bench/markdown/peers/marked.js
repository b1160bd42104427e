// marked on the whole text and innerHTML, without a sanitizer: the least that this way costs.
import { marked } from "marked";
import { whole } from "./whole.js";

export const create = (container) =>
  whole((text) => {
    container.innerHTML = marked.parse(text);
  });
