import { expect, it } from "vitest";
import { cellOutputs } from "../../src/lab/outputs.ts";

it("takes streams and results as text, also where the file holds them as lines", () => {
  const outputs = cellOutputs([
    { output_type: "stream", name: "stdout", text: ["a\n", "b\n"] },
    { output_type: "execute_result", data: { "text/plain": ["1", "2"], "text/html": "<b>12</b>" }, execution_count: 1, metadata: {} },
    { output_type: "display_data", data: { "text/markdown": "**m**", "text/plain": "<Markdown>" } },
  ]);
  expect(outputs).toEqual([
    { type: "text", text: "a\nb\n" },
    { type: "text", text: "12" },
    { type: "text", text: "**m**" },
  ]);
});

it("takes a picture as a picture", () => {
  const outputs = cellOutputs([{ output_type: "display_data", data: { "image/png": "aGk=\n", "text/plain": "<Figure>" } }]);
  expect(outputs).toEqual([{ type: "image", mediaType: "image/png", data: "aGk=" }]);
});

it("takes errors with their tracebacks", () => {
  const outputs = cellOutputs([{ output_type: "error", ename: "ValueError", evalue: "no", traceback: ["one", "two"] }]);
  expect(outputs).toEqual([{ type: "error", name: "ValueError", message: "no", traceback: "one\ntwo" }]);
});

it("leaves out what no model can read, and what no notebook should hold", () => {
  expect(cellOutputs([null, 3, { output_type: "display_data", data: { "application/x": {} } }, { output_type: "stream", text: 7 }, { output_type: "other" }])).toEqual([]);
});
