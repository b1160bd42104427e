"""The limit on open files: one socket is one, and most systems begin at 1,024."""

from __future__ import annotations

import resource

SPARE = 500
"""Files that a process needs besides the sockets."""


def raise_file_limit() -> int:
    """Raise the soft limit to the hard one; gives it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def sockets_within(wanted: int) -> int:
    """So many of them as the limit allows; says so where it allows fewer."""
    most = raise_file_limit() - SPARE
    if wanted > most:
        print(f"This system allows {most + SPARE:,} open files: {most:,} sockets, not {wanted:,}.")
    return min(wanted, most)
