"""The continuation: an answer that goes on with another one, and what tells a model to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from streamchat_relay.model import Message, TextPart

GO_ON = (
    "Your last answer was cut off. Go on exactly where it ends: repeat nothing of it, and say "
    "nothing about going on."
)
"""Told and not logged. Some providers would go on with an answer that comes last, but others
refuse it or begin anew."""

_GO_ON = Message(id="", role="user", parts=(TextPart(text=GO_ON),))


def continued(messages: Sequence[Message], answer: str) -> tuple[Message, ...]:
    """The messages as the model is told them that writes `answer`, which may be the last of them.

    No two answers follow each other, which the templates of many models refuse.
    """
    return tuple(_told(messages, answer))


def _told(messages: Sequence[Message], answer: str) -> Iterator[Message]:
    before = None
    for message in messages:
        if before is not None and before.role == message.role == "assistant":
            yield _GO_ON
        yield message
        before = message
    if before is not None and before.role == "assistant" and before.id != answer:
        yield _GO_ON
