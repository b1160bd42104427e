"""What a broken or hostile provider may answer: an error in words, soon, in bounded memory."""

from __future__ import annotations

import asyncio
import gzip
import json
import resource
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from streamchat_relay.model import (
    FinishOutput,
    ProviderError,
    ProviderOverloaded,
    ProviderRateLimited,
    Stalled,
    StreamChatError,
    TimedOut,
    Truncated,
    UsageOutput,
)
from streamchat_relay.providers import ProviderRegistry, RegistrySettings
from tests.fakes.provider_wires import Answer, anthropic_events
from tests.providers.kit import KEY, Recorder, call
from tests.providers.raw_answers import DONE, USAGE, data, delta

MIB = 1024 * 1024
LEAK = b"sk-proj-5f2a9c"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
STOP = delta("stop")


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


def stream(*events: bytes) -> bytes:
    return SSE + b"".join(map(chunk, events)) + b"0\r\n\r\n"


def whole(status: int, body: bytes, *headers: bytes, kind: bytes = b"application/json") -> bytes:
    head = b"HTTP/1.1 %d X\r\nContent-Type: %b\r\nContent-Length: %d" % (status, kind, len(body))
    return b"\r\n".join([head, *headers, b"", body])


def endless(status: int, kind: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Type: %b\r\nTransfer-Encoding: chunked\r\n\r\n" % (
        status,
        kind,
    )


class Hostile:
    """A server that answers with `first`, then with `again` for ever, `pause` seconds apart."""

    def __init__(self) -> None:
        self.port = 0
        self.first = b""
        self.again = b""
        self.pause: float | None = 0.0
        self.reset = False
        self.requests = 0
        self.closed = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            self.requests += 1
            await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
            writer.write(self.first)
            while self.again:
                writer.write(self.again)
                await writer.drain()
                await asyncio.sleep(self.pause or 0)
            if self.pause is None:
                await reader.read()
            if self.reset:
                await writer.drain()
                linger = b"\x01\0\0\0\0\0\0\0"
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.closed.set()
            writer.close()


@pytest.fixture
async def hostile() -> AsyncIterator[Hostile]:
    made = Hostile()
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await asyncio.sleep(0)


async def asked(
    hostile: Hostile, *, first: float = 60, stall: float = 60, wire: str = "openai"
) -> tuple[Recorder, Any]:
    """What came of one call, and the error with which it ended."""
    registry = ProviderRegistry(
        RegistrySettings(
            keys={wire: KEY},
            base_urls={wire: f"http://127.0.0.1:{hostile.port}/v1"},
            first_byte_timeout_s=first,
            stall_timeout_s=stall,
        ),
        environ={},
    )
    await asyncio.to_thread(registry.resolve(f"{wire}/x")[0].warm)  # type: ignore[attr-defined]
    sink, error = Recorder(), None
    try:
        provider, model = registry.resolve(f"{wire}/fake-1")
        await asyncio.wait_for(provider.stream(call(model=model), sink), 20)
    except StreamChatError as caught:
        error = caught
    assert LEAK.decode() not in repr(error)
    assert KEY not in repr(error)
    await registry.close()
    await asyncio.wait_for(hostile.closed.wait(), 20)
    return sink, error


