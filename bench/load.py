"""The load: thousands of sockets and streams on one process, and readers that do not read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from bench import crowd, distance, readers, relays, sockets
from bench.relays import OURS, Relay

SETTLE_S = 6.0
"""Between a relay's start and the first prompt: a page loads, a person types."""

Measured = Coroutine[Any, Any, dict[str, float]]


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    sockets: int = 10_000
    at_once: int = 2_000
    idle_s: float = 10.0
    streams: int = 1_000
    rates: tuple[int, ...] = (1, 2, 5, 10, 20)
    step_s: int = 5
    waiting: int = 50_000_000
    seconds: int = 6


FULL = Size()
QUICK = Size(
    sockets=2_000, at_once=500, idle_s=3.0, streams=200, rates=(5, 25), step_s=3, seconds=4
)


def measure(relay: Relay, provider: int, size: Size) -> dict[str, float]:
    """Everything about one relay, freshly started twice; figures under `scenario / figure`."""
    found: dict[str, float] = {}

    def note(scenario: str, measured: Measured) -> None:
        try:
            figures = asyncio.run(measured)
        except (OSError, SystemExit) as error:
            # A relay that cannot is a result, not the end of the run.
            print(f"{relay.name}: {scenario}: {error}", flush=True)
            return
        found.update({f"{scenario} / {figure}": value for figure, value in figures.items()})

    if relay.path:
        with relays.started(relay, provider) as (port, pid):
            time.sleep(SETTLE_S)
            note("8 KB", readers.size(relay, port))
            note("40 ms away", distance.measure(relay, port, pid, seconds=size.seconds))
            waiting, seconds = size.waiting, size.seconds
            note("stalled", readers.stalled(relay, port, pid, waiting=waiting, seconds=seconds))
            if relay is OURS:
                note("slow", readers.slow(port, pid, seconds=seconds))
    with relays.started(relay, provider) as (port, pid):
        time.sleep(SETTLE_S)
        if relay.path:
            note(
                "idle sockets",
                sockets.measure(
                    relay,
                    port,
                    pid,
                    sockets=size.sockets,
                    at_once=size.at_once,
                    idle_s=size.idle_s,
                ),
            )
        note(
            "crowd",
            crowd.measure(
                relay,
                port,
                pid,
                provider,
                many=size.streams,
                rates=size.rates,
                step_s=size.step_s,
            ),
        )
    return found
