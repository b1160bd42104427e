"""Depth: how deep the lists and objects of a JSON value are nested."""

from __future__ import annotations

MAX_DEPTH = 32
"""Levels of lists and objects in what joins a log. What is read at the limit of the recursion could
not be written again a few calls deeper."""


def deeper(value: object, levels: int = MAX_DEPTH) -> bool:
    """Whether lists and objects are nested more than so many levels deep.

    >>> deeper([[1]], 1), deeper([[1]], 2)
    (True, False)
    """
    match value:
        case dict():
            inner = list(value.values())
        case list():
            inner = value
        case _:
            return False
    return levels == 0 or any(deeper(one, levels - 1) for one in inner)
