"""Pausing: whoever sends has to wait, and that time is not its silence."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
import trustme

from streamchat_relay.model import Stalled
from streamchat_relay.providers import ProviderRegistry, RegistrySettings
from streamchat_relay.relay.ports import Call, Source
from tests.fakes.firehose import Firehose
from tests.fakes.provider_server import Answer, Gate, ProviderServer
from tests.providers.kit import KEY, Recorder, call, registry_at

CA = trustme.CA()
DELTA = "x" * 8000
COUNT = 8000


class Reader(Recorder):
    """A sink that pauses what it is fed from at its first output; `resume` goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = asyncio.Event()
        self.always = False
        self._source: Source | None = None

    @contextmanager
    def drawing(self, source: Source) -> Iterator[None]:
        self._source = source
        yield

    def push(self, outputs: object, /) -> None:
        super().push(outputs)  # type: ignore[arg-type]
        assert self._source is not None
        if self.always or not self.paused.is_set():
            self._source.pause()
            self.paused.set()

    def resume(self) -> None:
        assert self._source is not None
        self._source.resume()

    def call(self, name: str) -> Call:
        return msgspec.structs.replace(call(model=name), drawing=self.drawing)


class OwnedTime:
    """The loop's time, which a test moves on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        real, self._ahead = loop.time, 0.0
        monkeypatch.setattr(loop, "time", lambda: real() + self._ahead)

    async def advance(self, seconds: float) -> None:
        self._ahead += seconds
        for _ in range(5):
            await asyncio.sleep(0)


def registry_for(hose: Firehose) -> ProviderRegistry:
    def trust() -> ssl.SSLContext:
        context = ssl.create_default_context()
        CA.configure_trust(context)
        return context

    settings = RegistrySettings(
        keys={"openai": KEY, "anthropic": KEY},
        base_urls={"openai": hose.openai_url, "anthropic": hose.anthropic_url},
    )
    return ProviderRegistry(settings, environ={}, trust=trust)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("model", ["openai/fake-1", "anthropic/fake-1"])
async def test_a_pause_reaches_the_sender_and_costs_no_byte(model: str, *, tls: bool) -> None:
    context = None
    if tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        CA.issue_cert("127.0.0.1").configure_cert(context)
    async with Firehose(delta=DELTA, count=COUNT, tls=context) as hose:
        registry = registry_for(hose)
        provider, name = registry.resolve(model)
        reader = Reader()
        task = asyncio.ensure_future(provider.stream(reader.call(name), reader))
        await reader.paused.wait()
        await hose.blocked()
        assert len(reader.text) < 1_000_000
        assert hose.sent < COUNT / 4
        reader.resume()
        await task
        assert reader.text == DELTA * COUNT
        await registry.close()


async def test_a_stop_in_a_pause_closes_the_connection() -> None:
    async with Firehose(delta=DELTA, count=COUNT) as hose:
        registry = registry_for(hose)
        provider, name = registry.resolve("openai/fake-1")
        reader = Reader()
        task = asyncio.ensure_future(provider.stream(reader.call(name), reader))
        await reader.paused.wait()
        await hose.blocked()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        reader.resume()
        await hose.gone.wait()
        assert hose.sent < COUNT / 4
        await registry.close()


async def test_the_time_of_a_pause_is_not_the_providers_silence(
    server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = registry_at(server, stall_timeout_s=5.0)
    gate = Gate(3)
    server.answers.append(Answer(deltas=["x"] * 3, gate=gate))
    provider, name = registry.resolve("openai/fake-1")
    reader = Reader()
    task = asyncio.ensure_future(provider.stream(reader.call(name), reader))
    await reader.paused.wait()
    time = OwnedTime(monkeypatch)
    await time.advance(1000)
    assert not task.done()
    reader.resume()
    await time.advance(4)
    assert not task.done()
    await time.advance(2)
    with pytest.raises(Stalled):
        await task
    await registry.close()


async def test_a_pause_at_the_end_of_an_answer_leaves_its_connection_usable(
    server: ProviderServer,
) -> None:
    registry = registry_at(server)
    provider, name = registry.resolve("openai/fake-1")
    for _ in range(3):
        # All of it comes in one read.
        server.answers.append(Answer(pieces=lambda stream: [stream]))
        reader = Reader()
        reader.always = True
        await provider.stream(reader.call(name), reader)
        assert reader.text == "Hello, world"
    assert server.connections == 1
    await registry.close()
