/** The transcripts that pytest replays too: one JSON value a line, the first says what the file is about. */
import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("../../tests/transcripts/", import.meta.url);

export function transcripts(prefix: string): string[] {
  return readdirSync(FOLDER).filter((name) => name.startsWith(prefix) && name.endsWith(".jsonl"));
}

export function steps<Step>(name: string): Step[] {
  const lines = readFileSync(new URL(name, FOLDER), "utf8").split("\n").filter(Boolean);
  return lines.slice(1).map((line) => JSON.parse(line) as Step);
}
