"""Parts: the typed pieces that a message is made of."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """`id` is unique in its message; `open` is true while deltas may still come."""

    id: str = ""
    open: bool = False


class TextPart(_Part, frozen=True, tag="text"):
    """Markdown text."""

    text: str


class ReasoningPart(_Part, frozen=True, tag="reasoning"):
    """What a reasoning model thought before it answered.

    `provider_metadata` is what its provider wants to see again when the answer goes on. It thought
    from `started_t` to `ended_t`, in milliseconds after the run was accepted.
    """

    text: str
    provider_metadata: dict[str, Any] | None = None
    started_t: float | None = None
    ended_t: float | None = None


class FilePart(_Part, frozen=True, tag="file"):
    """A file by address: a `data:` URL or a blob of this server.

    `size` is that of a blob in bytes, as the relay found it; 0 where it is not known.
    """

    url: str
    media_type: str
    name: str = ""
    size: int = 0


class SourcePart(_Part, frozen=True, tag="source"):
    """A source that the model cites."""

    url: str
    title: str = ""


ToolState = Literal[
    "input-streaming",
    "input-available",
    "approval-requested",
    "approval-responded",
    "output-available",
    "output-error",
]


class ToolPart(_Part, frozen=True, tag="tool"):
    """A tool call and, once there is one, its result.

    `input_text` is the arguments' JSON as it streams; `input` the arguments once complete.
    Calls of the same `round` were made at once, before there was a result of any.
    `digest` is what an approval of this call names, where one was asked for, and `allowed` what
    was decided.
    """

    name: str
    state: ToolState = "input-streaming"
    input_text: str = ""
    input: Any = None
    output: Any = None
    error: str = ""
    digest: str = ""
    allowed: bool | None = None
    provider_metadata: dict[str, Any] | None = None
    round: int = 0

    @property
    def ended(self) -> bool:
        """Whether it has a result, good or bad."""
        return self.state in {"output-available", "output-error"}


Part = TextPart | ReasoningPart | FilePart | SourcePart | ToolPart
