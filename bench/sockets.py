"""Idle sockets: how many a relay holds, how many may come at once, and what each costs."""

from __future__ import annotations

import asyncio
import time

from bench import client, relays
from bench.client import IdleProtocol
from bench.limits import sockets_within
from bench.relays import OURS, Relay

WAVE = 100
"""Sockets that connect at once before the crowd does."""
PATIENCE_S = 60.0
"""A socket that is not open by then has failed."""


async def measure(
    relay: Relay, port: int, pid: int, *, sockets: int, at_once: int, idle_s: float
) -> dict[str, float]:
    """Open all but the crowd in waves, then the crowd at once; let all of them be idle."""
    sockets = sockets_within(sockets)
    # What is made once is not a socket's.
    for one in await _open(relay, port, range(WAVE)):
        one.transport.abort()
    await asyncio.sleep(1)
    before = relays.memory(pid)
    made: list[IdleProtocol] = []
    began = time.monotonic()
    for first in range(0, sockets - at_once, WAVE):
        last = min(first + WAVE, sockets - at_once)
        made += await _open(relay, port, range(first, last))
    waves_s = time.monotonic() - began
    began = time.monotonic()
    made += await _open(relay, port, range(len(made), sockets))
    crowd_s = time.monotonic() - began
    await asyncio.sleep(2)
    held = relays.memory(pid) - before
    cpu, began = relays.cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(idle_s)
    cpu, took = relays.cpu_seconds(pid) - cpu, time.monotonic() - began
    refused = sockets - len(made)
    open_now = sum(one.open for one in made)
    for one in made:
        one.transport.abort()
    await asyncio.sleep(2)
    return {
        "sockets": sockets,
        "failed": sockets - open_now,
        "never_open": refused,
        "kb": held / max(1, open_now) / 1000,
        "connects_per_s": (sockets - at_once) / waves_s if waves_s else 0.0,
        "crowd_s": crowd_s,
        "idle_cpu_percent": 100 * cpu / took,
    }


async def _open(relay: Relay, port: int, numbers: range) -> list[IdleProtocol]:
    """Those of them that were let in."""

    async def one(number: int) -> IdleProtocol:
        made = await asyncio.wait_for(
            client.websocket(IdleProtocol, port, relay.path, number=number), PATIENCE_S
        )
        if relay is OURS:
            # At once: it is given ten seconds.
            client.greet(made)
        return made

    found = await asyncio.gather(*map(one, numbers), return_exceptions=True)
    return [made for made in found if isinstance(made, IdleProtocol)]
