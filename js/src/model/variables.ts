/** The kernel's variables as a prompt may mention them: what a kernel tells, read as what it may be. */

export interface Variable {
  readonly name: string;
  readonly type: string;
  /** Of a table or an array; the length of a container; empty for all else. */
  readonly shape: readonly number[];
}

/** What of a variable goes with a prompt, in Markdown; or in `problem`, why nothing. */
export interface Described extends Variable {
  readonly text: string;
  readonly problem: string;
}

/** A kernel that can be asked. Both reject with an `Error` in a person's words where it does not answer. */
export interface Variables {
  names(signal: AbortSignal): Promise<readonly Variable[]>;
  describe(names: readonly string[], signal: AbortSignal): Promise<readonly Described[]>;
}

/** The names in a kernel's answer. */
export function readNames(answer: unknown): Variable[] {
  return list(answer, "names").flatMap((one) => variable(one) ?? []);
}

/** The descriptions in a kernel's answer. */
export function readDescribed(answer: unknown): Described[] {
  return list(answer, "described").flatMap((one) => {
    const found = variable(one);
    return found === null ? [] : { ...found, text: word(one, "text"), problem: word(one, "problem") };
  });
}

function list(answer: unknown, field: string): unknown[] {
  const found = typeof answer === "object" && answer !== null ? (answer as Record<string, unknown>)[field] : undefined;
  return Array.isArray(found) ? found : [];
}

function variable(one: unknown): Variable | null {
  const name = word(one, "name");
  if (!/^[\p{L}_][\p{L}\p{N}\p{M}_]*$/u.test(name)) return null;
  const shape = list(one, "shape").filter((size): size is number => typeof size === "number" && size >= 0);
  return { name, type: word(one, "type").replaceAll(/\s+/g, " "), shape };
}

function word(one: unknown, field: string): string {
  const found = typeof one === "object" && one !== null ? (one as Record<string, unknown>)[field] : undefined;
  return typeof found === "string" ? found : "";
}
