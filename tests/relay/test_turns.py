"""Runs beyond the limit, told over whole connections: they wait, and each user gets a turn."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.rules import Rules
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import FakeClient, FakeProvider, FakeRegistry, events_in, settle, types


@pytest.fixture
async def hub(provider: FakeProvider) -> AsyncIterator[Hub]:
    """One run at once."""
    rules = Rules(max_runs=1, max_runs_per_user=1)
    made = Hub(MemoryStore(), FakeRegistry(provider), rules=rules)
    yield made
    await made.close()


async def following(hub: Hub, conversation: str, user: str = "ada") -> FakeClient:
    client = await FakeClient(hub, user).hello()
    await client.open(conversation)
    return client


def places(client: FakeClient) -> list[object]:
    """The places in line that the client was told, and `running`."""
    return [
        event.get("position", event["state"])
        for event in events_in(client.transport.take())
        if event["type"] == "status"
    ]


async def test_a_run_beyond_the_limit_waits_in_line_and_is_told_its_place(
    hub: Hub, provider: FakeProvider
) -> None:
    clients = [await following(hub, f"c{number}") for number in range(3)]
    for number, client in enumerate(clients):
        client.transport.frames = await client.send(f"r{number}", conversation=f"c{number}")
    assert [places(client) for client in clients] == [["running"], [1], [2]]
    assert provider.count == 1
    (await provider.next_call()).finish()
    await settle()
    assert [places(client) for client in clients] == [[], ["running"], [1]]
    assert provider.count == 2


async def test_turns_go_round_the_users(hub: Hub, provider: FakeProvider) -> None:
    ada = await following(hub, "c1")
    bob = await following(hub, "c1", "bob")
    for run in ("a1", "a2", "a3"):
        await ada.send(run, run, conversation=f"of-{run}")
    await bob.send("b1", "b1")
    asked = []
    for _ in range(4):
        call = await provider.next_call()
        asked.append(call.call.messages[-1].text)
        call.finish()
        await settle()
    assert asked == ["a1", "a2", "b1", "a3"]


async def test_a_stop_in_line_ends_the_run_and_asks_nobody(
    hub: Hub, provider: FakeProvider
) -> None:
    first, second, third = [await following(hub, f"c{number}") for number in range(3)]
    await first.send("r0", conversation="c0")
    await second.send("r1", conversation="c1")
    await third.send("r2", conversation="c2")
    await second.say(type="stop", id="s1", run="r1")
    await settle()
    assert types(third.transport.take()) == ["status"]
    (await provider.next_call()).finish()
    await settle()
    (await provider.next_call()).finish()
    await settle()
    assert provider.count == 2
    assert "finish" in types(third.transport.take())


async def test_a_prompt_that_follows_an_answer_takes_no_turn_before_it(
    hub: Hub, provider: FakeProvider
) -> None:
    client = await following(hub, "c1")
    await client.send("r1", "one")
    await client.send("r2", "two")
    other = await following(hub, "c2")
    await other.send("r3", "three", conversation="c2")
    asked = []
    for _ in range(3):
        call = await provider.next_call()
        asked.append(call.call.messages[-1].text)
        call.finish()
        await settle()
    assert asked == ["one", "three", "two"]


async def test_a_server_that_stops_begins_nobody_in_line(provider: FakeProvider) -> None:
    hub = Hub(MemoryStore(), FakeRegistry(provider), rules=Rules(max_runs=1, max_runs_per_user=1))
    clients = [await following(hub, f"c{number}") for number in range(3)]
    for number, client in enumerate(clients):
        await client.send(f"r{number}", conversation=f"c{number}")
    await hub.close()
    assert provider.count == 1
    for client in clients:
        assert types(client.transport.take())[-1] == "abort"
