"""A dialect: JSON that is nearly a wire's, read for what it holds. What is odd is ignored."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

MAX_COUNT = 2**53 - 1
"""The largest count that every client can read: a browser's numbers are doubles."""

Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)] | None
"""Tokens as a wire should tell them."""

UNREADABLE = (ValueError, RecursionError)
"""What `read` raises."""


def read(payload: bytes) -> Any:
    r"""The value of an event, None for a blank one; raises what is in `UNREADABLE`.

    >>> read(b'{"halves": "\\ud83d", "logprob": -Infinity}')
    {'halves': '\ud83d', 'logprob': -inf}
    """
    # HTML 9.2.6 decodes the stream as UTF-8 with replacement; JSON parsers do not.
    text = payload.decode("utf-8", "replace")
    return json.loads(text, strict=False) if text.strip() else None


def objects(value: object) -> list[Mapping[str, Any]]:
    """The objects in a list; empty for what is no list."""
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, Mapping)]


def fields(value: object) -> Mapping[str, Any]:
    """An object's fields; empty for what is no object."""
    return value if isinstance(value, Mapping) else {}


def string(value: object) -> str:
    """A text; empty for what is none."""
    return value if isinstance(value, str) else ""


def text(value: object) -> str:
    """What a text says, or an object with a `text`, or a list of these; empty for all else.

    >>> text("a"), text([{"text": "b"}, {"text": None}]), text(3)
    ('a', 'b', '')
    """
    entries = value if isinstance(value, list) else [value]
    return "".join(
        string(entry.get("text") if isinstance(entry, Mapping) else entry) for entry in entries
    )


def count(value: object) -> int | None:
    """Tokens, from a number or its digits; None for what cannot be a count.

    >>> count(3.0), count("3"), count(-1), count([])
    (3, 3, None, None)
    """
    if not isinstance(value, (int, float, str)) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return int(number) if math.isfinite(number) and 0 <= number <= MAX_COUNT else None
