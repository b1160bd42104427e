"""A client that costs so little that the server is what is measured: a WebSocket by hand.

    reader = await SwiftReader.connect(server)
    reader.open("c1", after=0)
    await reader.until(lambda: reader.seq >= 100)

It counts what comes for one conversation and acknowledges it; `stop_reading` is a reader that
takes nothing. Each `events` frame calls `on_events(first, last, payload)`, if there is one.
"""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import Callable

from tests.fakes.jupyter import JupyterServer

ACK_BYTES = 128 * 1024
BUFFER_BYTES = 256 * 1024
_TEXT, _PING, _PONG = 0x81, 0x89, 0x8A
_RANGE = re.compile(rb'"from":(\d+),"to":(\d+)')


class SwiftReader(asyncio.BufferedProtocol):
    """One socket that follows one conversation."""

    def __init__(self) -> None:
        self.seq = 0
        """The last event that came, all before it having come in order."""
        self.ended = False
        """Whether the newest event ends a run."""
        self.lost = False
        """Whether its socket is closed."""
        self.on_events: Callable[[int, int, memoryview], None] | None = None
        self._conversation = ""
        self._data = bytearray(BUFFER_BYTES)
        self._filled = 0
        self._upgraded = False
        self._unacknowledged = 0
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._transport: asyncio.Transport

    @classmethod
    async def connect(cls, server: JupyterServer) -> SwiftReader:
        """A socket that was greeted."""
        loop = asyncio.get_running_loop()
        _, reader = await loop.create_connection(cls, "127.0.0.1", server.port)
        reader._transport.write(
            f"GET {server.base_url}streamchat/ws HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{server.port}\r\nAuthorization: token {server.token}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            "Sec-WebSocket-Protocol: streamchat.v1\r\n\r\n".encode()
        )
        await reader.until(lambda: reader._upgraded)
        reader.say('{"type":"hello","client":"swift/1"}')
        return reader

    def say(self, frame: str) -> None:
        """Send one frame."""
        self._send(_TEXT, frame.encode())

    def open(self, conversation: str, *, after: int) -> None:
        """Follow the conversation."""
        self._conversation, self.seq = conversation, after
        self.say(f'{{"type":"open","id":"o","conversation":"{conversation}","after":{after}}}')

    def stop_reading(self) -> None:
        """Take nothing more from the socket."""
        self._transport.pause_reading()

    def read_on(self) -> None:
        """Take what there is."""
        self._transport.resume_reading()

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Return when it is so, which is looked at whenever something came."""
        if not wanted():
            come: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((wanted, come))
            await come

    async def until_the_end(self) -> None:
        """Return when the newest event ends a run."""
        await self.until(lambda: self.ended)

    def close(self) -> None:
        """Be gone."""
        self._transport.abort()

    # asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Where the next bytes go: behind a frame that is not complete."""
        return memoryview(self._data)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Take the frames that are complete."""
        self._filled += nbytes
        at = 0
        if not self._upgraded:
            at = self._data.find(b"\r\n\r\n", 0, self._filled) + 4
            if at < 4:
                return
            assert self._data.startswith(b"HTTP/1.1 101"), bytes(self._data[:200])
            self._upgraded = True
        at = self._frames(at)
        rest = self._filled - at
        assert rest < BUFFER_BYTES, "a frame is larger than any should be"
        if at:
            self._data[:rest] = self._data[at : self._filled]
            self._filled = rest
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server has had enough of a reader that takes nothing."""
        self.lost = True
        self._look()

    def _look(self) -> None:
        for wanted, come in self._waiting:
            if wanted() and not come.done():
                come.set_result(None)
        self._waiting = [one for one in self._waiting if not one[1].done()]

    def _send(self, opcode: int, data: bytes) -> None:
        size = len(data)
        head = struct.pack(">BB", opcode, 0x80 | size) if size < 126 else b""
        # RFC 6455 5.3: a client masks; with a key of zeros the bytes stay as they are.
        self._transport.write((head or struct.pack(">BBH", opcode, 0xFE, size)) + bytes(4) + data)

    def _frames(self, at: int) -> int:
        data, filled = self._data, self._filled
        while filled >= at + 10 or (filled > at + 1 and data[at + 1] < 126):
            size, begin = data[at + 1], at + 2
            if size >= 126:
                width = 2 if size == 126 else 8
                begin += width
                size = int.from_bytes(data[at + 2 : begin], "big")
            if filled < begin + size:
                break
            if data[at] == _TEXT:
                self._frame(begin, begin + size)
            elif data[at] == _PING:
                self._send(_PONG, bytes(data[begin : begin + size]))
            at = begin + size
        return at

    def _frame(self, begin: int, end: int) -> None:
        head = bytes(self._data[begin : min(begin + 200, end)])
        if not head.startswith(b'{"type":"events"'):
            return
        found = _RANGE.search(head)
        assert found is not None
        first, last = map(int, found.groups())
        assert first == self.seq + 1, "an event was lost or doubled"
        self.seq = last
        self.ended = self._data.find(b'{"type":"finish"', max(begin, end - 1000), end) >= 0
        if self.on_events is not None:
            self.on_events(first, last, memoryview(self._data)[begin:end])
        self._unacknowledged += end - begin
        if self._unacknowledged >= ACK_BYTES or self.ended:
            self._unacknowledged = 0
            self.say(f'{{"type":"ack","conversation":"{self._conversation}","seq":{last}}}')
