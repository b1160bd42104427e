"""Within any minute a provider is asked as often as it allows, and who waits is told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import ErrorInfo, error_from
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.rates import WINDOW_S, Rates
from streamchat_relay.relay.retries import Retries
from streamchat_relay.relay.rules import Rules
from streamchat_relay.relay.slots import Slots
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
    rules = Rules(
        rates=Rates({"fake": 2}, now=clock.now), retries=Retries(chance=lambda: 0), max_runs=8
    )
    made = Hub(MemoryStore(), FakeRegistry(provider), rules=rules, clock=clock)
    yield made
    await made.close()


@given(st.integers(1, 5), st.lists(st.integers(0, 40), max_size=60))
def test_no_minute_holds_more_than_its_number_and_no_wait_is_longer_than_needed(
    most: int, pauses: list[int]
) -> None:
    now = 0.0
    rates = Rates({"p": most}, now=lambda: now)
    asked: list[float] = []
    for pause in pauses:
        now += pause
        wait = rates.wait("p")
        within = [time for time in asked if time + WINDOW_S > now]
        assert (wait == 0) == (len(within) < most)
        if wait:
            now += wait
            assert rates.wait("p") == 0
        rates.take("p")
        asked.append(now)
    for time in asked:
        assert sum(time <= other < time + WINDOW_S for other in asked) <= most


def test_who_waits_for_a_provider_holds_up_nobody_who_asks_another() -> None:
    slots = Slots(in_all=9, per_user=9, rates=Rates({"p": 1}, now=lambda: 0.0))
    assert slots.ask(("ada", "1"), "p")
    assert not slots.ask(("ada", "2"), "p")
    assert slots.ask(("bob", "3"), "q")
    assert slots.wait() == WINDOW_S


async def test_past_a_providers_number_prompts_wait_in_line_and_begin_with_its_next_minute(
    hub: Hub, client: FakeClient, provider: FakeProvider, clock: FakeClock
) -> None:
    for number in range(5):
        await client.open(f"d{number}")
        await client.send(f"r{number}", conversation=f"d{number}")
        clock.advance(1)
    await settle()
    assert provider.count == 2
    told = await FakeClient(hub).hello()
    (snapshot,) = [one for one in await told.open("d4") if one["type"] == "snapshot"]
    assert snapshot["state"]["runs"]["r4"]["position"] == 3
    clock.advance(55.5)
    await settle()
    assert provider.count == 3
    clock.advance(1)
    await settle()
    assert provider.count == 4
    clock.advance(60)
    await settle()
    assert provider.count == 5


async def test_who_waits_for_one_provider_less_long_than_others_do_begins_earlier(
    clock: FakeClock,
) -> None:
    one, two = FakeProvider("one"), FakeProvider("two")

    class Both(FakeRegistry):
        def resolve(self, model: str) -> tuple[FakeProvider, str]:
            return (one if model.startswith("one") else two), "m"

    rules = Rules(rates=Rates({"one": 1, "two": 1}, now=clock.now))
    hub = Hub(MemoryStore(), Both(one), rules=rules, clock=clock)
    ada, bob = await FakeClient(hub).hello(), await FakeClient(hub, "bob").hello()
    await bob.send("b1", model="two/m", conversation="d1")
    clock.advance(50)
    await ada.send("a1", model="one/m", conversation="d1")
    await ada.send("a2", model="one/m", conversation="d2")
    await bob.send("b2", model="two/m", conversation="d2")
    assert (one.count, two.count) == (1, 1)
    clock.advance(10)
    await settle()
    assert (one.count, two.count) == (1, 2)
    clock.advance(50)
    await settle()
    assert (one.count, two.count) == (2, 2)
    await hub.close()


async def test_who_waits_for_a_provider_can_be_stopped(
    client: FakeClient, provider: FakeProvider, clock: FakeClock
) -> None:
    for number in range(3):
        await client.open(f"d{number}")
        await client.send(f"r{number}", conversation=f"d{number}")
    frames = await client.say(type="stop", id="s", run="r2")
    await settle()
    assert types(frames + client.transport.take())[-1] == "abort"
    clock.advance(100)
    await settle()
    assert provider.count == 2


async def test_a_retry_is_a_request_too(
    client: FakeClient, provider: FakeProvider, clock: FakeClock
) -> None:
    await client.send("r1")
    busy = error_from(ErrorInfo(code="provider_overloaded", message="Busy.", retryable=True))
    (await provider.next_call()).ended.set_exception(busy)
    await settle()
    clock.advance(0.5)
    await settle()
    (await provider.next_call()).ended.set_exception(busy)
    await settle()
    # Without the minute's limit it would be asked again after a second.
    (status,) = [
        event for event in events_in(client.transport.take()) if event.get("retry_after", 0) > 1
    ]
    assert status["retry_after"] == pytest.approx(59.5)
    clock.advance(2)
    await settle()
    assert provider.count == 2
    clock.advance(58)
    await settle()
    assert provider.count == 3
