// streaming-markdown with its own renderer, as its README has it; each write goes into the document at once.
import { default_renderer, parser, parser_end, parser_write } from "streaming-markdown";

export function create(container) {
  const made = parser(default_renderer(container));
  return {
    push: (text) => parser_write(made, text),
    flush() {},
    end: () => parser_end(made),
  };
}
