/** Code colours for the Markdown renderer, by CodeMirror's line modes. */

import type { Highlighter } from "../options.ts";
import { modeOf } from "./languages.ts";
import { ModeLines } from "./lines.ts";

export const codeHighlighter: Highlighter = {
  open(language) {
    const mode = modeOf(language);
    return mode === null ? null : new ModeLines(mode);
  },
};
