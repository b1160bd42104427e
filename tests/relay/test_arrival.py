"""Between a `send` and its run: nothing waits behind it, and nothing that was answered is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamchat_relay.relay.hub import Hub
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import FakeClient, FakeProvider, FakeRegistry, events_in, settle, types


class SlowRegistry(FakeRegistry):
    """Knows its default model when the test says so."""

    def __init__(self, provider: FakeProvider) -> None:
        super().__init__(provider)
        self.known = asyncio.Event()

    async def default_model(self) -> str:
        await self.known.wait()
        return await super().default_model()


class SlowStore(MemoryStore):
    """Has saved when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()
        self.written.set()

    async def saved(self) -> None:
        await self.written.wait()


@pytest.fixture
def registry(provider: FakeProvider) -> SlowRegistry:
    return SlowRegistry(provider)


@pytest.fixture
def store() -> SlowStore:
    return SlowStore()


@pytest.fixture
async def hub(store: SlowStore, registry: SlowRegistry) -> AsyncIterator[Hub]:
    made = Hub(store, registry)
    yield made
    await made.close()


async def test_a_stop_does_not_wait_for_the_default_model_that_a_send_waits_for(
    client: FakeClient, provider: FakeProvider, registry: SlowRegistry
) -> None:
    await client.send("r1", model="fake/one")
    call = await provider.next_call()
    await client.send("r2", conversation="c2")
    (ok,) = [frame for frame in await stop(client, "r1") if frame["type"] == "ok"]
    assert ok["state"] == "stopping"
    assert call.closed
    registry.known.set()


async def test_a_send_that_waits_for_its_model_can_be_stopped_from_anywhere_and_asks_nobody(
    hub: Hub, client: FakeClient, provider: FakeProvider, registry: SlowRegistry
) -> None:
    assert await client.send("r1") == []
    (ok,) = await stop(await FakeClient(hub).hello(), "r1")
    assert ok["state"] == "stopping"
    registry.known.set()
    await settle()
    frames = client.transport.take()
    assert types(frames) == ["settings", "message", "start", "abort"]
    assert [frame["duplicate"] for frame in frames if frame["type"] == "ok"] == [False]
    assert provider.count == 0
    assert (await stop(client, "r1"))[0]["state"] == "interrupted"
    assert not hub._arriving
    assert not hub._stopped_early


async def test_prompts_are_logged_as_they_came_though_the_first_waits_for_its_model(
    client: FakeClient, registry: SlowRegistry
) -> None:
    await client.send("r1", "first")
    await client.send("r2", "second", model="fake/one")
    registry.known.set()
    await settle()
    messages = [
        event["message"]["parts"][0]["text"]
        for event in events_in(client.transport.take())
        if event["type"] == "message"
    ]
    assert messages == ["first", "second"]


async def test_a_prompt_is_answered_and_its_provider_asked_when_it_is_saved_and_not_before(
    client: FakeClient, provider: FakeProvider, store: SlowStore
) -> None:
    store.written.clear()
    frames = await client.send("r1", model="fake/one")
    assert types(frames) == ["settings", "message", "start"]
    assert not any(frame["type"] == "ok" for frame in frames)
    assert provider.count == 0
    store.written.set()
    await settle()
    assert [frame["type"] for frame in client.transport.take()] == ["events", "ok"]
    assert provider.count == 1


async def test_a_run_stopped_before_it_was_saved_never_reaches_the_provider(
    client: FakeClient, provider: FakeProvider, store: SlowStore
) -> None:
    store.written.clear()
    await client.send("r1", model="fake/one")
    frames = await stop(client, "r1")
    assert types(frames) == ["abort"]
    store.written.set()
    await settle()
    assert provider.count == 0


async def test_what_was_sent_is_accepted_though_its_socket_is_gone(
    hub: Hub, client: FakeClient, provider: FakeProvider, registry: SlowRegistry
) -> None:
    await client.send("r1")
    client.connection.closed()
    registry.known.set()
    await provider.next_call()
    assert hub.active_runs == 1


async def test_a_server_that_stops_accepts_nothing_that_still_waits(
    hub: Hub, client: FakeClient, provider: FakeProvider, registry: SlowRegistry
) -> None:
    await client.send("r1")
    await client.connection.going_away()
    registry.known.set()
    await settle()
    assert hub.active_runs == 0
    assert provider.count == 0
    assert not hub._arriving


async def stop(client: FakeClient, run: str) -> list[dict[str, Any]]:
    frames = await client.say(type="stop", id="s1", run=run)
    await settle()
    return frames + client.transport.take()
