"""The transport: frames to one tornado WebSocket, several in one write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tornado.iostream import IOStream, StreamClosedError
from tornado.websocket import WebSocketHandler

MAX_WAITING = 1024 * 1024
"""Bytes that may wait for one socket before its next request is read.

A reader that lags is sent a window of events at most; the rest are answers to what it asked."""


TEXT = 0x81
COMPRESSED_TEXT = 0xC1
"""First bytes of frames: the last of a message, and how its payload is to be read."""


def text_frame(payload: bytes, first: int = TEXT) -> bytes:
    r"""One unfragmented, unmasked text frame (RFC 6455, section 5.2).

    >>> text_frame(b"{}")
    b'\x81\x02{}'
    """
    size = len(payload)
    if size < 126:
        return b"%c%c%b" % (first, size, payload)
    if size < 65536:
        return b"%c\x7e%b%b" % (first, size.to_bytes(2, "big"), payload)
    return b"%c\x7f%b%b" % (first, size.to_bytes(8, "big"), payload)


class TornadoTransport:
    """Writes frames to one tornado WebSocket.

    `write_message` starts a task for every frame. Here all frames of a call go to the socket's
    stream in one write, with headers of our own; a test pins the parts of tornado this rests on.
    """

    def __init__(self, handler: WebSocketHandler) -> None:
        self._handler = handler
        self._deflate: Callable[[bytes], bytes] | None = getattr(
            handler.ws_connection, "deflate", None
        )
        self._waiting = 0
        self._room: asyncio.Future[None] | None = None
        # True while earlier frames wait in this process for the socket.
        self.busy = False
        self.on_drained = _nothing

    async def room(self) -> None:
        """Return when less than `MAX_WAITING` bytes wait, or when the socket is gone."""
        while self._waiting >= MAX_WAITING:
            if self._room is None:
                self._room = asyncio.get_running_loop().create_future()
            await self._room

    def write(self, frames: Sequence[bytes]) -> None:
        """Send each payload as a text frame of its own; never blocks."""
        protocol: Any = self._handler.ws_connection
        # tornado's own ping timeout closes beneath the handler; RFC 6455 5.5.1 wants silence then.
        if protocol is None or protocol.server_terminated:
            return
        stream: IOStream = protocol.stream
        deflate = self._deflate
        if deflate is not None:
            data = b"".join([text_frame(deflate(one), COMPRESSED_TEXT) for one in frames])
        elif len(frames) == 1:
            data = text_frame(frames[0])
        else:
            data = b"".join(map(text_frame, frames))
        if not self.busy and type(stream) is IOStream and not stream.writing():
            # Without TLS and with nothing before it, a write is one system call. What the kernel
            # does not take at once is for the stream, which waits; and it knows what to do with a
            # socket that is full, broken or closed.
            try:  # noqa: SIM105 - `suppress` would be three calls a token
                data = data[stream.socket.send(data) :]
            except (OSError, AttributeError):
                pass
            if not data:
                return
        try:
            written = stream.write(data)
        except StreamClosedError:
            # on_close follows and takes the connection apart.
            return
        if stream.writing():
            self._waiting += len(data)
            self.busy = True
            written.add_done_callback(partial(self._drained, len(data)))
        else:
            written.add_done_callback(_looked_at)

    def close(self, code: int, reason: str) -> None:
        """Close after what was written."""
        self._handler.close(code, reason)

    def _drained(self, size: int, written: asyncio.Future[None]) -> None:
        self._waiting -= size
        self.busy = self._waiting > 0
        if self._room is not None and self._waiting < MAX_WAITING:
            self._room.set_result(None)
            self._room = None
        if written.cancelled() or written.exception() is not None:
            return
        if not self.busy:
            self.on_drained()


def _nothing() -> None:
    pass


def _looked_at(written: asyncio.Future[None]) -> None:
    if not written.cancelled():
        written.exception()
