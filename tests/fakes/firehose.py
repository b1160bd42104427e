"""A provider that sends as fast as its reader takes it, and tells how far it came.

    async with Firehose(delta="x" * 4096, count=10_000) as hose:
        ... base URLs hose.openai_url, hose.anthropic_url ...
        await hose.blocked()        # its reader takes no more
        hose.sent                   # deltas that the kernel has taken

Its kernel buffer is small, so what it could send was taken by the reader, or waits in the
reader's own buffer. `delta`, `count` and `rate` may be changed for the next answer.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from contextlib import suppress

from typing_extensions import Self

from tests.fakes.provider_wires import Answer, anthropic_events, openai_events

SEND_BUFFER = 64 * 1024


class Firehose:
    """The server; `async with` starts and stops it. Every answer is the same."""

    def __init__(self, *, delta: str, count: int, tls: ssl.SSLContext | None = None) -> None:
        self.delta = delta
        self.count = count
        self.rate: float | None = None
        """Deltas a second; as fast as they are taken without it."""
        self.sent = 0
        self.sent_at: list[float] = []
        """When each was, by the loop's time."""
        self.done = 0
        """Answers that were sent whole."""
        self.gone = asyncio.Event()
        """Set when a connection was closed."""
        self.port = 0
        self._tls = tls
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def openai_url(self) -> str:
        """The base URL for whatever speaks Chat Completions."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1"

    @property
    def anthropic_url(self) -> str:
        """The base URL for whatever speaks Messages."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    async def blocked(self) -> None:
        """Return when the reader takes no more: the same bytes wait for long."""
        rounds = 0
        sent = -1
        while rounds < 500:
            waits = any(one.transport.get_write_buffer_size() for one in self._writers)
            rounds = rounds + 1 if waits and sent == self.sent else 0
            sent = self.sent
            await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        transport = writer.transport
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        # Nothing of it waits in this process. With 0, TLS never goes on.
        transport.set_write_buffer_limits(1)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
                await reader.readexactly(length)
                await self._answer(writer, openai=b"/chat/completions" in head)
        self._writers.discard(writer)
        self.gone.set()
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, *, openai: bool) -> None:
        make = openai_events if openai else anthropic_events
        events = make(Answer(deltas=[self.delta]))
        at = next(i for i, event in enumerate(events) if json.dumps(self.delta).encode() in event)
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        writer.write(_chunk(b"".join(events[:at])))
        delta = _chunk(events[at])
        now = asyncio.get_running_loop().time
        begin = now()
        for number in range(self.count):
            if self.rate is not None:
                await asyncio.sleep(begin + number / self.rate - now())
            self.sent_at.append(now())
            writer.write(delta)
            await writer.drain()
            self.sent += 1
        writer.write(_chunk(b"".join(events[at + 1 :])) + b"0\r\n\r\n")
        await writer.drain()
        self.done += 1


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
