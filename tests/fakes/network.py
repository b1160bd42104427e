"""A network between clients and a server on loopback, which a test can take away or make faulty.

`async with Network(server.port) as network:` carries everything from `network.port` to the
server's. `network.cut()` ends every connection in the middle of whatever it carried and lets no
new one through, until `network.mend()`. With `faults`, a function that gives each new connection
its `Fault`, it fails by itself. To lose a network in another way, see `faults.py`.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import deque
from collections.abc import Callable
from types import TracebackType

from typing_extensions import Self

from tests.fakes.faults import Fault, Side


def no_fault() -> Fault:
    """Carry it faithfully."""
    return Fault()


def nobody(_link: Link) -> None:
    """Nobody wants to know."""


class Network:
    """The way to one port; `async with` opens and closes it.

    `changed` is called with a link when its fault strikes and when an end of it is gone.
    """

    def __init__(
        self,
        to: int,
        faults: Callable[[], Fault] = no_fault,
        changed: Callable[[Link], None] = nobody,
    ) -> None:
        self.port = 0
        self.refused = 0
        """Connections that were not let through."""
        self.links: list[Link] = []
        """All connections that there were, the newest last."""
        self._to = to
        self.faults = faults
        self._changed = changed
        self._is_cut = False
        self._reaching: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    def cut(self) -> None:
        """Take it away; what was sent and not yet carried is lost."""
        self._is_cut = True
        for link in self.links:
            link.reset()

    def mend(self) -> None:
        """Carry new connections again."""
        self._is_cut = False

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._end, "127.0.0.1", 0)
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
        ends = [end for link in self.links for end in link.ends()]
        await asyncio.gather(*(end.lost for end in ends))

    def _end(self) -> _End:
        return _End(self._came)

    def _came(self, near: _End) -> None:
        if self._is_cut:
            self.refused += 1
            near.reset()
            return
        # What it says meanwhile waits in its socket.
        near.transport.pause_reading()
        link = Link(near, self.faults(), self._changed)
        self.links.append(link)
        task = asyncio.get_running_loop().create_task(self._reach(link))
        self._reaching.add(task)
        task.add_done_callback(self._reaching.discard)

    async def _reach(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, far = await loop.create_connection(_End, "127.0.0.1", self._to)
        except OSError:
            link.near.reset()
            return
        link.join(far)


class Link:
    """One connection through the network: its two ends, and what befalls it."""

    def __init__(self, near: _End, fault: Fault, changed: Callable[[Link], None]) -> None:
        self.near = near
        self.far: _End | None = None
        self.struck = False
        """Whether its fault has happened, or an end has closed it."""
        self.head = b""
        """What the client said first, so that a test can tell what the connection is for."""
        self.fault = fault
        self._changed = changed
        self._left = fault.after
        self._deaf: set[_End] = set()
        self._early = b""
        near.link = self

    @property
    def stalls(self) -> bool:
        """Whether the client still believes in a connection that does not carry any more."""
        return self.struck and not self.near.lost.done()

    def __str__(self) -> str:
        lost = [end.lost.done() for end in self.ends()]
        return f"{self.fault}, struck {self.struck}, left {self._left}, lost {lost}"

    def ends(self) -> list[_End]:
        """Those that there are."""
        return [self.near] if self.far is None else [self.near, self.far]

    def strike(self, fault: Fault | None = None) -> None:
        """Let its fault, or another one, happen now."""
        if self.struck:
            return
        self.struck = True
        fault = self.fault = fault or self.fault
        # Before the server was reached there is nobody to deceive.
        kind = fault.kind if self.far is not None else "cut"
        to = self._at(fault.to)
        if kind == "cut":
            self.reset()
        elif kind == "half-open":
            for end in self.ends():
                self._deaf.add(end)
                if end is not to:
                    end.reset()
        else:
            self._deaf.update({to} if kind == "one-way" else self.ends())
        self._changed(self)

    def befall(self, fault: Fault) -> None:
        """Let this fault strike after so many bytes from now on."""
        self.fault, self._left = fault, fault.after

    def reset(self) -> None:
        """End it for both."""
        self.struck = True
        for end in self.ends():
            end.reset()

    def join(self, far: _End) -> None:
        """The server is reached."""
        self.far, far.link = far, self
        if self.struck or self.near.lost.done():
            far.reset()
            return
        for end in (self.near, far):
            end.carriage = Carriage(self.fault, end)
        if self._left == 0:
            self.strike()
        if self._early:
            self.carry(self._early, self.near)
        if not self.near.transport.is_closing():
            self.near.transport.resume_reading()

    def carry(self, data: bytes, came: _End) -> None:
        """Bytes came at one end."""
        if self.far is None:
            # Before Python 3.11 a socket is read although that was paused as it was made.
            self._early += data
            return
        to = self.far if came is self.near else self.near
        self.head = self.head or data[:200]
        if to not in self._deaf and to.carriage is not None:
            to.carriage.load(data)

    def deliver(self, data: bytes, to: _End) -> None:
        """Bytes go out at an end."""
        if to in self._deaf:
            return
        if self._left is not None and not self.struck and to is self._at(self.fault.to):
            if len(data) >= self._left:
                to.transport.write(data[: self._left])
                self.strike()
                return
            self._left -= len(data)
        to.transport.write(data)

    def lost(self, end: _End) -> None:
        """An end is gone."""
        other = self.far if end is self.near else self.near
        # What the network does not carry, it does not end either: not even an end.
        if other is not None and other not in self._deaf and end not in self._deaf:
            self.struck = True
            other.transport.close()
        self._changed(self)

    def _at(self, side: Side) -> _End | None:
        return self.near if side == "client" else self.far


class Carriage:
    """One direction: what is on its way, in the pieces and with the delays of the fault."""

    def __init__(self, fault: Fault, to: _End) -> None:
        self._fault = fault
        self._to = to
        self._rng = random.Random(fault.seed)
        self._way: deque[bytes] = deque()

    def load(self, data: bytes) -> None:
        """Take bytes on their way."""
        if not self._fault.piece and not self._fault.delay:
            self._unload(data)
            return
        idle = not self._way
        while data:
            size = self._rng.randint(1, self._fault.piece) if self._fault.piece else len(data)
            self._way.append(data[:size])
            data = data[size:]
        if idle:
            self._wait()

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        if self._fault.delay:
            loop.call_later(self._rng.random() * self._fault.delay, self._arrive)
        else:
            loop.call_soon(self._arrive)

    def _arrive(self) -> None:
        self._unload(self._way.popleft())
        if self._way:
            self._wait()

    def _unload(self, data: bytes) -> None:
        if not self._to.transport.is_closing() and self._to.link is not None:
            self._to.link.deliver(data, self._to)


class _End(asyncio.Protocol):
    """One end of a link: what comes in here goes out at the other."""

    transport: asyncio.Transport

    def __init__(self, made: Callable[[_End], None] | None = None) -> None:
        self.link: Link | None = None
        self.carriage: Carriage | None = None
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._made = made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self._made is not None:
            self._made(self)

    def data_received(self, data: bytes) -> None:
        if self.link is not None:
            self.link.carry(data, self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(None)
        if self.link is not None:
            self.link.lost(self)

    def reset(self) -> None:
        """End it with RST, as a lost network does in the end: with a linger of zero."""
        if not self.transport.is_closing():
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
