"""Readers that do not read: what they cost the relay, and what their neighbours feel of them."""

from __future__ import annotations

import asyncio

from bench import client, relays, streams
from bench.relays import OURS, Relay
from bench.streams import Load, percentile

NEIGHBOURS = 10
FAST = 50
BUFFER = 64 * 1024
"""Bytes that a reader's system takes in for it."""
PAD = 1000


async def stalled(
    relay: Relay, port: int, pid: int, *, waiting: int, seconds: int
) -> dict[str, float]:
    """A reader of `waiting` bytes that reads none of them, beside ten that read."""
    alone = await streams.run(relay, port, pid, Load("alone", NEIGHBOURS, 50, 50 * seconds))
    one = await relay.connect(port, latencies=False, buffer=BUFFER)
    before = relays.memory(pid)
    one.transport.pause_reading()
    tokens = waiting // PAD // 64 * 64
    relay.ask(one, 0, f"rate=0 tokens={tokens} pad={PAD}")
    most = _Most(pid)
    beside = await streams.run(relay, port, pid, Load("beside", NEIGHBOURS, 50, 50 * seconds))
    grown = most.stop() - before
    one.transport.resume_reading()
    # Of the peers nobody asks it, and the slowest would take a minute.
    came = relay is OURS and await streams.ended([one], 60)
    streams.close([one])
    return {
        "grown_mb": grown / 1e6,
        "alone_p50_us": alone["p50_us"],
        "beside_p50_us": beside["p50_us"],
        "p50_ratio": beside["p50_us"] / alone["p50_us"],
        "p99_ratio": beside["p99_us"] / alone["p99_us"],
        "came_later": float(came and one.seen.tokens >= tokens),
    }


class _Most:
    """The most memory that a process has held since."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._most = 0
        self._task = asyncio.ensure_future(self._look())

    def stop(self) -> int:
        self._task.cancel()
        return max(self._most, relays.memory(self._pid))

    async def _look(self) -> None:
        while True:
            self._most = max(self._most, relays.memory(self._pid))
            await asyncio.sleep(0.1)


async def slow(port: int, pid: int, *, seconds: int) -> dict[str, float]:
    """Fifty readers of one answer, and then fifty beside one that reads nothing for as long."""
    found = {}
    for name, lagging in (("alone", 0), ("beside", 1)):
        before = relays.memory(pid)
        readers = await streams.connect(OURS, port, FAST, latencies=True)
        laggards = [
            await OURS.connect(port, latencies=False, buffer=BUFFER) for _ in range(lagging)
        ]
        tokens = 50 * seconds
        OURS.ask(readers[0], 0, f"rate=50 tokens={tokens} pad={PAD}")
        for one in (*readers[1:], *laggards):
            client.follow_relay(one, readers[0].conversation)
        await asyncio.sleep(0.5)
        for one in laggards:
            one.transport.pause_reading()
        complete = await streams.ended(readers)
        found[f"{name}_grown_mb"] = (relays.memory(pid) - before) / 1e6
        latencies = [value for one in readers for value in one.seen.latencies]
        found[f"{name}_p50_us"] = percentile(latencies, 0.5)
        found[f"{name}_p99_us"] = percentile(latencies, 0.99)
        for one in laggards:
            one.transport.resume_reading()
        complete = complete and await streams.ended(laggards, 60)
        found["came_later"] = float(complete)
        streams.close([*readers, *laggards])
    found["p50_ratio"] = found["beside_p50_us"] / found["alone_p50_us"]
    found["p99_ratio"] = found["beside_p99_us"] / found["alone_p99_us"]
    return found


async def size(relay: Relay, port: int) -> dict[str, float]:
    """Bytes on the wire, both ways, for an answer of 8 KB in tokens of four characters.

    As a reader that offers compression gets it, and as one that does not.
    """
    found = {}
    for name, rate in (("paced", 500), ("poured", 0)):
        for how, deflate in (("plain", False), ("offered", True)):
            one = await relay.connect(port, latencies=False, deflate=deflate)
            relay.ask(one, 0, f"rate={rate} tokens=2048 plain=4")
            if not await streams.ended([one], 30):
                raise OSError("the answer of 8 KB did not end")
            found[f"{name}_{how}_mb"] = (one.seen.received + one.seen.sent) / 1e6
            streams.close([one])
    return found
