"""A reader that costs little: opens WebSockets, sends prompts, counts tokens, keeps latencies."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

ACK_BYTES = 32 * 1024

_TIMES = re.compile(rb"@(\d+)(?:,(\d+))?@")


@dataclass
class Seen:
    """What one stream's reader saw; times in nanoseconds of the monotonic clock."""

    tokens: int = 0
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
            self.upgraded.set_result(None)
        size = len(data)
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
                self.transport.write(masked(json.dumps(frame)))

    def connection_lost(self, error: Exception | None) -> None:
        self.seen.done.set()
        if not self.upgraded.done():
            self.upgraded.set_exception(ConnectionError("refused"))


def masked(text: str) -> bytes:
    """One text frame of a client, masked with zeros."""
    data = text.encode()
    if len(data) < 126:
        head = bytes([0x81, 0x80 | len(data)])
    else:
        head = bytes([0x81, 0x80 | 126]) + len(data).to_bytes(2, "big")
    return head + b"\0\0\0\0" + data


async def websocket(
    host: str, port: int, path: str, protocol: str, end: Callable[[bytes], bool], *, latencies: bool
) -> StreamProtocol:
    """An open WebSocket."""
    loop = asyncio.get_running_loop()
    _, made = await loop.create_connection(
        lambda: StreamProtocol(Seen(), end, latencies=latencies), host, port
    )
    key = base64.b64encode(os.urandom(16)).decode()
    made.transport.write(
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: {protocol}\r\n\r\n".encode()
    )
    await made.upgraded
    return made


def ask_relay(made: StreamProtocol, number: int, prompt: str) -> None:
    """Send the prompt on the wire `streamchat.v1`."""
    name = f"bench-{number}-{os.urandom(6).hex()}"
    made.conversation = name
    made.seen.sent_at = time.monotonic_ns()
    for frame in (
        {"type": "hello", "client": "bench/1"},
        {"type": "open", "id": "o", "conversation": name},
        {
            "type": "send",
            "id": "s",
            "conversation": name,
            "run": name,
            "model": "openai/bench",
            "message": {"parts": [{"type": "text", "text": prompt}]},
        },
    ):
        made.transport.write(masked(json.dumps(frame)))


def ask_peer(made: StreamProtocol, _number: int, prompt: str) -> None:
    """Send the prompt as all peers take it: the frame is the prompt."""
    made.seen.sent_at = time.monotonic_ns()
    made.transport.write(masked(prompt))


def relay_end(data: bytes) -> bool:
    """The relay's last frame of a run."""
    return b'"type":"finish"' in data or b'"type":"error"' in data


def peer_end(data: bytes) -> bool:
    """The peers' last frame."""
    return b'{"type":"finish"}' in data


def bare_end(data: bytes) -> bool:
    """The provider's last bytes."""
    return data.endswith(b"0\r\n\r\n")
