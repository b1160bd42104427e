"""Lines: encoded events as stores keep them, and what can be told of one without reading it all."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

LINES_BYTES = 64 * 1024
"""About how much is handled at a time."""
TERMINALS = (b'{"type":"finish"', b'{"type":"abort"', b'{"type":"error"')
"""How the events begin that end a run."""


class _RunOf(msgspec.Struct):
    type: str
    run: str = ""


_run_of = msgspec.json.Decoder(_RunOf)


def started_run(event: bytes) -> str | None:
    """The run that this event starts, if it is a `start`."""
    # A cheap look first: a store sees every delta, and few events start a run.
    if b'"start"' not in event[:24]:
        return None
    head = _run_of.decode(event)
    return head.run if head.type == "start" else None


def ended_run(event: bytes) -> str | None:
    """The run that this event ends, if it is a terminal one."""
    return _run_of.decode(event).run if event.startswith(TERMINALS) else None


def gathered(lines: Iterable[bytes]) -> list[bytes]:
    """The same events, as many together as make some 64 KiB."""
    found: list[bytes] = []
    waiting: list[bytes] = []
    size = 0
    for some in lines:
        for one in (some,) if len(some) <= LINES_BYTES else some.split(b"\n"):
            if size + len(one) > LINES_BYTES and waiting:
                found.append(b"\n".join(waiting))
                waiting, size = [], 0
            waiting.append(one)
            size += len(one) + 1
    return [*found, b"\n".join(waiting)] if waiting else found
