"""A provider is read more slowly while all readers lag, and for nobody longer than patience has."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.relay.audience import PATIENCE_S, Audience
from streamchat_relay.relay.hub import Hub
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import (
    FakeCall,
    FakeClient,
    FakeClock,
    FakeProvider,
    FakeRegistry,
    events_in,
    settle,
    types,
)

MIB = 2**20


@pytest.fixture
async def hub(provider: FakeProvider, clock: FakeClock) -> AsyncIterator[Hub]:
    made = Hub(MemoryStore(), FakeRegistry(provider), clock=clock)
    yield made
    await made.close()


@pytest.fixture
async def call(client: FakeClient, provider: FakeProvider) -> FakeCall:
    await client.send("r1")
    return await provider.next_call()


def say(call: FakeCall, mib: float) -> None:
    """Say so much, or as much of it as the relay takes."""
    for _ in range(int(mib * 16)):
        if call.paused:
            return
        call.text("x" * 65_000)


async def read(client: FakeClient, *, times: int = 1000) -> None:
    """Acknowledge what has come, and what comes for it, so many times or to the end."""
    while times and (frames := client.transport.take()):
        times -= 1
        seq = max(one.get("to", 0) for one in frames)
        await client.connection.receive(f'{{"type":"ack","conversation":"c1","seq":{seq}}}')


async def test_while_all_readers_lag_the_provider_waits_until_one_has_caught_up(
    client: FakeClient, call: FakeCall
) -> None:
    say(call, 1)
    assert not call.paused
    say(call, 10)
    assert call.paused
    await read(client, times=1)
    assert call.paused
    await read(client)
    assert not call.paused
    call.finish()
    await settle()
    assert types(client.transport.take())[-1] == "finish"


async def test_one_reader_that_keeps_up_is_enough(
    hub: Hub, client: FakeClient, call: FakeCall
) -> None:
    other = await FakeClient(hub).hello()
    await other.open("c1", after=0)
    got = 0
    for _ in range(400):
        say(call, 0.07)
        got += len(events_in(other.transport.frames))
        await read(other)
    assert got > 400
    assert call.pauses == 0
    await client.connection.going_away()


async def test_nobody_is_no_reason_to_wait(client: FakeClient, call: FakeCall) -> None:
    client.connection.closed()
    say(call, 20)
    assert call.pauses == 0


@pytest.mark.parametrize("how", ["leaves", "is gone", "is joined by another"])
async def test_the_provider_goes_on_when_the_reader_that_lags(
    how: str, hub: Hub, client: FakeClient, call: FakeCall
) -> None:
    say(call, 10)
    assert call.paused
    if how == "leaves":
        await client.say(type="leave", id="l1", conversation="c1")
    elif how == "is gone":
        client.connection.closed()
    else:
        await (await FakeClient(hub).hello()).open("c1")
    assert not call.paused


async def test_a_reader_that_sleeps_is_waited_for_once_and_again_when_it_has_caught_up(
    client: FakeClient, call: FakeCall, clock: FakeClock
) -> None:
    say(call, 10)
    await settle()
    clock.advance(PATIENCE_S - 1)
    await settle()
    assert call.paused
    clock.advance(1.1)
    await settle()
    assert not call.paused
    say(call, 10)
    assert call.pauses == 1
    await read(client)
    say(call, 10)
    assert call.pauses == 2
    await read(client)
    call.finish()
    await settle()
    assert types(client.transport.take())[-1] == "finish"


async def test_a_stop_in_a_pause_works_at_once_and_leaves_nothing_behind(
    client: FakeClient, call: FakeCall, clock: FakeClock
) -> None:
    say(call, 10)
    assert call.paused
    await client.say(type="stop", id="s1", run="r1")
    await settle()
    assert call.closed
    assert not clock.sleeping
    await read(client)
    assert not clock.sleeping


async def test_only_who_pushes_is_paused(
    client: FakeClient, call: FakeCall, provider: FakeProvider
) -> None:
    await client.send("r2", parent=None)
    say(call, 10)
    assert call.paused
    call.finish()
    await settle()
    second = await provider.next_call()
    assert not second.paused
    second.text("x")
    assert second.paused
    await read(client)
    assert not second.paused


class Held:
    """A source that remembers whether it may be read."""

    paused = False

    def pause(self) -> None:
        assert not self.paused
        self.paused = True

    def resume(self) -> None:
        assert self.paused
        self.paused = False


steps = st.lists(
    st.tuples(st.sampled_from(["join", "leave", "fall_behind", "hold"]), st.integers(0, 2)),
    max_size=30,
)


@given(steps)
async def test_a_source_is_paused_only_while_there_are_readers_and_all_of_them_lag(
    given_steps: list[tuple[str, int]],
) -> None:
    audience, clock, sources = Audience(), FakeClock(), [Held() for _ in range(3)]
    lags: dict[int, bool] = {}
    for step, which in given_steps:
        if step == "join":
            lags[which] = False
            audience.join(which)
        elif step == "leave":
            lags.pop(which, None)
            audience.leave(which)
        elif step == "fall_behind":
            if which in lags:
                lags[which] = True
            audience.fall_behind(which)
        elif audience.outrun:
            audience.hold(sources[which], clock)
        assert audience.outrun == (bool(lags) and all(lags.values()))
        assert audience.outrun or not any(source.paused for source in sources)
    for source in sources:
        audience.let_go(source)
    await settle()
    assert not clock.sleeping
