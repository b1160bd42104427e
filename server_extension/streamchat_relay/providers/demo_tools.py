"""The demo's way with tools: it calls those that a prompt names, with what it finds there."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from streamchat_relay.model import (
    Message,
    Output,
    ToolCallOutput,
    ToolInputOutput,
    ToolPart,
    ToolSpec,
    text_of,
)
from streamchat_relay.providers.naming import shown
from streamchat_relay.relay.ports import Call

_QUOTED = re.compile(r"[\"'\u201c\u2018`]([^\"'\u201d\u2019`]+)[\"'\u201d\u2019`]")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_WORD = re.compile(r"[A-Za-z0-9]+")
PIECE = 8
"""Characters of a call's arguments that come at once."""


def calls(call: Call) -> list[Output]:
    """The calls that answer a prompt; none once they were made, or where no tool is named."""
    if call.messages and call.messages[-1].role == "assistant":
        return []
    prompt = next((one.text for one in reversed(call.messages) if one.role == "user"), "")
    outputs: list[Output] = []
    for number, tool in enumerate(_named(prompt, call.tools)):
        arguments = msgspec.json.encode(_arguments(prompt, tool)).decode()
        outputs.append(ToolCallOutput(str(number), tool.name))
        outputs += [
            ToolInputOutput(str(number), arguments[at : at + PIECE])
            for at in range(0, len(arguments), PIECE)
        ]
    return outputs


def report(call: Call) -> str:
    """What the demo says of its calls' results, or of the tools that there are."""
    made = _made(call.messages)
    if made:
        lines = [f"- {_line(part)}" for part in made]
        return "\n".join(["Here is what came of it:", "", *lines, ""])
    if not call.tools:
        return "I have no tools here. Give me some with `@chat.tool`."
    names = ", ".join(f"`{tool.name}`" for tool in call.tools)
    return f"I can call {names}. Name one in your prompt, with its arguments."


def _line(part: ToolPart) -> str:
    if part.error:
        return f"`{part.name}` did not work: {shown(part.error, 300)}"
    return f"`{part.name}` says {shown(text_of(part.output), 300)}"


def _made(messages: tuple[Message, ...]) -> list[ToolPart]:
    last = messages[-1] if messages else None
    if last is None or last.role != "assistant":
        return []
    return [part for part in last.parts if isinstance(part, ToolPart)]


def _named(prompt: str, tools: tuple[ToolSpec, ...]) -> list[ToolSpec]:
    words = {word.lower() for word in _WORD.findall(prompt)}
    return [tool for tool in tools if {word.lower() for word in _WORD.findall(tool.name)} <= words]


def _arguments(prompt: str, tool: ToolSpec) -> dict[str, Any]:
    """Quoted texts and numbers behind its name, in their order, for what takes them."""
    last = _WORD.findall(tool.name)[-1]
    found_at = re.search(rf"(?i)\b{re.escape(last)}\b", prompt)
    behind = prompt[found_at.end() :] if found_at else prompt
    texts, numbers = _QUOTED.findall(behind), _NUMBER.findall(behind)
    schema = tool.input_schema
    required = schema.get("required", ())
    found: dict[str, Any] = {}
    for name, kind in schema.get("properties", {}).items():
        match kind.get("type"):
            case "string" if texts:
                found[name] = texts.pop(0)
            case "integer" if numbers:
                found[name] = int(float(numbers.pop(0)))
            case "number" if numbers:
                found[name] = float(numbers.pop(0))
            case "boolean" if name in required:
                found[name] = True
            case "string" if name in required:
                found[name] = prompt.strip()
            case _:
                pass
    return found
