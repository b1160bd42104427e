"""A provider that costs little: OpenAI's wire, chunks with the time in them, at a set rate.

`python -m bench.provider PORT`. The prompt says what to do: `rate=500 tokens=1000` (rate 0: as fast
as the reader takes it), `pad=1000` for so many more characters in each token, `plain=4` for tokens
of so many characters without a time. Else a chunk's text is `@<nanoseconds>@`, the moment it was
written; the first one's is `@<written>,<request read>@`. `GET /pace/3` makes all that have a rate
three times as fast, `GET /pace/0` ends them.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import time

from bench.limits import raise_file_limit

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
MODELS = b'{"object":"list","data":[{"id":"bench","object":"model","created":1,"owned_by":"b"}]}'

MANY = 64
"""Tokens of one write where no rate is set."""


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(text: str) -> bytes:
    """One token on OpenAI's wire, with the fields that real servers send."""
    return chunk(
        b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,'
        b'"model":"bench","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":"'
        + text.encode()
        + b'"},"logprobs":null,"finish_reason":null}]}\n\n'
    )


END = (
    chunk(
        b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,'
        b'"model":"bench","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    )
    + chunk(b"data: [DONE]\n\n")
    + b"0\r\n\r\n"
)


class Exchange(asyncio.Protocol):
    """One connection: requests in, answers out, without a task."""

    pace = 1

    def __init__(self) -> None:
        self._got = b""
        self._full = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, end, rest = self._got.partition(b"\r\n\r\n")
        if not end:
            return
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            return
        self._got = rest[size:]
        if head.startswith(b"GET"):
            pace = re.match(rb"GET /pace/(\d+)", head)
            if pace:
                Exchange.pace = int(pace[1])
            self._transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
                b"%d\r\n\r\n%b" % (len(MODELS), MODELS)
            )
            return
        asked = re.findall(rb"(rate|tokens|pad|plain)=(\d+)", rest[:size])
        self._begin(**{name.decode(): int(value) for name, value in asked})

    def _begin(self, *, rate: int = 0, tokens: int = 100, pad: int = 0, plain: int = 0) -> None:
        now = time.monotonic_ns()
        self._padding, self._plain, self._left = "x" * pad, "x" * plain, tokens
        self._transport.write(HEAD + event(self._plain or f"@{now},{now}@"))
        self._timer = None
        if not rate:
            self._left = tokens // MANY * MANY
            self._pour()
            return
        self._pause = 1 / rate
        # Streams that begin together do not go on in step.
        self._due = self._loop.time() + self._pause * random.uniform(0.5, 1.5)
        self._timer = self._loop.call_at(self._due, self._step)

    def _token(self) -> bytes:
        return event(self._plain or f"@{time.monotonic_ns()}@{self._padding}")

    def _step(self) -> None:
        if not self._left or not self.pace:
            self._transport.write(END)
            return
        self._left -= 1
        self._transport.write(self._token())
        self._due += self._pause / self.pace
        self._timer = self._loop.call_at(self._due, self._step)

    def _pour(self) -> None:
        while self._left and not self._full:
            self._left -= MANY
            self._transport.write(self._token() * MANY)
        if not self._left and not self._full:
            self._left = -1
            self._transport.write(END)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        if self._left >= 0 and self._timer is None:
            self._pour()

    def connection_lost(self, error: Exception | None) -> None:
        self._left = -1
        self._full = True
        if self._timer is not None:
            self._timer.cancel()


async def main(port: int) -> None:
    """Serve until killed."""
    raise_file_limit()
    server = await asyncio.get_running_loop().create_server(
        Exchange, "127.0.0.1", port, backlog=4096
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
