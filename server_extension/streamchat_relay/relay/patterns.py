"""Patterns: tables by model, whose keys are `provider/model` or a pattern such as `openai/*`."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TypeVar

Value = TypeVar("Value")


def fitting(table: Mapping[str, Value], model: str) -> Value | None:
    """What the table says of the model itself, else under the first pattern that fits it.

    >>> fitting({"ollama/*": 8192, "ollama/big": 131072}, "ollama/big")
    131072
    """
    if model in table:
        return table[model]
    return next((value for name, value in table.items() if fnmatchcase(model, name)), None)
