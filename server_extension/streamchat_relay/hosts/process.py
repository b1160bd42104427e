"""The process: room for many sockets, short turns for its threads, and short collections."""

from __future__ import annotations

import contextlib
import gc
import sys
from typing import Any

from tornado.httpserver import HTTPServer

MOST_FILES = 65_536
"""Open files that are asked for, where the system allows so many."""

BACKLOG = 4096
"""Sockets that may wait to be accepted; the system cuts it to what it allows."""

TURN_S = 0.000_5
"""For how long a thread may keep the others waiting."""


def make_room(server: HTTPServer | None) -> None:
    """Let many sockets be open, and come at once.

    Jupyter asks for 4,096 files and tornado for a backlog of 128: beyond these, sockets are
    dropped, and a page that reconnects with all others after a restart waits for seconds.
    """
    _raise_file_limit()
    # tornado has no public way to its sockets; a test pins this one.
    listening: dict[int, Any] = getattr(server, "_sockets", {})
    for sock in listening.values():
        with contextlib.suppress(OSError):
            sock.listen(BACKLOG)


def shorten_turns() -> None:
    """Let the loop have the interpreter back soon after each of its system calls.

    While another thread computes, it may keep the interpreter for 5 ms each time the loop sends
    or receives; with fifty streams that is tens of milliseconds a token.
    """
    sys.setswitchinterval(min(sys.getswitchinterval(), TURN_S))


def settle() -> None:
    """Leave what was made so far, mostly modules, out of all later collections.

    The SDKs alone are hundreds of thousands of objects; a full collection that looks at them
    stops every stream for some hundred milliseconds.
    """
    gc.freeze()


def _raise_file_limit() -> None:
    try:
        import resource  # noqa: PLC0415 - not on Windows, which has no such limit
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft not in {resource.RLIM_INFINITY, most} and soft < most:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
