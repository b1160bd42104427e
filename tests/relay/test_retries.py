"""When a provider is asked again, told of the rule alone and of whole connections."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import (
    ErrorInfo,
    ProviderAuth,
    ProviderOverloaded,
    ProviderRateLimited,
    Stalled,
    StreamChatError,
    TimedOut,
)
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.retries import LONGEST_S, SPREAD, Retries
from streamchat_relay.relay.rules import Rules
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
    retries = Retries(2, chance=lambda: 0)
    made = Hub(MemoryStore(), FakeRegistry(provider), rules=Rules(retries=retries), clock=clock)
    yield made
    await made.close()


def busy(retry_after: float | None) -> ErrorInfo:
    return ProviderOverloaded("Busy.", retry_after=retry_after).info


@given(st.floats(0, LONGEST_S), st.integers(0, 2), st.lists(st.floats(0, 1), min_size=30))
def test_of_many_clients_none_comes_early_and_not_all_come_at_once(
    retry_after: float, tried: int, chances: list[float]
) -> None:
    one = iter(chances)
    rule = Retries(3, chance=lambda: next(one))
    waits = [rule.wait(busy(retry_after), tried) for _ in chances]
    assert all(wait is not None and wait >= retry_after for wait in waits)
    assert len(set(waits)) == len({1 + SPREAD * chance for chance in chances})


def test_who_says_to_come_back_much_later_is_not_waited_for() -> None:
    assert Retries().wait(busy(LONGEST_S + 1), 0) is None


@pytest.mark.parametrize(
    "error", [ProviderAuth("No."), TimedOut("Late."), Stalled("Still."), StreamChatError("Odd.")]
)
def test_what_would_fail_again_is_not_tried_again(error: StreamChatError) -> None:
    assert Retries().wait(error.info, 0) is None


async def test_a_provider_that_fails_before_its_first_token_is_asked_again(
    client: FakeClient, provider: FakeProvider, clock: FakeClock
) -> None:
    frames = await client.send("r1")
    (await provider.next_call()).ended.set_exception(ProviderRateLimited("Slow.", retry_after=7))
    await settle()
    clock.advance(6.9)
    await settle()
    assert provider.count == 1
    clock.advance(0.2)
    await settle()
    call = await provider.next_call()
    call.text("At last")
    call.finish()
    await settle()
    frames += client.transport.take()
    states = [
        (event["state"], event.get("retry_after"))
        for event in events_in(frames)
        if event["type"] == "status"
    ]
    assert states == [("running", None), ("retrying", 7), ("running", None)]
    assert types(frames)[-1] == "finish"


async def test_a_provider_that_goes_on_failing_is_asked_three_times(
    client: FakeClient, provider: FakeProvider, clock: FakeClock
) -> None:
    frames = await client.send("r1")
    for _ in range(3):
        (await provider.next_call()).ended.set_exception(ProviderOverloaded("Busy."))
        await settle()
        clock.advance(10)
        await settle()
    frames += client.transport.take()
    assert provider.count == 3
    assert events_in(frames)[-1]["error"]["code"] == "provider_overloaded"


async def test_what_fails_after_its_first_token_is_not_asked_again_and_what_came_stays(
    client: FakeClient, provider: FakeProvider, clock: FakeClock
) -> None:
    await client.send("r1")
    call = await provider.next_call()
    call.text("Half")
    call.ended.set_exception(ProviderOverloaded("Busy."))
    await settle()
    clock.advance(100)
    await settle()
    assert provider.count == 1
    assert types(client.transport.take()) == ["text-start", "text-delta", "text-end", "error"]


async def test_a_stop_while_it_waits_ends_the_run_and_asks_nobody(
    client: FakeClient, provider: FakeProvider, clock: FakeClock
) -> None:
    await client.send("r1")
    (await provider.next_call()).ended.set_exception(ProviderRateLimited("Slow.", retry_after=7))
    await settle()
    frames = await client.say(type="stop", id="s1", run="r1")
    await settle()
    frames += client.transport.take()
    assert events_in(frames)[-1]["type"] == "abort"
    clock.advance(100)
    await settle()
    assert provider.count == 1
