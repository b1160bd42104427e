/** A tool call: what the model wants to run, whether it may, and what came of it. */

import { useState } from "preact/hooks";
import type { Connection } from "../connection.ts";
import { visible } from "../markdown/index.ts";
import type { ToolPart } from "../model/reduce.ts";
import { Folded } from "./folded.tsx";
import { CheckIcon, CrossIcon } from "./icons.tsx";

/** Characters of its arguments that stand beside a call's name. */
const SHORT = 60;

interface Props {
  readonly connection: Connection;
  readonly run: string;
  readonly part: ToolPart;
}

export function ToolCall({ connection, run, part }: Props) {
  if (part.state === "approval-requested") return <Asked {...{ connection, run, part }} />;
  return (
    <Folded label={<Label part={part} />}>
      <pre class="streamchat-tool">{visible(whole(part))}</pre>
    </Folded>
  );
}

function Label({ part }: { readonly part: ToolPart }) {
  const given = part.input === undefined ? "" : short(part.input);
  return (
    <>
      <code>{visible(part.name)}</code>
      {given && <span class="streamchat-given">{visible(given)}</span>}
      {part.state === "output-available" && <CheckIcon />}
      {part.state === "output-error" && (
        <span class="streamchat-failed">
          <CrossIcon /> {part.allowed === false ? "not allowed" : "failed"}
        </span>
      )}
    </>
  );
}

/** Nothing runs until somebody has seen all of it. */
function Asked({ connection, run, part }: Props) {
  const [sent, setSent] = useState(false);
  const [problem, setProblem] = useState("");
  const decide = async (allow: boolean): Promise<void> => {
    setSent(true);
    const error = await connection.approve(run, part.id ?? "", part.digest ?? "", allow);
    if (error === null) return;
    setProblem(error.message);
    setSent(false);
  };
  return (
    <div class="streamchat-asked" role="group" aria-label={`Run ${part.name}?`}>
      <div>
        Run <code>{visible(part.name)}</code> in your kernel?
      </div>
      <pre class="streamchat-tool" tabIndex={0}>
        {visible(json(part.input))}
      </pre>
      {problem && <div class="streamchat-bad">{problem}</div>}
      <div class="streamchat-choice">
        <button type="button" class="streamchat-allow" disabled={sent} onClick={() => void decide(true)}>
          Allow once
        </button>
        <button type="button" class="streamchat-quiet" disabled={sent} onClick={() => void decide(false)}>
          Don’t allow
        </button>
      </div>
    </div>
  );
}

function short(input: unknown): string {
  const given = typeof input === "object" && input !== null ? Object.entries(input) : [];
  const text = given.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ");
  return text.length > SHORT ? `${text.slice(0, SHORT - 1)}…` : text;
}

function whole(part: ToolPart): string {
  const given = part.input === undefined ? (part.input_text ?? "") : json(part.input);
  switch (part.state) {
    case "output-available":
      return `${given}\n→ ${typeof part.output === "string" ? part.output : json(part.output ?? null)}`;
    case "output-error":
      return `${given}\n→ ${part.error}`;
    default:
      return given;
  }
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
