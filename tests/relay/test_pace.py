"""How fast one client may ask, told of the bucket alone and of whole connections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.relay.connection import MESSAGES_PER_REQUEST, REQUESTS_PER_S
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.pace import BURST_S, Pace
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import FakeClient, FakeClock, FakeProvider, FakeRegistry, events_in, settle

BURST = int(REQUESTS_PER_S * BURST_S)


@pytest.fixture
async def hub(provider: FakeProvider) -> AsyncIterator[Hub]:
    made = Hub(MemoryStore(), FakeRegistry(provider))
    yield made
    await made.close()


@pytest.fixture
async def asker(hub: Hub, clock: FakeClock) -> FakeClient:
    return await FakeClient(hub, clock=clock).hello()


async def ask(client: FakeClient, count: int) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    for number in range(count):
        answers += await client.say(type="open", id=f"o{number}", conversation="c1")
    return [frame for frame in answers if frame["type"] in {"ok", "fail"}]


@given(st.floats(0.5, 50), st.lists(st.floats(0, 10), max_size=200))
def test_over_any_time_no_more_is_taken_than_the_rate_and_one_burst(
    per_s: float, gaps: list[float]
) -> None:
    clock = FakeClock()
    began = clock.now()
    pace = Pace(per_s, clock)
    taken = 0
    for gap in gaps:
        clock.advance(gap)
        wait = pace.take()
        taken += not wait
        assert wait <= 1 / per_s + 1e-9
        assert taken <= max(1, per_s * BURST_S) + (clock.now() - began) * per_s + 1e-6


async def test_who_asks_too_much_is_told_when_to_come_back_and_loses_nothing(
    asker: FakeClient, clock: FakeClock
) -> None:
    answers = await ask(asker, BURST + 3)
    assert [one["type"] for one in answers] == ["ok"] * BURST + ["fail"] * 3
    error = answers[-1]["error"]
    assert (error["code"], error["retryable"]) == ("rate_limited", True)
    clock.advance(error["retry_after"])
    assert (await ask(asker, 1))[0]["type"] == "ok"
    assert asker.transport.close_code is None


async def test_a_stop_is_never_refused(asker: FakeClient, provider: FakeProvider) -> None:
    await asker.send("r1")
    call = await provider.next_call()
    await ask(asker, BURST + 5)
    await asker.say(type="stop", id="s1", run="r1")
    await settle()
    assert call.closed


async def test_acknowledgements_are_no_flood(asker: FakeClient) -> None:
    await asker.open("c1")
    for number in range(2_000):
        await asker.say(type="ack", conversation="c1", seq=number)
    assert asker.transport.close_code is None


async def test_a_flood_closes_its_own_socket_and_nobody_elses(
    hub: Hub, asker: FakeClient, provider: FakeProvider
) -> None:
    other = await FakeClient(hub).hello()
    await other.open("c1")
    await other.send("r1")
    for number in range(BURST * MESSAGES_PER_REQUEST + 10):
        await asker.say(type="ping", t=number)
    assert asker.transport.close_code == 4429
    assert await asker.say(type="ping", t=1) == []
    (await provider.next_call()).text("undisturbed")
    assert events_in(other.transport.take())[-1]["delta"] == "undisturbed"
