"""A reader that costs little: opens sockets, sends prompts, counts tokens, keeps latencies."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import secrets
import socket
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

ACK_BYTES = 32 * 1024

HTTP_KEY = f"sk-{secrets.token_hex(32)}"
"""Lets in what is asked over HTTP."""

_TIMES = re.compile(rb"@(\d+)(?:,(\d+))?@")


@dataclass
class Seen:
    """What one stream's reader saw; times in nanoseconds of the monotonic clock."""

    tokens: int = 0
    received: int = 0
    sent: int = 0
    latencies: list[int] = field(default_factory=list)
    first_added: int | None = None
    sent_at: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)


class StreamProtocol(asyncio.Protocol):
    """Looks for times in whatever comes; `end` says in which bytes the stream ends."""

    def __init__(self, seen: Seen, end: Callable[[bytes], bool], *, latencies: bool) -> None:
        self.seen = seen
        self.tail = b""
        self.conversation = ""
        self._unacknowledged = 0
        self.upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._end = end
        self._latencies = latencies

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        seen = self.seen
        if not self.upgraded.done():
            _note_upgrade(self.upgraded, data)
            return
        size = len(data)
        seen.received += size
        data = self.tail + data
        if self._latencies or seen.first_added is None:
            end = 0
            for match in _TIMES.finditer(data):
                end = match.end()
                written = int(match[1])
                if match[2]:
                    # The provider's own time, from request to first byte, is not the relay's.
                    seen.first_added = now - seen.sent_at - (written - int(match[2]))
                else:
                    seen.latencies.append(now - written)
                seen.tokens += 1
            # A token's text may be cut; what is before it was counted.
            self.tail = data[max(end, len(data) - 60) :]
        else:
            seen.tokens += data.count(b"@") // 2
            self.tail = b""
        if self._end(data[-4096:]):
            seen.done.set()
        if self.conversation:
            self._acknowledge(data, size)

    def _acknowledge(self, data: bytes, size: int) -> None:
        """Keep the relay's window open, as every client of it does."""
        self._unacknowledged += size
        at = data.rfind(b'"to":')
        if self._unacknowledged >= ACK_BYTES and at >= 0:
            to = re.match(rb"\d+(?=,)", data[at + 5 :])
            if to:
                self._unacknowledged = 0
                frame = {"type": "ack", "conversation": self.conversation, "seq": int(to[0])}
                self.write(json.dumps(frame))

    def write(self, text: str) -> None:
        """Send one frame."""
        frame = masked(text.encode())
        self.seen.sent += len(frame)
        self.transport.write(frame)

    def connection_lost(self, error: Exception | None) -> None:
        self.seen.done.set()
        if not self.upgraded.done():
            self.upgraded.set_exception(ConnectionError("refused"))


class InflatingProtocol(StreamProtocol):
    """One that offered to take compressed frames, as browsers do."""

    def __init__(self, seen: Seen, end: Callable[[bytes], bool], *, latencies: bool) -> None:
        super().__init__(seen, end, latencies=latencies)
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS).decompress
        self._frames = bytearray()

    def data_received(self, data: bytes) -> None:
        if not self.upgraded.done():
            super().data_received(data)
            return
        self._frames += data
        while (payload := self._payload()) is not None:
            super().data_received(payload)
            # What came, not what it is.
            self.seen.received -= len(payload)
        self.seen.received += len(data)

    def _payload(self) -> bytes | None:
        """The next frame's, if all of it is there."""
        frames = self._frames
        if len(frames) < 2:
            return None
        start, size = 2, frames[1]
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(frames[2:start], "big")
        if len(frames) < start + size:
            return None
        payload = bytes(frames[start : start + size])
        if frames[0] & 0x40:
            payload = self._inflate(payload + b"\0\0\xff\xff")
        del frames[: start + size]
        return payload


class IdleProtocol(asyncio.Protocol):
    """An open socket that only answers pings."""

    __slots__ = ("open", "transport", "upgraded")

    def __init__(self) -> None:
        self.open = False
        self.upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if not self.upgraded.done():
            _note_upgrade(self.upgraded, data)
            self.open = self.upgraded.exception() is None
        elif data.endswith(PING):
            self.transport.write(masked(b"", opcode=0x8A))

    def write(self, text: str) -> None:
        """Send one frame."""
        self.transport.write(masked(text.encode()))

    def connection_lost(self, error: Exception | None) -> None:
        self.open = False
        if not self.upgraded.done():
            self.upgraded.set_exception(ConnectionError("closed"))


