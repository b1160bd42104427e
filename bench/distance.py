"""Distance: a proxy on the loopback that hands everything on some milliseconds later.

`python -m bench.distance PORT TARGET_PORT DELAY_MS`
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench import relays, streams
from bench.relays import Relay

ONE_WAY_MS = 20.0
"""Half of the round trip of 40 ms."""


class _Side(asyncio.Protocol):
    """One side of a connection; what comes leaves on the other side, later."""

    def __init__(self, delay_s: float, other: _Side | None = None) -> None:
        self._delay_s = delay_s
        self.other = other
        self.transport: asyncio.Transport | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._loop = asyncio.get_running_loop()
        for data in self._early:
            transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._loop.call_later(self._delay_s, self.other.write, data)

    def write(self, data: bytes) -> None:
        if self.transport is None:
            self._early.append(data)
        elif not self.transport.is_closing():
            self.transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self.other.transport is not None:
            self._loop.call_later(self._delay_s, self.other.transport.close)


class _Front(_Side):
    """The reader's side; it connects to the relay."""

    def __init__(self, delay_s: float, target: int) -> None:
        super().__init__(delay_s, _Side(delay_s, self))
        self._target = target

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connecting = asyncio.ensure_future(
            self._loop.create_connection(lambda: self.other, "127.0.0.1", self._target)
        )


async def main(port: int, target: int, delay_ms: float) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(
        lambda: _Front(delay_ms / 1000, target), "127.0.0.1", port
    )
    async with server:
        await server.serve_forever()


@contextmanager
def _away(target: int) -> Iterator[int]:
    """The relay's port, so far away."""
    port = relays.free_port()
    command = [*(sys.executable, "-m", "bench.distance"), str(port), str(target), str(ONE_WAY_MS)]
    with relays.running(command, port, relays.LOAD_CPU):
        yield port


async def measure(relay: Relay, port: int, pid: int, *, seconds: int) -> dict[str, float]:
    """One stream of 50 tokens a second over the distance."""
    with _away(port) as far:
        load = streams.Load("away", 1, 50, 50 * seconds)
        found = await streams.run(relay, far, pid, load)
    return {"p50_ms": found["p50_us"] / 1000, "p99_ms": found["p99_us"] / 1000}


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
