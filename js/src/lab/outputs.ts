/** What of a cell's outputs, as a notebook's file holds them, can be told to a model. */

import type { CellOutput } from "../notebook.ts";

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"] as const;

/** Pictures as such; of anything else its plainest text. What is neither is left out. */
export function cellOutputs(outputs: readonly unknown[]): readonly CellOutput[] {
  return outputs.flatMap((output): CellOutput[] => {
    if (!isRecord(output)) return [];
    switch (output["output_type"]) {
      case "stream":
        return text(output["text"]);
      case "error":
        return [
          {
            type: "error",
            name: words(output["ename"]),
            message: words(output["evalue"]),
            traceback: Array.isArray(output["traceback"]) ? output["traceback"].map(words).join("\n") : "",
          },
        ];
      case "display_data":
      case "execute_result":
        return isRecord(output["data"]) ? shown(output["data"]) : [];
      default:
        return [];
    }
  });
}

function shown(data: Readonly<Record<string, unknown>>): CellOutput[] {
  for (const mediaType of PICTURES) {
    const picture = words(data[mediaType]);
    if (picture !== "") return [{ type: "image", mediaType, data: picture.replaceAll(/\s/g, "") }];
  }
  for (const type of ["text/markdown", "text/plain", "text/latex"]) if (data[type] !== undefined) return text(data[type]);
  return [];
}

function text(value: unknown): CellOutput[] {
  const found = words(value);
  return found === "" ? [] : [{ type: "text", text: found }];
}

/** A notebook's file may hold a text as its lines. */
function words(value: unknown): string {
  if (Array.isArray(value)) return value.map(words).join("");
  return typeof value === "string" ? value : "";
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
