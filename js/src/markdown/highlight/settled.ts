/** The modes for style sheets and JavaScript, made to depend on nothing but their state. */

import { css as legacyCss, less as legacyLess, sCSS } from "@codemirror/legacy-modes/mode/css";
import * as script from "@codemirror/legacy-modes/mode/javascript";
import type { StreamParser } from "@codemirror/streamparser";
import { PatientStream } from "./patient.ts";
import { started } from "./state.ts";

export const css = settled(legacyCss);
export const scss = settled(sCSS);
export const less = settled(legacyLess);
export const javascript = settled(script.javascript);
export const typescript = settled(script.typescript);
/** This one tells names from strings. */
export const json = settled(script.jsonld);

/** They remember the last token's type in a variable that all code shares: let each line begin with the same one. */
function settled(mode: StreamParser<unknown>): StreamParser<unknown> {
  const settle = () => mode.token(new PatientStream(";"), started(mode));
  return {
    ...mode,
    startState(indent) {
      settle();
      return mode.startState?.(indent);
    },
    token(stream, state) {
      if (stream.sol()) settle();
      return mode.token(stream, state);
    },
  };
}
