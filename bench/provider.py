"""A provider that costs little: OpenAI's wire, chunks with the time in them, at a set rate.

`python -m bench.provider PORT`. The prompt says what to do: `rate=500 tokens=1000` (rate 0: as fast
as the reader takes it). Each chunk's text is `@<nanoseconds>@`, the moment it was written; the
first one's is `@<written>,<request read>@`.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
MODELS = b'{"object":"list","data":[{"id":"bench","object":"model","created":1,"owned_by":"b"}]}'


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


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve requests on one connection."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length[1])) if length else b""
            arrived = time.monotonic_ns()
            if head.startswith(b"GET"):
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
                    b"%d\r\n\r\n%b" % (len(MODELS), MODELS)
                )
                continue
            asked = {
                name.decode(): int(value)
                for name, value in re.findall(rb"(rate|tokens)=(\d+)", body)
            }
            await stream(writer, arrived, **asked)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def stream(
    writer: asyncio.StreamWriter, arrived: int, *, rate: int = 0, tokens: int = 100
) -> None:
    """Write the answer: a chunk a write at a rate, many in a write without one."""
    writer.write(HEAD + event(f"@{time.monotonic_ns()},{arrived}@"))
    if not rate:
        many = 64
        for _ in range(tokens // many):
            writer.write(event(f"@{time.monotonic_ns()}@") * many)
            await writer.drain()
    else:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for _ in range(tokens):
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - loop.time()))
            writer.write(event(f"@{time.monotonic_ns()}@"))
    writer.write(END)
    await writer.drain()


async def main(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
