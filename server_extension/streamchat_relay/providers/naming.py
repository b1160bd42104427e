"""Names of models and providers, as messages show them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

LONGEST = 256
"""Characters of a name that can be near another: to compare longer ones takes seconds."""


def shown(name: str, length: int = 80) -> str:
    """The name, cut where it is longer than a message should be.

    >>> shown("gpt-5-mini", 6)
    'gpt-5…'
    """
    return name if len(name) <= length else name[: length - 1] + "…"


def near(name: str, known: Sequence[str], what: str = "") -> str:
    """A sentence that names what is near an unknown name, or what there is at all.

    >>> near("gpt-5-min", ["gpt-5-mini", "o3"])
    'Did you mean gpt-5-mini?'
    """
    if len(name) > LONGEST:
        return ""
    lower = {entry.lower(): entry for entry in known if len(entry) <= LONGEST}
    close = difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.7)
    if close:
        return f"Did you mean {' or '.join(lower[entry] for entry in close)}?"
    if not lower:
        return ""
    more = ", …" if len(lower) > 8 else ""
    return f"{what or 'There are'} {', '.join(sorted(lower.values())[:8])}{more}."
