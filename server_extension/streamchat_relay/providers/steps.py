"""Steps: an answer as the wires want it, cut where tools were called and have answered."""

from __future__ import annotations

import itertools
import re
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

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


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
    """What a model thought and said, in its order, before it called tools or came to its end."""

    said: list[Content | ReasoningPart]
    uses: list[ToolUse]

    @property
    def contents(self) -> list[Content]:
        """What it said."""
        return [one for one in self.said if not isinstance(one, ReasoningPart)]

    @property
    def thoughts(self) -> list[ReasoningPart]:
        """What it thought."""
        return [one for one in self.said if isinstance(one, ReasoningPart)]


def ids() -> Iterator[str]:
    """Ids of calls that every wire takes: Mistral's nine letters and digits are the strictest.

    What another provider named a call, or the same one in another request, does not matter.
    """
    return (f"call{number:05d}" for number in itertools.count(1))


def steps(message: Message, names: Iterator[str]) -> Iterator[Step]:
    """The steps of an answer; at least one. Raises `BadRequest` as `contents` does."""
    parts: list[Part] = []
    uses: list[ToolUse] = []
    # After the calls: of the same step if more calls of its round follow, else of the next.
    after: list[Part] = []
    last = 0
    for part in message.parts:
        if not isinstance(part, ToolPart):
            (after if uses else parts).append(part)
            continue
        together = part.round == last and (part.round or not after)
        if uses and not together:
            yield _step(parts, uses)
            parts, uses = after, []
        else:
            parts += after
        after, last = [], part.round
        uses.append(_use(part, next(names)))
    yield _step(parts, uses)
    if after:
        yield _step(after, [])


def tool_names(messages: Iterable[Message]) -> list[str]:
    """The tools that were called, each once."""
    called = (part for message in messages for part in message.parts)
    return list(dict.fromkeys(_sound(part.name) for part in called if isinstance(part, ToolPart)))


def _step(parts: list[Part], uses: list[ToolUse]) -> Step:
    said: list[Content | ReasoningPart] = []
    for part in parts:
        said += [part] if isinstance(part, ReasoningPart) else contents([part])
    return Step(said, uses)


def _sound(name: str) -> str:
    """The name as every API takes it: models invent others, and one would spoil all that follows.

    >>> _sound("browser.open"), _sound("")
    ('browser_open', '_')
    """
    return _NOT_IN_NAMES.sub("_", name)[:64] or "_"


def _use(part: ToolPart, name: str) -> ToolUse:
    failed = part.state != "output-available"
    result = (part.error or NOT_ANSWERED) if failed else text_of(part.output)
    given = part.input if isinstance(part.input, dict) else {}
    return ToolUse(name, _sound(part.name), given, result, failed, part.provider_metadata or {})
