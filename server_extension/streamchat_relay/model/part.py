"""Parts: the typed pieces that a message is made of."""

from __future__ import annotations

from typing import Any

import msgspec


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """`id` is unique in its message; `open` is true while deltas may still come."""

    id: str = ""
    open: bool = False


class TextPart(_Part, frozen=True, tag="text"):
    """Markdown text."""

    text: str


class ReasoningPart(_Part, frozen=True, tag="reasoning"):
    """What a reasoning model thought before it answered."""

    text: str


class FilePart(_Part, frozen=True, tag="file"):
    """A file by address: a `data:` URL or a blob of this server."""

    url: str
    media_type: str
    name: str = ""


class SourcePart(_Part, frozen=True, tag="source"):
    """A source that the model cites."""

    url: str
    title: str = ""


class ToolPart(_Part, frozen=True, tag="tool"):
    """A tool call and, once there is one, its result.

    `input_text` is the arguments' JSON as it streams; `input` the arguments once complete.
    """

    name: str
    input_text: str = ""
    input: Any = None
    output: Any = None
    error: str = ""


Part = TextPart | ReasoningPart | FilePart | SourcePart | ToolPart
