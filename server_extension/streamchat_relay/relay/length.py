"""The length: the most tokens that a prompt wants as its answer, under one name for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAME = "max_tokens"
"""What providers read; each writes it under its own name, see `Endpoint.length_field`."""
NAMES = (NAME, "max_completion_tokens")
"""What clients write: OpenAI has renamed it, and others have not."""


def one_length(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the length under `NAME` alone; the smaller one of two.

    What is no whole number goes on, for the provider to refuse it in its words.

    >>> one_length({"max_completion_tokens": 9, "temperature": 0})
    {'temperature': 0, 'max_tokens': 9}
    """
    given = [params[name] for name in NAMES if params.get(name) is not None]
    rest = {name: value for name, value in params.items() if name not in NAMES}
    if not given:
        return rest
    return {**rest, NAME: min(given, key=lambda size: size if isinstance(size, int) else 0)}
