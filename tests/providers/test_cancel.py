"""Stop: cancelling a stream closes its connection in every phase, before it returns."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from streamchat_relay.model import Stalled, TimedOut
from streamchat_relay.providers import DemoProvider, ProviderRegistry, RegistrySettings
from streamchat_relay.providers.dial import Origin, dial
from tests.fakes.provider_server import Answer, Gate, ProviderServer, Request
from tests.providers.kit import KEY, Recorder, call, registry_at

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="counts open sockets in /proc"
)

REAL = ["openai/fake-1", "anthropic/fake-1"]


class Signal(Recorder):
    """A sink that also tells when something came."""

    def __init__(self) -> None:
        super().__init__()
        self.came = asyncio.Event()

    def push(self, outputs: object, /) -> None:
        super().push(outputs)  # type: ignore[arg-type]
        self.came.set()


def peer_port(descriptor: str) -> int | None:
    try:
        with socket.socket(fileno=os.dup(int(descriptor))) as sock:
            return int(sock.getpeername()[1])
    except (OSError, IndexError, TypeError):
        return None


def open_sockets() -> set[int | None]:
    """The peers' ports of all sockets of this process that are not closed."""
    return {peer_port(path.name) for path in Path("/proc/self/fd").iterdir()}


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("model", REAL)
async def test_stop_before_the_headers_closes_the_connection(
    server: ProviderServer, registry: ProviderRegistry, model: str
) -> None:
    server.answers.append(Answer(before_headers=Gate()))
    provider, name = registry.resolve(model)
    task = asyncio.ensure_future(provider.stream(call(model=name), Recorder()))
    await server.wait_requests()
    await cancelled(task)
    assert server.port not in open_sockets()
    await server.requests[0].wait_closed()


@pytest.mark.parametrize("model", REAL)
async def test_stop_in_mid_stream_closes_the_connection_and_nothing_more_is_sent(
    server: ProviderServer, registry: ProviderRegistry, model: str
) -> None:
    gate = Gate(5)
    server.answers.append(Answer(deltas=["x"] * 100, gate=gate))
    provider, name = registry.resolve(model)
    sink = Signal()
    task = asyncio.ensure_future(provider.stream(call(model=name), sink))
    await sink.came.wait()
    await cancelled(task)
    assert server.port not in open_sockets()
    await server.requests[0].wait_closed()
    gate.open()
    await asyncio.sleep(0)
    assert server.requests[0].sent <= 5
    assert sink.finish is None


@pytest.mark.parametrize("model", REAL)
async def test_stop_while_the_stream_is_stalled_closes_the_connection(
    server: ProviderServer, registry: ProviderRegistry, model: str
) -> None:
    server.answers.append(Answer(finish=None, ending="hang"))
    provider, name = registry.resolve(model)
    sink = Signal()
    task = asyncio.ensure_future(provider.stream(call(model=name), sink))
    await sink.came.wait()
    await cancelled(task)
    await server.requests[0].wait_closed()


@pytest.fixture
async def full_backlog() -> AsyncIterator[int]:
    """A port where connecting hangs: its backlog is full and nobody accepts."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


def sockets_to(port: int) -> set[int]:
    """The sockets of this process that have or seek this peer, connected or not."""
    found = psutil.Process().net_connections("tcp4")
    return {entry.fd for entry in found if entry.raddr and entry.raddr.port == port}


async def test_stop_while_connecting_closes_the_socket(full_backlog: int) -> None:
    before = sockets_to(full_backlog)
    task = asyncio.ensure_future(dial(Origin("http", "127.0.0.1", full_backlog), None, None))
    while sockets_to(full_backlog) == before:
        assert not task.done()
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sockets_to(full_backlog) == before


async def test_a_provider_that_cannot_be_reached_in_time_is_a_timeout(full_backlog: int) -> None:
    registry = ProviderRegistry(
        RegistrySettings(
            keys={"openai": KEY},
            base_urls={"openai": f"http://127.0.0.1:{full_backlog}/v1"},
            connect_timeout_s=0.05,
        ),
        environ={},
    )
    before = sockets_to(full_backlog)
    provider, name = registry.resolve("openai/x")
    with pytest.raises(TimedOut, match=r"127\.0\.0\.1"):
        await provider.stream(call(model=name), Recorder())
    assert sockets_to(full_backlog) == before
    await registry.close()


@pytest.mark.parametrize("model", REAL)
async def test_no_first_token_in_time_is_a_timeout(server: ProviderServer, model: str) -> None:
    registry = registry_at(server, first_byte_timeout_s=0.05)
    server.answers.append(Answer(before_headers=Gate()))
    provider, name = registry.resolve(model)
    with pytest.raises(TimedOut):
        await provider.stream(call(model=name), Recorder())
    await server.wait_requests()
    await server.requests[0].wait_closed()
    await registry.close()


@pytest.mark.parametrize(
    ("answer", "limits", "error"),
    [
        # The first token's limit also covers the making of the SDK's client.
        (lambda: Answer(wire=b"", ending="pings"), (0.1, 3600.0), TimedOut),
        (lambda: Answer(finish=None, ending="pings"), (3600.0, 0.1), Stalled),
        (lambda: Answer(finish=None, ending="hang"), (3600.0, 0.1), Stalled),
    ],
)
@pytest.mark.parametrize("model", REAL)
async def test_pings_are_no_tokens(
    server: ProviderServer,
    model: str,
    answer: Callable[[], Answer],
    limits: tuple[float, float],
    error: type[Exception],
) -> None:
    first, stall = limits
    registry = registry_at(server, first_byte_timeout_s=first, stall_timeout_s=stall)
    server.answers.append(answer())
    provider, name = registry.resolve(model)
    with pytest.raises(error):
        await provider.stream(call(model=name), Recorder())
    await server.requests[0].wait_closed()
    await registry.close()


async def test_stop_ends_the_demo_at_once() -> None:
    slept = asyncio.Event()

    async def sleep(_: float) -> None:
        slept.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(DemoProvider(sleep=sleep).stream(call(model="slow"), Recorder()))
    await slept.wait()
    await cancelled(task)


def prompt_of(request: Request) -> str:
    return str(request.json["messages"][-1]["content"][0]["text"])


async def test_of_fifty_streams_at_once_those_that_are_stopped_hurt_no_other(
    server: ProviderServer, registry: ProviderRegistry
) -> None:
    gate = Gate()
    server.default = Answer(deltas=[f"{index} " for index in range(40)], gate=gate)
    provider, name = registry.resolve("anthropic/fake-1")
    sinks = [Recorder() for _ in range(50)]
    tasks = [
        asyncio.ensure_future(provider.stream(call(f"prompt {index}", model=name), sink))
        for index, sink in enumerate(sinks)
    ]
    await server.wait_requests(50)
    gate.release(500)
    for task in tasks[::2]:
        await cancelled(task)
    gate.open()
    await asyncio.gather(*tasks[1::2])
    assert {sink.text for sink in sinks[1::2]} == {server.default.text}
    # Requests come in any order.
    stopped = {f"prompt {index}" for index in range(0, 50, 2)}
    closing = [request for request in server.requests if prompt_of(request) in stopped]
    assert len(closing) == 25
    await asyncio.gather(*(request.wait_closed() for request in closing))
    assert server.open_connections == 25
