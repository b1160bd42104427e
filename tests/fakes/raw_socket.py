"""A WebSocket client that owns every byte: what a library would never send, it does.

`async with await RawSocket.open(server) as raw:` shakes hands; `raw.send(frame_bytes(...))`, then
`await raw.close_code()` reads to the server's end. It answers no ping.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import Self

from tests.fakes.jupyter import JupyterServer

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame_bytes(
    payload: bytes, opcode: int = TEXT, *, fin: bool = True, rsv: int = 0, masked: bool = True
) -> bytes:
    """One frame (RFC 6455, section 5.2), legal or not."""
    first = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    mask = 0x80 if masked else 0
    size = len(payload)
    if size < 126:
        head = bytes([mask | size])
    elif size < 65536:
        head = bytes([mask | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([mask | 127]) + size.to_bytes(8, "big")
    # A mask of zeros leaves the payload as it is.
    return first + head + (bytes(4) if masked else b"") + payload


class RawSocket:
    """One connection after its handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, server: JupyterServer, *, hello: bool = True) -> RawSocket:
        """Shake hands, and say hello unless told otherwise."""
        url = urlsplit(server.ws_url)
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: token {server.token}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        made = cls(reader, writer)
        if hello:
            made.say(type="hello", client="raw/1")
            opcode, payload = await made.frame()
            assert (opcode, json.loads(payload)["type"]) == (TEXT, "welcome")
        return made

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)

    def say(self, **frame: Any) -> None:
        """Send a frame as it should be."""
        self.send(frame_bytes(json.dumps(frame).encode()))

    async def frame(self) -> tuple[int, bytes]:
        """The next frame of the server: opcode and payload."""
        first, second = await self.reader.readexactly(2)
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
        return first & 15, await self.reader.readexactly(size)

    async def close_code(self) -> int | None:
        """Read until the server closes; returns its code, None where it gave none."""
        code = None
        try:
            while True:
                opcode, payload = await self.frame()
                if opcode == CLOSE:
                    code = int.from_bytes(payload[:2], "big") if payload else None
                    self.writer.close()
        except (asyncio.IncompleteReadError, ConnectionError):
            return code

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()
        with suppress(ConnectionError):
            await self.writer.wait_closed()
