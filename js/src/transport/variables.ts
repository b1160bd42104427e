/** The variables of a widget's own kernel, asked for over its comm. `docs/PROTOCOL.md` has the messages. */

import { readDescribed, readNames, type Variables } from "../model/variables.ts";
import type { CommModel } from "./comm.ts";
import * as strings from "./strings.ts";

/** A kernel that is idle answers at once; it may take 2 s to show what is mentioned. */
export const PATIENCE_MS = 4_000;

const CHANNEL = "msg:custom";

export function commVariables(model: CommModel): Variables {
  const ask = (content: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = crypto.randomUUID();
      const over = new AbortController();
      const end = (settle: () => void): void => {
        if (over.signal.aborted) return;
        over.abort();
        clearTimeout(late);
        model.off(CHANNEL, hear);
        settle();
      };
      const hear = (answer: unknown): void => {
        if ((answer as { readonly id?: unknown } | null)?.id === id) end(() => resolve(answer));
      };
      const late = setTimeout(() => end(() => reject(new Error(strings.variablesLate()))), PATIENCE_MS);
      signal.addEventListener("abort", () => end(() => reject(signal.reason as Error)), { signal: over.signal });
      model.on(CHANNEL, hear);
      try {
        signal.throwIfAborted();
        model.send({ ...content, id });
      } catch {
        end(() => reject(new Error(strings.variablesGone())));
      }
    });
  return {
    names: async (signal) => readNames(await ask({ type: "names" }, signal)),
    describe: async (names, signal) => readDescribed(await ask({ type: "describe", names }, signal)),
  };
}
