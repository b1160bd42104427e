"""Exports: a conversation as a file to read (`.md`) or to process (`.jsonl`)."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

import msgspec

from streamchat_relay.model.document import document
from streamchat_relay.model.message import Conversation, Message
from streamchat_relay.model.part import TextPart
from streamchat_relay.model.reduce import branch

NAME_LENGTH = 60
"""Characters of a title that become a file's name."""


def exported(
    conversation: Conversation, form: Literal["md", "jsonl"], leaf: str | None = None
) -> tuple[str, str]:
    """A name for the file, made of the title, and the branch that ends in `leaf`.

    >>> exported(Conversation(title="Of tides / and moons"), "jsonl")
    ('Of tides and moons.jsonl', '')
    """
    text = document(conversation, leaf) if form == "md" else lines(conversation, leaf)
    words = " ".join(re.sub(r"[^\w .-]+", " ", conversation.title).split())
    return f"{words[:NAME_LENGTH].strip(' .-') or 'conversation'}.{form}", text


def lines(conversation: Conversation, leaf: str | None = None) -> str:
    """The branch as JSON with a message a line."""
    return "".join(
        json.dumps(_line(conversation, message), ensure_ascii=False) + "\n"
        for message in branch(conversation, leaf)
    )


def _line(conversation: Conversation, message: Message) -> dict[str, Any]:
    """A message as most programs want it, with its parts where they are more than text."""
    line: dict[str, Any] = {"role": message.role, "content": message.text}
    record = conversation.runs.get(message.run or "")
    if message.role == "assistant" and record is not None:
        line["model"] = record.model
        if record.feedback is not None:
            line["feedback"] = record.feedback
    if any(not isinstance(part, TextPart) for part in message.parts):
        line["parts"] = msgspec.to_builtins(message.parts)
    return line
