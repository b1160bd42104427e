"""Asks an adapter as a chat does, without a relay: `answers(model, "Hi", temperature=0.5)`.

A conversation is given as what was said in turn, by the person first; a part that is not text is a
`FilePart` or a `ToolPart`. `said` joins what came, `ended` is its last piece, and `called` what its
tools were called with and came to.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

from jupyter_streamchat.functions import Context, Ended, Thought, ToolCall, ToolResult
from streamchat_relay.model import FilePart, Message, TextPart, ToolPart
from streamchat_relay.protocol.frames import ServedCall

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE = FilePart(
    url=f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}",
    media_type="image/png",
    name="pixel.png",
)
LOOKED = ToolPart(
    id="2", name="lookup", input={"city": "Bern"}, state="output-available", output={"sky": "blue"}
)
FAILED = ToolPart(id="3", name="lookup", input={}, state="output-error", error="No city.")
LOST = ToolPart(id="4", name="lookup", input={"city": "Oslo"}, state="input-available")
Said = str | list[str | FilePart | ToolPart]


def call(*said: Said, **params: Any) -> tuple[tuple[Message, ...], Context]:
    """What a model is called with."""
    messages = []
    for number, one in enumerate(said):
        parts = one if isinstance(one, list) else [one]
        messages.append(
            Message(
                id=str(number),
                role="assistant" if number % 2 else "user",
                parts=tuple(
                    TextPart(text=part) if isinstance(part, str) else part for part in parts
                ),
            )
        )
    context = Context(ServedCall(call="c", model="m", messages=tuple(messages), params=params))
    return tuple(messages), context


async def answers(model: Callable[..., Any], *said: Said, **params: Any) -> list[object]:
    """All pieces of an answer."""
    found = model(*call(*said, **params))
    if isinstance(found, AsyncIterator):
        return [piece async for piece in found]
    return list(found)


def said(pieces: list[object]) -> str:
    """The text of an answer."""
    return "".join(one for one in pieces if isinstance(one, str) and not isinstance(one, Thought))


def thought(pieces: list[object]) -> str:
    """The thoughts of an answer."""
    return "".join(one for one in pieces if isinstance(one, Thought))


def called(pieces: list[object]) -> list[tuple[str, dict[str, Any], Any, str]]:
    """The calls, each with its result or error; fails where they are not one of each, in turn."""
    calls = [one for one in pieces if isinstance(one, ToolCall)]
    results = {one.call.id: one for one in pieces if isinstance(one, ToolResult)}
    assert sorted(results) == sorted(call.id for call in calls)
    for call in calls:
        assert pieces.index(call) < pieces.index(results[call.id])
    return [
        (call.name, call.arguments, results[call.id].output, results[call.id].error)
        for call in calls
    ]


def ended(pieces: list[object]) -> Ended:
    """How an answer ended."""
    last = pieces[-1]
    assert isinstance(last, Ended)
    return last
