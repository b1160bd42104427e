"""Stop closes the provider's connection in every phase of a run, at once; leaving closes none.

The relay's clock stands still, and what follows a stop is counted in rounds of the loop: 100 of
them are a few milliseconds, a fraction of the 250 that are promised.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from streamchat_relay.providers import ProviderRegistry, RegistrySettings
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.rules import Rules
from streamchat_relay.stores import MemoryStore
from tests.fakes.provider_server import Answer, Gate, ProviderServer, Request
from tests.fakes.relay import FakeClient, FakeClock, events_in
from tests.providers.kit import KEY, registry_at
from tests.providers.test_cancel import full_backlog, sockets_to

__all__ = ["full_backlog"]

ROUNDS = 100
WIRES = {"openai": 1, "anthropic": 3}
"""How many writes of the fake provider come before its first delta."""


async def waited(condition: Callable[[], bool]) -> None:
    """Let the loop go on until this holds."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0)


class Stage:
    """A hub before a real connection to a provider, and two tabs of one user."""

    def __init__(self, hub: Hub, server: ProviderServer, clock: FakeClock) -> None:
        self.server = server
        self.clock = clock
        self.tabs = [FakeClient(hub), FakeClient(hub)]
        self.came: list[list[dict[str, Any]]] = [[], []]

    async def open(self) -> None:
        """Both follow `c1`."""
        for tab in self.tabs:
            await tab.hello()
            await tab.open("c1")
            tab.transport.take()

    def events(self, run: str, tab: int = 0) -> list[dict[str, Any]]:
        """What came of a run."""
        self.came[tab] += self.tabs[tab].transport.take()
        return [event for event in events_in(self.came[tab]) if event.get("run") == run]

    async def send(self, run: str, **fields: Any) -> None:
        """Send a prompt from the first tab."""
        self.came[0] += await self.tabs[0].send(run, **fields)

    async def until(self, run: str, kind: str, tab: int = 0, **fields: Any) -> None:
        """Wait for an event of a run."""
        await waited(
            lambda: any(
                event["type"] == kind and fields.items() <= event.items()
                for event in self.events(run, tab)
            )
        )

    async def stop(self, run: str, gone: Callable[[], bool], *, tab: int = 0) -> None:
        """Stop it, and see its connection gone and its end told within so many rounds."""
        self.came[tab] += await self.tabs[tab].say(type="stop", id="s1", run=run)
        for _ in range(ROUNDS):
            ended = [event for event in self.events(run) if event["type"] == "abort"]
            if ended and gone():
                assert ended[0]["reason"] == "user"
                return
            await asyncio.sleep(0)
        raise AssertionError(f"after {ROUNDS} rounds: {self.events(run)}, gone: {gone()}")


@asynccontextmanager
async def staged(
    rules: Rules | None = None, registry: ProviderRegistry | None = None
) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(ProviderServer())
        made = registry or registry_at(server)
        stack.push_async_callback(made.close)
        # Who waits here gives the thread that imports an SDK no turn.
        await made.warm()
        clock = FakeClock()
        hub = Hub(MemoryStore(), made, rules=rules or Rules(), clock=clock)
        stack.push_async_callback(hub.close)
        stage = Stage(hub, server, clock)
        await stage.open()
        yield stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as made:
        yield made


async def asked(stage: Stage, count: int = 1) -> Request:
    await stage.server.wait_requests(count)
    return stage.server.requests[count - 1]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("tab", [0, 1], ids=["this tab", "another tab"])
async def test_in_mid_stream_nothing_more_is_sent(stage: Stage, wire: str, tab: int) -> None:
    gate = Gate(WIRES[wire] + 2)
    stage.server.answers.append(Answer(deltas=["kept ", "too ", *["never "] * 50], gate=gate))
    await stage.send("r1", model=f"{wire}/fake-1")
    await stage.until("r1", "text-delta", delta="too ")
    call = await asked(stage)
    await stage.stop("r1", call.closed.done, tab=tab)
    gate.open()
    await asyncio.sleep(0)
    assert call.sent == WIRES[wire] + 2
    for number in (0, 1):
        deltas = [one["delta"] for one in stage.events("r1", number) if one["type"] == "text-delta"]
        assert deltas == ["kept ", "too "]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("tab", [0, 1], ids=["this tab", "another tab"])
