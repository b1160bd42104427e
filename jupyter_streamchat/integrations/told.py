"""What a library is told: a conversation's messages as texts and files, before they are its own."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

import msgspec

from streamchat_relay.model import BadRequest, FilePart, Message, TextPart

_DATA = re.compile(r"data:([^;,]*)(?:;[^;,]*)*?(;base64)?,(.*)", re.DOTALL)


class File(msgspec.Struct, frozen=True):
    """A picture or another file, as bytes."""

    data: bytes
    media_type: str
    name: str = ""

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture of any format."""
        return self.media_type.startswith("image/")

    @property
    def base64(self) -> str:
        """The bytes in base64."""
        return base64.b64encode(self.data).decode()


class Told(msgspec.Struct, frozen=True):
    """One message with something in it; text files are texts."""

    role: Literal["user", "assistant"]
    parts: tuple[str | File, ...]

    @property
    def text(self) -> str:
        """All texts, a line apart from each other."""
        return "\n".join(part for part in self.parts if isinstance(part, str))

    @property
    def files(self) -> tuple[File, ...]:
        """What is not text."""
        return tuple(part for part in self.parts if isinstance(part, File))


def told(messages: Iterable[Message]) -> list[Told]:
    """The user's and the assistant's messages; an answer that stayed empty is left out.

    Raises `BadRequest` for a file that cannot be read.

    >>> told([Message(id="1", role="user", parts=(TextPart(text="Hello"),))])
    [Told(role='user', parts=('Hello',))]
    """
    found = []
    for message in messages:
        if message.role in {"user", "assistant"}:
            parts = tuple(
                part.text if isinstance(part, TextPart) else _file(part)
                for part in message.parts
                if (isinstance(part, TextPart) and part.text) or isinstance(part, FilePart)
            )
            if parts:
                role: Literal["user", "assistant"] = (
                    "user" if message.role == "user" else "assistant"
                )
                found.append(Told(role, parts))
    return found


def system_text(messages: Iterable[Message], params: Mapping[str, Any]) -> str:
    """The system prompt: the chat's, then what the conversation has of that role.

    >>> system_text([], {"system": "Answer in French."})
    'Answer in French.'
    """
    said = [message.text for message in messages if message.role == "system"]
    return "\n\n".join(filter(None, [params.get("system"), *said]))


def question(messages: Iterable[Message]) -> Told:
    """The message that is to be answered; raises `BadRequest` where there is none."""
    last = told(messages)[-1:]
    if not last or last[0].role != "user":
        raise BadRequest("There is no question to answer. Write one.")
    return last[0]


def _file(part: FilePart) -> str | File:
    name = part.name or "A file"
    match = _DATA.fullmatch(part.url)
    if match is None:
        raise BadRequest(f"{name} cannot be given to the model: it is only an address.")
    media_type = part.media_type or match[1] or "text/plain"
    try:
        data = base64.b64decode(match[3], validate=True) if match[2] else unquote_to_bytes(match[3])
        if media_type.startswith("text/") or media_type == "application/json":
            return f"{part.name}:\n{data.decode()}" if part.name else data.decode()
    except (binascii.Error, UnicodeError) as error:
        raise BadRequest(f"{name} is damaged: its data: URL cannot be decoded.") from error
    return File(data, media_type, part.name)
