"""What one answer may take at most, told over whole connections."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.rules import Limits, Rules
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import (
    FakeClient,
    FakeClock,
    FakeProvider,
    FakeRegistry,
    events_in,
    settle,
    types,
)


@pytest.fixture
async def hub(provider: FakeProvider, clock: FakeClock) -> AsyncIterator[Hub]:
    rules = Rules(limits=Limits(answer_s=60, answer_bytes=2**20))
    made = Hub(MemoryStore(), FakeRegistry(provider), rules=rules, clock=clock)
    yield made
    await made.close()


async def test_an_answer_that_takes_too_long_ends_as_timed_out_and_what_came_stays(
    client: FakeClient, provider: FakeProvider, clock: FakeClock
) -> None:
    await client.send("r1")
    call = await provider.next_call()
    for _ in range(5):
        call.text("still ")
        clock.advance(11)
        await settle()
    assert not call.closed
    clock.advance(11)
    await settle()
    assert call.closed
    events = events_in(client.transport.take())
    assert events[-2]["type"] == "text-end"
    assert events[-1]["error"]["code"] == "timeout"
    assert "60 seconds" in events[-1]["error"]["message"]
    assert sum(event["type"] == "text-delta" for event in events) == 5


async def test_the_time_in_line_does_not_count(
    client: FakeClient, provider: FakeProvider, clock: FakeClock
) -> None:
    await client.send("r1")
    await client.send("r2")
    first = await provider.next_call()
    clock.advance(50)
    await settle()
    first.finish()
    await settle()
    second = await provider.next_call()
    clock.advance(50)
    await settle()
    assert not second.closed
    second.finish()
    await settle()
    assert types(client.transport.take())[-1] == "finish"


async def test_an_answer_that_grows_too_large_ends_so_and_what_came_stays(
    hub: Hub, client: FakeClient, provider: FakeProvider
) -> None:
    await client.send("r1")
    call = await provider.next_call()
    for _ in range(30):
        call.text("x" * 2**16)
    await settle()
    assert call.closed
    other = await FakeClient(hub).hello()
    (snapshot,) = [one for one in await other.open("c1") if one["type"] == "snapshot"]
    text = snapshot["state"]["messages"][-1]["parts"][0]["text"]
    assert 2**20 - 2**16 <= len(text) < 2**20 + 2**16
    error = snapshot["state"]["runs"]["r1"]["error"]
    assert (error["code"], error["retryable"]) == ("too_large", False)


async def test_an_answer_that_ends_in_time_leaves_no_timer_behind(
    client: FakeClient, provider: FakeProvider, clock: FakeClock
) -> None:
    await client.send("r1")
    (await provider.next_call()).finish()
    await settle()
    clock.advance(1000)
    await settle()
    assert types(client.transport.take())[-1] == "finish"
    assert not clock.sleeping