async def test_before_the_headers(stage: Stage, wire: str, tab: int) -> None:
    stage.server.answers.append(Answer(before_headers=Gate()))
    await stage.send("r1", model=f"{wire}/fake-1")
    call = await asked(stage)
    await stage.stop("r1", call.closed.done, tab=tab)
    assert call.sent == 0


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("ending", ["hang", "pings"])
async def test_while_it_is_stalled(stage: Stage, wire: str, ending: Any) -> None:
    stage.server.answers.append(Answer(finish=None, ending=ending))
    await stage.send("r1", model=f"{wire}/fake-1")
    await stage.until("r1", "text-delta", delta=", world")
    call = await asked(stage)
    await stage.stop("r1", call.closed.done)


async def test_while_it_backs_off_and_it_is_not_asked_again(stage: Stage) -> None:
    busy = Answer(status=429, headers={"retry-after": "7"}, body={})
    stage.server.answers.append(busy)
    await stage.send("r1", model="openai/fake-1")
    await stage.until("r1", "status", state="retrying")
    await stage.stop("r1", lambda: True)
    stage.clock.advance(100)
    await asyncio.sleep(0)
    assert len(stage.server.requests) == 1


async def test_while_it_waits_behind_another_answer(stage: Stage) -> None:
    gate = Gate()
    stage.server.answers.append(Answer(gate=gate))
    await stage.send("r1", model="openai/fake-1")
    await asked(stage)
    await stage.send("r2")
    await stage.until("r2", "status", state="queued")
    await stage.stop("r2", lambda: True, tab=1)
    gate.open()
    await stage.until("r1", "finish")
    assert len(stage.server.requests) == 1


async def test_while_it_waits_for_its_turn() -> None:
    async with staged(Rules(max_runs_per_user=1)) as stage:
        gate = Gate()
        stage.server.answers.append(Answer(gate=gate))
        await stage.send("r1", conversation="c2", model="openai/fake-1")
        await asked(stage)
        await stage.send("r2", model="openai/fake-1")
        await stage.until("r2", "status", state="queued", position=1)
        await stage.stop("r2", lambda: True)
        assert not stage.server.requests[0].closed.done()
        assert len(stage.server.requests) == 1


def registry_for(url: str) -> ProviderRegistry:
    return ProviderRegistry(
        RegistrySettings(keys={"openai": KEY}, base_urls={"openai": url}), environ={}
    )


async def test_while_connecting_to_who_never_accepts(full_backlog: int) -> None:
    before = sockets_to(full_backlog)
    async with staged(registry=registry_for(f"http://127.0.0.1:{full_backlog}/v1")) as stage:
        await stage.send("r1", model="openai/fake-1")
        await waited(lambda: sockets_to(full_backlog) != before)
        await stage.stop("r1", lambda: sockets_to(full_backlog) == before)


async def test_while_connecting_to_who_never_shakes_hands() -> None:
    came, gone = asyncio.Event(), asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        came.set()
        await _to_the_end(reader)
        gone.set()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with staged(registry=registry_for(f"https://127.0.0.1:{port}/v1")) as stage:
        await stage.send("r1", model="openai/fake-1")
        await came.wait()
        await stage.stop("r1", gone.is_set)
    server.close()
    await asyncio.sleep(0)


async def _to_the_end(reader: asyncio.StreamReader) -> None:
    try:
        await reader.read()
    except ConnectionError:
        return


async def _leave(tab: FakeClient) -> None:
    await tab.say(type="leave", id="l1", conversation="c1")


async def _vanish(tab: FakeClient) -> None:
    tab.connection.closed()


@pytest.mark.parametrize("go", [_leave, _vanish], ids=["leaving", "losing the socket"])
async def test_leaving_closes_nothing_and_the_answer_goes_on(
    stage: Stage, go: Callable[[FakeClient], Awaitable[None]]
) -> None:
    gate = Gate(2)
    stage.server.answers.append(Answer(deltas=["before ", "after"], gate=gate))
    await stage.send("r1", model="openai/fake-1")
    await stage.until("r1", "text-delta", delta="before ")
    call = await asked(stage)
    await go(stage.tabs[0])
    for _ in range(ROUNDS):
        await asyncio.sleep(0)
    assert not call.closed.done()
    gate.open()
    await stage.until("r1", "finish", 1)
    deltas = [one["delta"] for one in stage.events("r1", 1) if one["type"] == "text-delta"]
    assert deltas == ["before ", "after"]
