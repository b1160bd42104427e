"""The pool, on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from streamchat_relay.model import ProviderError, Truncated
from streamchat_relay.providers import ProviderRegistry
from streamchat_relay.providers.dial import Origin
from streamchat_relay.providers.failures import BodyCut, Dropped, NotHttp, ReadTimedOut
from streamchat_relay.providers.http import HttpConnection
from streamchat_relay.providers.pool import HttpPool, HttpRequest
from tests.fakes.provider_server import Answer, ProviderServer
from tests.providers.kit import Recorder, call

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Origin]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield Origin("http", "127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await asyncio.sleep(0)


def answering(*writes: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for write in writes:
            writer.write(write)
            await writer.drain()

    return handler


def get(origin: Origin, read_timeout: float | None = 5.0) -> HttpRequest:
    headers = [(b"Host", str(origin).encode())]
    return HttpRequest(b"GET", origin, b"/", headers, read_timeout=read_timeout)


async def body_of(pool: HttpPool, request: HttpRequest) -> bytes:
    got: list[bytes] = []

    def receive(data: bytes) -> bool:
        got.append(data)
        return False

    answer = await pool.send(request)
    await answer.consume(receive)
    return b"".join(got)


async def complete(registry: ProviderRegistry, model: str) -> Recorder:
    """A whole call, to the moment in which its connection can be used again."""
    provider, name = registry.resolve(model)
    sink = Recorder()
    await provider.stream(call(model=name), sink)
    while not registry._pool.idle:  # noqa: ASYNC110 - the pool tells nobody
        await asyncio.sleep(0)
    return sink


async def test_all_calls_in_a_row_use_one_connection(
    server: ProviderServer, registry: ProviderRegistry
) -> None:
    for model in ("openai/a", "anthropic/b", "mine/c"):
        await complete(registry, model)
    assert server.connections == 1
    assert len(server.calls) == 3


async def test_a_kept_connection_that_drops_is_replaced_once(
    server: ProviderServer, registry: ProviderRegistry
) -> None:
    provider, name = registry.resolve("openai/a")
    server.answers.extend([Answer(), Answer(drop=True), Answer(deltas=["again"])])
    await complete(registry, "openai/a")
    sink = Recorder()
    await provider.stream(call(model=name), sink)
    assert sink.text == "again"
    assert server.connections == 2


async def test_a_fresh_connection_that_drops_is_an_error_and_not_asked_again(
    server: ProviderServer, registry: ProviderRegistry
) -> None:
    provider, name = registry.resolve("openai/a")
    server.answers.extend([Answer(), Answer(drop=True), Answer(drop=True), Answer()])
    await complete(registry, "openai/a")
    with pytest.raises(ProviderError, match="without an answer"):
        await provider.stream(call(model=name), Recorder())
    assert len(server.calls) == 3


async def test_a_kept_connection_that_breaks_after_a_byte_is_not_asked_again(
    server: ProviderServer, registry: ProviderRegistry
) -> None:
    provider, name = registry.resolve("openai/a")
    server.answers.extend([Answer(), Answer(wire=b"data: ", ending="close"), Answer()])
    await complete(registry, "openai/a")
    with pytest.raises(Truncated):
        await provider.stream(call(model=name), Recorder())
    assert len(server.calls) == 2


async def test_a_redirect_is_not_followed_and_its_target_not_told(
    server: ProviderServer, registry: ProviderRegistry
) -> None:
    for model in ("openai/a", "anthropic/b"):
        location = f"{server.url}/elsewhere?token=s3cret"
        server.answers.append(Answer(status=307, body={}, headers={"location": location}))
        provider, name = registry.resolve(model)
        with pytest.raises(ProviderError, match="redirect") as caught:
            await provider.stream(call(model=name), Recorder())
        assert "s3cret" not in caught.value.message
        assert not caught.value.retryable
    assert len(server.requests) == 2


async def test_a_transport_that_is_gone_is_not_asked_what_it_has_to_write() -> None:
    class Gone(asyncio.Transport):
        """Like that of Python 3.10's TLS: what it wraps is None once the connection is lost."""

        def write(self, data: bytes | bytearray | memoryview) -> None:
            pass

        def is_closing(self) -> bool:
            return False

        def abort(self) -> None:
            pass

        def get_write_buffer_size(self) -> int:
            raise AttributeError

    connection = HttpConnection()
    connection.connection_made(Gone())
    asking = asyncio.ensure_future(connection.request(b"", b"", None))
    await asyncio.sleep(0)
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    connection.get_buffer(-1)[: len(head)] = head
    connection.buffer_updated(len(head))
    connection.connection_lost(None)
    await (await asking).consume(lambda _: False)


async def test_interim_responses_are_passed_over(pool: HttpPool) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    async with serving(answering(interim, final)) as origin:
        assert await body_of(pool, get(origin)) == b"ok"


async def test_a_body_without_a_length_ends_with_the_connection(pool: HttpPool) -> None:
    async with serving(answering(b"HTTP/1.1 200 OK\r\n\r\n", b"all of it")) as origin:
        assert await body_of(pool, get(origin)) == b"all of it"
        assert pool.idle == 0


@pytest.mark.parametrize(
    "start",
    [b"Content-Length: 10\r\n\r\nshort", b"Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n"],
)
async def test_a_cut_body_is_told_from_a_whole_one(pool: HttpPool, start: bytes) -> None:
    async with serving(answering(b"HTTP/1.1 200 OK\r\n" + start)) as origin:
        with pytest.raises(BodyCut):
            await body_of(pool, get(origin))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", Dropped),
        (b"HTTP/1.1 200", BodyCut),
        (b"SSH-2.0-OpenSSH_9\r\n", NotHttp),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", NotHttp),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", NotHttp),
    ],
)
async def test_what_is_no_answer_is_a_failure(
    pool: HttpPool, answer: bytes, error: type[Exception]
) -> None:
    async with serving(answering(answer)) as origin:
        with pytest.raises(error):
            await body_of(pool, get(origin))


async def test_silence_in_the_body_is_a_timeout(pool: HttpPool) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
        await reader.read()

    async with serving(handler) as origin:
        with pytest.raises(ReadTimedOut):
            await body_of(pool, get(origin, read_timeout=0.05))


async def test_bytes_on_an_idle_connection_end_it(pool: HttpPool) -> None:
    more = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await more.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        await reader.read()
        gone.set()

    gone = asyncio.Event()
    async with serving(handler) as origin:
        assert await body_of(pool, get(origin)) == b"ok"
        assert pool.idle == 1
        more.set()
        await gone.wait()


async def test_a_consumer_that_raises_closes_the_connection(pool: HttpPool) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"

    def receive(_: bytes) -> bool:
        raise LookupError

    async with serving(answering(head, b"ab")) as origin:
        answer = await pool.send(get(origin))
        with pytest.raises(LookupError):
            await answer.consume(receive)
        assert pool.idle == 0


async def test_a_line_break_in_a_header_is_never_sent(pool: HttpPool) -> None:
    origin = Origin("http", "127.0.0.1", 1)
    with pytest.raises(NotHttp):
        await pool.send(HttpRequest(b"GET", origin, b"/", [(b"X", b"a\r\nEvil: b")]))
