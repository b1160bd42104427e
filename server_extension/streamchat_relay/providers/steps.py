"""Steps: an answer as the wires want it, cut where tools were called and have answered."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from streamchat_relay.model import (
    Message,
    Part,
    ReasoningPart,
    ToolPart,
    text_of,
)
from streamchat_relay.providers.content import Content, contents

NOT_ANSWERED = "This call was not run."


class ToolUse(msgspec.Struct, frozen=True):
    """A call and its result. `id` pairs them, within one request."""

    id: str
    name: str
    input: dict[str, Any]
    result: str
    failed: bool
    metadata: dict[str, Any]

    @property
    def arguments(self) -> str:
        """The input as JSON."""
        return msgspec.json.encode(self.input).decode()


class Step(msgspec.Struct, frozen=True):
    """What a model said and thought before it called tools or came to its end."""

    contents: list[Content]
    thoughts: list[ReasoningPart]
    uses: list[ToolUse]


def ids() -> Iterator[str]:
    """Ids of calls that every wire takes: Mistral's nine letters and digits are the strictest.

    What another provider named a call, or the same one in another request, does not matter.
    """
    return (f"call{number:05d}" for number in itertools.count(1))


def steps(message: Message, names: Iterator[str]) -> Iterator[Step]:
    """The steps of an answer; at least one. Raises `BadRequest` as `contents` does."""
    parts: list[Part] = []
    uses: list[ToolUse] = []
    for part in message.parts:
        if isinstance(part, ToolPart):
            uses.append(_use(part, next(names)))
            continue
        if uses:
            yield _step(parts, uses)
            parts, uses = [], []
        parts.append(part)
    yield _step(parts, uses)


def tool_names(messages: Iterable[Message]) -> list[str]:
    """The tools that were called, each once."""
    called = (part for message in messages for part in message.parts)
    return list(dict.fromkeys(part.name for part in called if isinstance(part, ToolPart)))


def _step(parts: list[Part], uses: list[ToolUse]) -> Step:
    # Thoughts are told again only where their provider wants that: with the calls they led to.
    thoughts = [part for part in parts if isinstance(part, ReasoningPart)] if uses else []
    return Step(contents(parts), thoughts, uses)


def _use(part: ToolPart, name: str) -> ToolUse:
    failed = part.state != "output-available"
    result = (part.error or NOT_ANSWERED) if failed else text_of(part.output)
    given = part.input if isinstance(part.input, dict) else {}
    return ToolUse(name, part.name, given, result, failed, part.provider_metadata or {})
