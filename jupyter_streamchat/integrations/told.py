"""What a library is told: a conversation's messages as texts and files, before they are its own."""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

import msgspec

from streamchat_relay.model import (
    BadRequest,
    FilePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolPart,
    text_of,
)

NOT_ANSWERED = "This call was not run."
_DATA = re.compile(r"data:([^;,]*)(?:;[^;,]*)*?(;base64)?,(.*)", re.DOTALL)


class File(msgspec.Struct, frozen=True):
    """A picture, audio or another file, as bytes."""

    data: bytes
    media_type: str
    name: str = ""

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture of any format."""
        return self.media_type.startswith("image/")

    @property
    def is_audio(self) -> bool:
        """Whether it is audio, WAV or MP3."""
        return self.media_type.startswith("audio/")

    @property
    def base64(self) -> str:
        """The bytes in base64."""
        return base64.b64encode(self.data).decode()


class Use(msgspec.Struct, frozen=True):
    """A call of a tool, and what came of it, as text; `id` is its own in the conversation."""

    id: str
    name: str
    input: dict[str, Any]
    result: str
    failed: bool


class Told(msgspec.Struct, frozen=True):
    """One message with something in it; text files are texts.

    `uses` are the calls of tools that it ended in.
    """

    role: Literal["user", "assistant"]
    parts: tuple[str | File, ...]
    uses: tuple[Use, ...] = ()

    @property
    def text(self) -> str:
        """All texts, a line apart from each other."""
        return "\n".join(part for part in self.parts if isinstance(part, str))

    @property
    def files(self) -> tuple[File, ...]:
        """What is not text."""
        return tuple(part for part in self.parts if isinstance(part, File))


def told(messages: Iterable[Message], *, calls: bool = False) -> list[Told]:
    """The user's and the assistant's messages; an answer that stayed empty is left out.

    With `calls`, for what runs tools itself, an answer that called some is several messages, each
    up to the results of its calls; else it is its texts alone, for a model without tools may
    refuse to be told of calls. Raises `BadRequest` for a file that cannot be read.

    >>> told([Message(id="1", role="user", parts=(TextPart(text="Hello"),))])
    [Told(role='user', parts=('Hello',), uses=())]
    """
    numbers = itertools.count(1)
    return [
        step
        for message in messages
        if message.role in {"user", "assistant"}
        for step in _steps(message, numbers, calls=calls)
        if step.parts or step.uses
    ]


def _steps(message: Message, numbers: Iterator[int], *, calls: bool) -> Iterator[Told]:
    role: Literal["user", "assistant"] = "user" if message.role == "user" else "assistant"
    parts: list[str | File] = []
    uses: list[Use] = []
    for part in message.parts:
        if isinstance(part, ToolPart):
            if calls:
                uses.append(_use(part, f"call{next(numbers):05d}"))
            continue
        if uses and isinstance(part, TextPart | ReasoningPart | FilePart):
            yield Told(role, tuple(parts), tuple(uses))
            parts, uses = [], []
        if isinstance(part, FilePart):
            parts.append(_file(part))
        elif isinstance(part, TextPart):
            # The blank line with which an agent goes on after its tools is the chat's.
            text = part.text.lstrip("\n") if calls and role == "assistant" else part.text
            parts += [text] if text else []
    yield Told(role, tuple(parts), tuple(uses))


def _use(part: ToolPart, name: str) -> Use:
    failed = part.state != "output-available"
    result = (part.error or NOT_ANSWERED) if failed else text_of(part.output)
    given = part.input if isinstance(part.input, dict) else {}
    return Use(name, part.name, given, result, failed)


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
