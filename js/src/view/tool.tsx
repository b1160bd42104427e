/** A tool call: what the model wants to run, whether it may, and what came of it. */

import { useState } from "preact/hooks";
import type { Connection } from "../connection.ts";
import { visible } from "../markdown/index.ts";
import type { ToolPart } from "../model/reduce.ts";
import { Folded } from "./folded.tsx";
import { CheckIcon, CrossIcon } from "./icons.tsx";
import * as strings from "./strings.ts";

/** Characters of its arguments that stand beside a call's name. */
const SHORT = 60;
/** Characters of a name that are shown: no tool has a longer one. */
const NAME = 64;

interface Props {
  readonly connection: Connection;
  readonly run: string;
  readonly part: ToolPart;
}

/** `name` is what it is known by when it comes back to the screen. */
export function ToolCall({ connection, run, part, name }: Props & { readonly name: string }) {
  if (part.state === "approval-requested") return <Asked {...{ connection, run, part }} />;
  return (
    <Folded name={name} label={<Label part={part} />}>
      <pre class="streamchat-tool">{visible(whole(part))}</pre>
    </Folded>
  );
}

function Label({ part }: { readonly part: ToolPart }) {
  const given = part.input === undefined ? "" : short(part);
  return (
    <>
      <code>{visible(part.name.slice(0, NAME))}</code>
      {given && <span class="streamchat-given">{visible(given)}</span>}
      {part.state === "output-available" && <CheckIcon />}
      {part.state === "output-error" && (
        <span class="streamchat-failed">
          <CrossIcon /> {part.allowed === false ? strings.notAllowed() : strings.failed()}
        </span>
      )}
    </>
  );
}

/** Nothing runs until somebody has seen all of it. */
function Asked({ connection, run, part }: Props) {
  const [sent, setSent] = useState(false);
  const [problem, setProblem] = useState("");
  const [before, after] = strings.mayRunInKernel().split("%1");
  const decide = async (allow: boolean): Promise<void> => {
    setSent(true);
    const error = await connection.approve(run, part.id ?? "", part.digest ?? "", allow);
    if (error === null) return;
    setProblem(error.message);
    setSent(false);
  };
  return (
    <div class="streamchat-asked" role="group" aria-label={strings.mayRun(part.name)}>
      <div>
        {before}
        <code>{visible(part.name)}</code>
        {after}
      </div>
      <pre class="streamchat-tool" tabIndex={0}>
        {visible(exact(part))}
      </pre>
      {problem && <div class="streamchat-bad">{problem}</div>}
      <div class="streamchat-choice">
        <button type="button" class="streamchat-allow" disabled={sent} onClick={() => void decide(true)}>
          {strings.allowOnce()}
        </button>
        <button type="button" class="streamchat-quiet" disabled={sent} onClick={() => void decide(false)}>
          {strings.doNotAllow()}
        </button>
      </div>
    </div>
  );
}

function short({ input }: ToolPart): string {
  const given = typeof input === "object" && input !== null ? Object.entries(input) : [];
  const text = given.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ");
  return text.length > SHORT ? `${text.slice(0, SHORT - 1)}…` : text;
}

function whole(part: ToolPart): string {
  const given = part.input === undefined ? (part.input_text ?? "") : exact(part);
  switch (part.state) {
    case "output-available":
      return `${given}\n→ ${typeof part.output === "string" ? part.output : json(part.output ?? null)}`;
    case "output-error":
      return `${given}\n→ ${part.error}`;
    default:
      return given;
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(\.\d+)?([eE][+-]?\d+)?/g;

/** The arguments with the numbers that would run: JavaScript's own hold no integers beyond 2^53. */
function exact({ input, input_text: text }: ToolPart): string {
  if (text === undefined) return json(input);
  let rounded = false;
  const marked = text.replace(TOKEN, (token, fraction?: string, exponent?: string) => {
    const whole = !token.startsWith('"') && fraction === undefined && exponent === undefined;
    if (!whole || Number.isSafeInteger(Number(token))) return token;
    rounded = true;
    return `"\ue000${token}\ue000"`;
  });
  if (!rounded) return json(input);
  try {
    return json(JSON.parse(marked)).replace(/"\ue000(-?\d+)\ue000"/g, "$1");
  } catch {
    return text;
  }
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