PING = b"\x89\0"


def _note_upgrade(upgraded: asyncio.Future[None], data: bytes) -> None:
    if data.startswith(b"HTTP/1.1 101"):
        upgraded.set_result(None)
    else:
        upgraded.set_exception(ConnectionError(data[:40].decode("latin-1")))


def masked(data: bytes, *, opcode: int = 0x81) -> bytes:
    """One frame of a client, masked with zeros."""
    if len(data) < 126:
        head = bytes([opcode, 0x80 | len(data)])
    else:
        head = bytes([opcode, 0x80 | 126]) + len(data).to_bytes(2, "big")
    return head + b"\0\0\0\0" + data


Made = TypeVar("Made", StreamProtocol, IdleProtocol)


async def websocket(
    make: Callable[[], Made],
    port: int,
    path: str,
    *,
    number: int = 0,
    buffer: int = 0,
    deflate: bool = False,
) -> Made:
    """An open WebSocket, of the `number`th address; `buffer` bounds what the system reads ahead."""
    sock = socket.socket()
    sock.setblocking(False)
    if buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    # A source address has some 28,000 ports.
    sock.bind((f"127.0.0.{1 + number // 10_000}", 0))
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_connect(sock, ("127.0.0.1", port))
        _, made = await loop.create_connection(make, sock=sock)
    except BaseException:
        sock.close()
        raise
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    key = base64.b64encode(os.urandom(16)).decode()
    made.transport.write(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: streamchat.v1\r\n{offer if deflate else ''}\r\n".encode()
    )
    await made.upgraded
    return made


async def plain(make: Callable[[], StreamProtocol], port: int) -> StreamProtocol:
    """An open connection for a request over HTTP."""
    _, made = await asyncio.get_running_loop().create_connection(make, "127.0.0.1", port)
    made.upgraded.set_result(None)
    return made


def greet(made: StreamProtocol | IdleProtocol) -> None:
    """Say hello on the wire `streamchat.v1`."""
    made.write('{"type":"hello","client":"bench/1"}')


def follow_relay(made: StreamProtocol, conversation: str) -> None:
    """Open a conversation and read what comes."""
    made.conversation = conversation
    greet(made)
    made.write(json.dumps({"type": "open", "id": "o", "conversation": conversation}))


def ask_relay(made: StreamProtocol, number: int, prompt: str) -> None:
    """Send the prompt on the wire `streamchat.v1`."""
    name = f"bench-{number}-{os.urandom(6).hex()}"
    made.seen.sent_at = time.monotonic_ns()
    follow_relay(made, name)
    made.write(
        json.dumps(
            {
                "type": "send",
                "id": "s",
                "conversation": name,
                "run": name,
                "model": "openai/bench",
                "message": {"parts": [{"type": "text", "text": prompt}]},
            }
        )
    )


def ask_peer(made: StreamProtocol, _number: int, prompt: str) -> None:
    """Send the prompt as all peers with sockets take it: the frame is the prompt."""
    made.seen.sent_at = time.monotonic_ns()
    made.write(prompt)


def ask_http(made: StreamProtocol, _number: int, prompt: str) -> None:
    """Send the prompt as a provider, or a proxy before it, takes it."""
    messages = [{"role": "user", "content": prompt}]
    body = json.dumps({"model": "bench", "stream": True, "messages": messages}).encode()
    request = (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer %b\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
        % (HTTP_KEY.encode(), len(body), body)
    )
    made.seen.sent_at = time.monotonic_ns()
    made.seen.sent += len(request)
    made.transport.write(request)


def relay_end(data: bytes) -> bool:
    """The relay's last frame of a run."""
    return b'"type":"finish"' in data or b'"type":"error"' in data


def peer_end(data: bytes) -> bool:
    """The peers' last frame."""
    return b'{"type":"finish"}' in data


def http_end(data: bytes) -> bool:
    """The last bytes of a chunked body."""
    return data.endswith(b"0\r\n\r\n")
