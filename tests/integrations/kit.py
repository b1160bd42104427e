"""Asks an adapter as a chat does, without a relay: `answers(model, "Hi", temperature=0.5)`.

A conversation is given as what was said in turn, by the person first; a part that is not text is a
`FilePart`. `said` joins what came, and `ended` is its last piece.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

from jupyter_streamchat.functions import Context, Ended, Thought
from streamchat_relay.model import FilePart, Message, TextPart
from streamchat_relay.protocol.frames import ServedCall

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE = FilePart(
    url=f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}",
    media_type="image/png",
    name="pixel.png",
)


def call(*said: str | list[str | FilePart], **params: Any) -> tuple[tuple[Message, ...], Context]:
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


async def answers(
    model: Callable[..., Any], *said: str | list[str | FilePart], **params: Any
) -> list[object]:
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


def ended(pieces: list[object]) -> Ended:
    """How an answer ended."""
    last = pieces[-1]
    assert isinstance(last, Ended)
    return last