OVERLOADED = json.dumps({"error": {"message": LEAK.decode(), "code": "server_busy"}}).encode()
BOMB = gzip.compress(b'{"error":"' + b"a" * 64 * MIB + b'"}')
ERRORS: dict[str, tuple[bytes, type[StreamChatError]]] = {
    "200 with a web page": (whole(200, b"<html>" + LEAK, kind=b"text/html"), ProviderError),
    "a web page as a stream": (stream(b"<html>" + LEAK + b"</html>\n\n"), Truncated),
    "200 with an error": (whole(200, OVERLOADED), ProviderOverloaded),
    "200 with a whole answer": (whole(200, b'{"choices":[{"message":{}}]}'), ProviderError),
    "200 with nothing": (whole(200, b"", kind=b"text/event-stream"), Truncated),
    "an error in mid-stream": (
        stream(delta(content="a"), b"data: " + OVERLOADED + b"\n\n", STOP, DONE),
        ProviderOverloaded,
    ),
    "an error event": (stream(delta(content="a"), b"event: error\ndata: {}\n\n"), ProviderError),
    "[DONE] without a reason": (stream(delta(content="a"), DONE), Truncated),
    "a reason for another choice": (
        stream(delta(content="a"), data(choices=[{"index": 1, "finish_reason": "stop"}]), DONE),
        Truncated,
    ),
    "no [DONE] in a body whose end is uncertain": (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + delta(content="a") + STOP,
        Truncated,
    ),
    "JSON 10^5 deep": (stream(b"data: " + b"[" * 100_000 + b"\n\n"), ProviderError),
    "JSON that is cut": (stream(b'data: {"choices":\n\n'), ProviderError),
    "a gzip stream": (
        whole(200, gzip.compress(STOP), b"Content-Encoding: gzip", kind=b"text/event-stream"),
        ProviderError,
    ),
    "a gzip bomb for a refusal": (whole(500, BOMB, b"Content-Encoding: gzip"), ProviderError),
    "damaged gzip": (whole(503, b"no gzip", b"Content-Encoding: gzip"), ProviderOverloaded),
    "an unknown compression": (whole(529, b"?", b"Content-Encoding: br"), ProviderOverloaded),
    "a refusal 10^5 deep": (whole(500, b"[" * 100_000), ProviderError),
    "a refusal of odd types": (whole(400, b'{"error":{"code":[],"type":5}}'), ProviderError),
    "429 without Retry-After": (whole(429, b"{}"), ProviderRateLimited),
    "302 to another host": (
        whole(302, b"", b"Location: http://127.0.0.2:1/?" + LEAK), ProviderError
    ),
    "101": (b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n\0\0", ProviderError),
    "204": (b"HTTP/1.1 204 X\r\n\r\n", ProviderError),
    "HTTP/2": (b"\0\0\x12\4\0\0\0\0\0", ProviderError),
    "no HTTP": (STOP, ProviderError),
    "a chunk of -5": (SSE + b"-5\r\nabc", ProviderError),
    "a chunk of 2^64": (SSE + b"ffffffffffffffff\r\nabc", Truncated),
    "a length of -5": (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", ProviderError),
    "a length and chunks": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" + SSE.partition(b"\n")[2], ProviderError
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
async def test_what_is_no_answer_is_an_error_and_no_secret_is_told(
    hostile: Hostile, case: str
) -> None:
    hostile.first, kind = ERRORS[case]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sink, error = await asked(hostile)
    assert isinstance(error, kind), error
    assert sink.finish is None
    assert sink.text in {"", "a"}
    assert hostile.requests == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 48 * 1024


async def test_a_connection_that_is_reset_right_after_its_head_is_truncated(
    hostile: Hostile,
) -> None:
    hostile.first, hostile.reset = SSE, True
    _, error = await asked(hostile)
    assert error.code in {"truncated", "provider_error"}
    assert error.retryable


FLOODS: dict[str, tuple[bytes, bytes, type[StreamChatError]]] = {
    "a status line": (b"HTTP/1.1 200 ", b"x" * 1000, ProviderError),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 100, ProviderError),
    "interim answers": (b"", b"HTTP/1.1 103 X\r\n\r\n" * 20, ProviderError),
    "trailers": (SSE + chunk(delta(content="a")) + b"0\r\n", b"X-A: b\r\n" * 99, ProviderError),
    "a line of an event": (SSE + chunk(b"data: "), chunk(b"x" * MIB), ProviderError),
    "lines of an event": (SSE, chunk(b"data: x\n" * 100_000), ProviderError),
    "a redirect's body": (endless(302, b"text/html"), chunk(b"x" * MIB), ProviderError),
    "a refusal": (endless(429, b"application/json"), chunk(b"x" * MIB), ProviderRateLimited),
    "a web page": (endless(200, b"text/html"), chunk(b"x" * 1000), ProviderError),
    "JSON": (endless(200, b"application/json"), chunk(b"[" * 1000), ProviderError),
}


@pytest.mark.parametrize("case", FLOODS)
async def test_what_never_ends_is_an_error_in_bounded_memory(hostile: Hostile, case: str) -> None:
    hostile.first, hostile.again, kind = FLOODS[case]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, error = await asked(hostile)
    assert type(error) is kind, error
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 160 * 1024


SAID = anthropic_events(Answer(deltas=["a"]))
"""The start of a message with its counts, a ping, the start of a block, a delta."""
SLOW: dict[str, tuple[bytes, bytes, type[StreamChatError]]] = {
    "a head, byte by byte": (b"HTTP/1.1 200 OK\r\nX: ", b"x", TimedOut),
    "interim answers": (b"", b"HTTP/1.1 103 X\r\n\r\n", TimedOut),
    "a refusal, byte by byte": (endless(500, b"application/json"), chunk(b"x"), TimedOut),
    "JSON, byte by byte": (endless(200, b"application/json"), chunk(b" "), TimedOut),
    "comments": (SSE, chunk(b": ping\n\n"), TimedOut),
    "comments after a token": (SSE + chunk(delta(content="a")), chunk(b": ping\n\n"), Stalled),
    "empty lines": (SSE, chunk(b"\n\n"), TimedOut),
    "empty deltas": (SSE, chunk(delta(content="")), TimedOut),
    "empty deltas after a token": (SSE + chunk(delta(content="a")), chunk(delta()), Stalled),
    "counts": (SSE, chunk(USAGE), TimedOut),
    "Anthropic's pings": (SSE + chunk(SAID[0]), chunk(SAID[1]), TimedOut),
    "Anthropic's pings after a token": (SSE + chunk(b"".join(SAID[:4])), chunk(SAID[1]), Stalled),
    "half an event": (SSE + chunk(delta(content="a") + b"data: {"), chunk(b" "), Stalled),
}


@pytest.mark.parametrize("case", SLOW)
async def test_who_sends_no_content_is_late_or_stalled_however_much_else_comes(
    hostile: Hostile, case: str
) -> None:
    hostile.first, hostile.again, kind = SLOW[case]
    hostile.pause = 0.005
    first, stall = (0.15, 60.0) if kind is TimedOut else (60.0, 0.15)
    wire = "anthropic" if case.startswith("Anthropic") else "openai"
    sink, error = await asked(hostile, first=first, stall=stall, wire=wire)
    assert type(error) is kind, error
    assert sink.text == ("a" if kind is Stalled else "")


def usage(**fields: Any) -> bytes:
    return data(choices=[], usage=fields)


FINE: dict[str, tuple[list[bytes], Callable[[Recorder], bool]]] = {
    "one delta of 1 MB": ([delta(content="x" * MIB)], lambda got: len(got.text) == MIB),
    "content null": ([delta(content=None), delta(content="a")], lambda got: got.text == "a"),
    "tool calls": (
        [delta(tool_calls=[{"index": 0, "function": {"name": "rm", "arguments": "{"}}])],
        lambda got: got.text == "",
    ),
    "negative usage": (
        [usage(prompt_tokens=-5, completion_tokens=-1)],
        lambda got: not any(isinstance(one, UsageOutput) for one in got.outputs),
    ),
    "usage of 10^300": (
        [usage(prompt_tokens=1e300)],
        lambda got: not any(isinstance(one, UsageOutput) for one in got.outputs),
    ),
    "another choice": (
        [data(choices=[{"index": 1, "delta": {"content": "other"}}]), delta(content="mine")],
        lambda got: got.text == "mine",
    ),
    "a reason of 1 MB": (
        [delta("w" * MIB)],
        lambda got: got.finish is None or len(got.finish.raw_reason) <= 64,
    ),
}


@pytest.mark.parametrize("case", FINE)
async def test_what_is_odd_in_an_answer_does_not_spoil_it(hostile: Hostile, case: str) -> None:
    events, right = FINE[case]
    hostile.first = stream(*events, *([] if case.startswith("a reason") else [STOP]), DONE)
    sink, error = await asked(hostile)
    assert error is None
    assert right(sink)
    assert isinstance(sink.outputs[-1], FinishOutput)
