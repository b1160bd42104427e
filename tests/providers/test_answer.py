"""The end of an answer, and of its body, which may come later or never."""

from __future__ import annotations

import asyncio

import pytest

from streamchat_relay.providers import ProviderRegistry
from streamchat_relay.providers.dial import Origin
from streamchat_relay.providers.pool import HttpPool, HttpRequest
from tests.fakes.provider_server import Answer, Gate, ProviderServer
from tests.providers.kit import Recorder, call
from tests.providers.test_http import get, serving


async def test_an_answer_is_complete_at_its_end_though_its_body_stays_open(
    server: ProviderServer, registry: ProviderRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamchat_relay.providers.answer.LINGER", 0.01)
    provider, name = registry.resolve("openai/a")
    server.answers.append(Answer(ending="hang"))
    sink = Recorder()
    await provider.stream(call(model=name), sink)
    assert sink.finish is not None
    await server.requests[0].wait_closed()
    assert registry._pool.idle == 0


async def test_a_pool_that_closes_waits_for_no_body_that_stays_open(
    server: ProviderServer, registry: ProviderRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamchat_relay.providers.answer.LINGER", 3600.0)
    provider, name = registry.resolve("openai/a")
    server.answers.append(Answer(ending="hang"))
    await provider.stream(call(model=name), Recorder())
    assert not server.requests[0].closed.done()
    await registry.close()
    await server.requests[0].wait_closed()


@pytest.mark.parametrize("how", ["cancelled", "closed"])
async def test_who_cancels_or_closes_lets_no_connection_linger(
    server: ProviderServer, pool: HttpPool, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("streamchat_relay.providers.answer.LINGER", 3600.0)
    gate = Gate()
    server.answers.append(Answer(gate=gate, ending="hang"))
    origin = Origin("http", "127.0.0.1", server.port)
    answer = await pool.send(HttpRequest(b"POST", origin, b"/v1/messages", []))

    def receive(_: bytes) -> bool:
        if how == "cancelled":
            consuming.cancel()
        return True

    consuming = asyncio.ensure_future(answer.consume(receive))
    await asyncio.sleep(0)
    gate.open()
    await asyncio.wait({consuming})
    assert consuming.cancelled() == (how == "cancelled")
    if how == "closed":
        assert answer.lingering
        await answer.close()
    await server.requests[0].wait_closed()


async def test_a_lingering_connection_is_kept_when_its_body_ends(pool: HttpPool) -> None:
    done, ended = asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nall\r\n")
        await done.wait()
        writer.write(b"0\r\n\r\n")
        await ended.wait()

    async with serving(handler) as origin:
        answer = await pool.send(get(origin))
        await answer.consume(lambda data: data == b"all")
        assert pool.idle == 0
        done.set()
        while not pool.idle:  # noqa: ASYNC110 - the pool tells nobody
            await asyncio.sleep(0)
        assert not answer.lingering
        ended.set()
