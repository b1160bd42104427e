"""Streams: so many at once through one relay, at a rate, and what their readers saw."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from bench import client, relays
from bench.relays import Relay

ENOUGH_S = 120
"""No load takes longer."""


@dataclass(frozen=True)
class Load:
    """Streams at once, their rate (0: as fast as it goes), their length, and what readers offer."""

    name: str
    streams: int
    rate: int
    tokens: int
    deflate: bool = False

    @property
    def prompt(self) -> str:
        """What the provider is told."""
        return f"rate={self.rate} tokens={self.tokens}"


def percentile(values: Sequence[int], share: float) -> float:
    """In microseconds, of values in nanoseconds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1000 if ordered else 0.0


async def connect(
    relay: Relay, port: int, many: int, *, latencies: bool, deflate: bool = False
) -> list[Reader]:
    """Readers with open sockets, opened a few at a time."""
    made: list[Reader] = []
    while len(made) < many:
        some = range(len(made), min(many, len(made) + 50))
        made += await asyncio.gather(
            *(
                relay.connect(port, latencies=latencies, number=number, deflate=deflate)
                for number in some
            )
        )
    return made


Reader = client.StreamProtocol


async def ended(readers: Sequence[Reader], seconds: float = ENOUGH_S) -> bool:
    """Whether all of them came to their end in this time."""
    with suppress(TimeoutError, asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.gather(*(one.seen.done.wait() for one in readers)), seconds)
        return True
    return False


def close(readers: Sequence[Reader]) -> None:
    """Close them at once."""
    for one in readers:
        one.transport.abort()


async def run(relay: Relay, port: int, pid: int, load: Load) -> dict[str, float]:
    """One load against a started relay."""
    readers = await connect(
        relay, port, load.streams, latencies=bool(load.rate), deflate=load.deflate
    )
    cpu, began = relays.cpu_seconds(pid), time.monotonic()
    for number, one in enumerate(readers):
        relay.ask(one, number, load.prompt)
    complete = await ended(readers)
    took, cpu = time.monotonic() - began, relays.cpu_seconds(pid) - cpu
    expected = load.streams * (load.tokens + 1)
    tokens = sum(one.seen.tokens for one in readers)
    close(readers)
    if not complete or (load.rate and tokens != expected):
        raise SystemExit(f"{relay.name}: {tokens} tokens of {expected} came ({load.name})")
    latencies = [value for one in readers for value in one.seen.latencies]
    return {
        "p50_us": percentile(latencies, 0.5),
        "p99_us": percentile(latencies, 0.99),
        "cpu_us_per_token": cpu * 1e6 / expected,
        "tokens_per_s": expected / took,
        "first_ms": max(one.seen.first_added or 0 for one in readers) / 1e6,
    }
