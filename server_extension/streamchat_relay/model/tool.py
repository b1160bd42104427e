"""Tools: what a model may call, and the digest that an approval is bound to."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

import msgspec

from streamchat_relay.model.error import BadRequest

TOOL_NAME_PATTERN = r"^[A-Za-z0-9_-]{1,64}$(?!\n)"
"""What every provider takes as a tool's name."""
MAX_TOOLS = 128
"""Tools of a conversation that one client offers: as many as OpenAI's API takes."""
MAX_OFFER = 256 * 1024
"""Bytes of JSON of these tools."""
MAX_RESULT = 256 * 1024
"""Bytes of JSON that a tool may return."""
MAX_ERROR = 4_000
"""Characters of what a tool says that went wrong."""


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as a model is told of it; `input_schema` is the JSON schema of its arguments."""

    name: Annotated[str, msgspec.Meta(pattern=TOOL_NAME_PATTERN)]
    description: str
    input_schema: dict[str, Any]


def check_size(specs: tuple[ToolSpec, ...]) -> None:
    """Raise `BadRequest` where these are more tools than models are told of."""
    size = len(msgspec.json.encode(specs))
    if len(specs) > MAX_TOOLS or size > MAX_OFFER:
        raise BadRequest(
            f"A chat has at most {MAX_TOOLS} tools of {MAX_OFFER // 1024} KiB in all, and these "
            f"are {len(specs):,} of {size // 1024:,}. Offer fewer, or describe them more shortly."
        )


def digest_of(name: str, arguments: Any) -> str:
    """What an approval is bound to: SHA-256 of a call's name and arguments, in hexadecimal.

    The order of an object's names does not matter.

    >>> digest_of("add", {"a": 1, "b": 2}) == digest_of("add", {"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(msgspec.json.encode([name, arguments], order="sorted")).hexdigest()


def text_of(output: Any) -> str:
    """What a model reads of a tool's output: a text as it is, anything else as JSON.

    >>> text_of("4 °C"), text_of({"celsius": 4})
    ('4 °C', '{"celsius":4}')
    """
    return output if isinstance(output, str) else msgspec.json.encode(output).decode()
