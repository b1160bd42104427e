"""A network between a browser and a server on loopback, which a test can take away.

`async with Network(server.port) as network:` carries everything from `network.port` to the
server's. `network.cut()` ends every connection in the middle of whatever it carried and lets no
new one through, until `network.mend()`. To lose a network in another way, change `_End`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

from typing_extensions import Self


class Network:
    """The way to one port; `async with` opens and closes it."""

    def __init__(self, to: int) -> None:
        self.port = 0
        self.refused = 0
        """Connections that were not let through."""
        self._to = to
        self._is_cut = False
        self._ends: set[_End] = set()
        self._reaching: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    def cut(self) -> None:
        """Take it away; what was sent and not yet carried is lost."""
        self._is_cut = True
        for end in list(self._ends):
            end.transport.abort()

    def mend(self) -> None:
        """Carry new connections again."""
        self._is_cut = False

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _End(self, self._came), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        self.cut()
        for task in self._reaching:
            task.cancel()
        await asyncio.gather(*self._reaching, return_exceptions=True)
        while self._ends:
            await asyncio.gather(*(end.lost for end in self._ends))

    def _came(self, near: _End) -> None:
        if self._is_cut:
            self.refused += 1
            near.transport.abort()
            return
        # What it says meanwhile waits in its socket.
        near.transport.pause_reading()
        task = asyncio.get_running_loop().create_task(self._reach(near))
        self._reaching.add(task)
        task.add_done_callback(self._reaching.discard)

    async def _reach(self, near: _End) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, far = await loop.create_connection(lambda: _End(self), "127.0.0.1", self._to)
        except OSError:
            near.transport.abort()
            return
        near.other, far.other = far, near
        if self._is_cut or near.lost.done():
            far.transport.abort()
        else:
            near.transport.resume_reading()


class _End(asyncio.Protocol):
    """One end of a connection: what comes in here goes out at the other."""

    transport: asyncio.Transport

    def __init__(self, network: Network, made: Callable[[_End], None] | None = None) -> None:
        self.other: _End | None = None
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._network = network
        self._made = made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._network._ends.add(self)
        if self._made is not None:
            self._made(self)

    def data_received(self, data: bytes) -> None:
        assert self.other is not None
        self.other.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._network._ends.discard(self)
        self.lost.set_result(None)
        if self.other is not None:
            self.other.transport.close()
