"""The crowd: a thousand streams at once, faster from step to step until the relay has enough."""

from __future__ import annotations

import asyncio
import time

from bench import relays, streams
from bench.relays import Relay
from bench.streams import Reader, percentile

SATURATED_US = 250_000
"""A token of a hundred later than that, and the step is too much."""
PATIENCE_S = 30
"""A stream that has not begun by then has failed."""


async def measure(
    relay: Relay,
    port: int,
    pid: int,
    provider: int,
    *,
    many: int,
    rates: tuple[int, ...],
    step_s: int,
) -> dict[str, float]:
    """What a stream costs, what its readers see at each rate, and the last rate that was kept."""
    readers = await streams.connect(relay, port, many, latencies=True)
    await asyncio.sleep(2)
    before = relays.memory(pid)
    await set_pace(provider, 1)
    for number, one in enumerate(readers):
        relay.ask(one, number, "rate=1 tokens=1000000")
    for _ in range(PATIENCE_S * 10):
        await asyncio.sleep(0.1)
        if all(one.seen.first_added is not None for one in readers):
            break
    begun = [one.seen.first_added for one in readers if one.seen.first_added is not None]
    found: dict[str, float] = {
        "streams": many,
        "begun": len(begun),
        "first_p50_ms": percentile(begun, 0.5) / 1000,
        "first_p99_ms": percentile(begun, 0.99) / 1000,
        "kept_tokens_per_s": 0.0,
    }
    for rate in rates:
        await set_pace(provider, rate)
        # Until the last timer of the old pace has run.
        await asyncio.sleep(1.2)
        step = await _step(readers, pid, rate, step_s)
        if rate == rates[0]:
            found["kb_per_stream"] = (relays.memory(pid) - before) / many / 1000
        found |= {f"{rate} / {figure}": value for figure, value in step.items()}
        if step["share"] < 0.95 or step["p99_us"] > SATURATED_US:
            break
        found["kept_tokens_per_s"] = step["tokens_per_s"]
    await set_pace(provider, 0)
    await streams.ended(readers, PATIENCE_S)
    found["ended"] = sum(one.seen.done.is_set() for one in readers)
    streams.close(readers)
    await set_pace(provider, 1)
    return found


async def _step(readers: list[Reader], pid: int, rate: int, step_s: int) -> dict[str, float]:
    for one in readers:
        one.seen.latencies.clear()
    came, cpu, began = _tokens(readers), relays.cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(step_s)
    came, cpu = _tokens(readers) - came, relays.cpu_seconds(pid) - cpu
    took = time.monotonic() - began
    latencies = [value for one in readers for value in one.seen.latencies]
    return {
        "p50_us": percentile(latencies, 0.5),
        "p90_us": percentile(latencies, 0.9),
        "p99_us": percentile(latencies, 0.99),
        "tokens_per_s": came / took,
        "share": came / took / (len(readers) * rate),
        "cpu_us_per_token": cpu * 1e6 / max(1, came),
        "cpu_percent": 100 * cpu / took,
    }


async def set_pace(provider: int, pace: int) -> None:
    """Make every stream that has a rate so many times as fast; 0 ends them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", provider)
    writer.write(f"GET /pace/{pace} HTTP/1.1\r\n\r\n".encode())
    await reader.read(1)
    writer.close()


def _tokens(readers: list[Reader]) -> int:
    return sum(one.seen.tokens for one in readers)
