"""Presence: the views of a conversation tell each other who types and what was seen."""

from __future__ import annotations

from typing import Any

from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.presence import GAP_S, MOST_VIEWS, TYPING_S
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import FakeClient, FakeClock, FakeProvider, FakeRegistry, settle


class House:
    """A hub with a clock of its own, and clients that have `c1` open."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.hub = Hub(MemoryStore(), FakeRegistry(FakeProvider()), clock=self.clock)

    async def view(self, user: str = "ada", *, shows: bool = True) -> FakeClient:
        """Another one; unless it `shows` itself it only reads, as a kernel does."""
        client = await FakeClient(self.hub, user).hello()
        await client.open("c1")
        if shows:
            await client.say(type="presence", conversation="c1")
        client.transport.take()
        return client

    async def later(self, seconds: float = GAP_S) -> None:
        await settle()
        self.clock.advance(seconds)
        await settle()


def told(client: FakeClient) -> list[list[dict[str, Any]]]:
    """What a client was told of other views, without their names."""
    views = [one["views"] for one in client.transport.take() if one["type"] == "views"]
    return [[{k: one[k] for k in ("typing", "seen") if k in one} for one in some] for some in views]


async def test_who_types_is_told_to_the_other_views_until_it_ends() -> None:
    house = House()
    one, two = await house.view(), await house.view()
    await house.later()
    for client in (one, two):
        client.transport.take()
    await one.say(type="presence", conversation="c1", typing=True)
    assert told(two) == [[{"typing": True}]]
    assert told(one) == []
    await house.later()
    await one.say(type="presence", conversation="c1", typing=False)
    assert told(two) == [[{}]]


async def test_a_view_is_named_by_its_greeting() -> None:
    house = House()
    one = await house.view()
    two = await FakeClient(house.hub).hello()
    await two.open("c1")
    await house.later()
    (frame,) = await two.say(type="presence", conversation="c1", seen=7)
    assert frame == {
        "type": "views",
        "conversation": "c1",
        "views": [{"session": "s1", "user": "ada"}],
    }
    assert told(one) == [[{"seen": 7}]]


async def test_typing_that_is_not_said_again_is_over_by_itself() -> None:
    house = House()
    one, two = await house.view(), await house.view()
    await house.later()
    await one.say(type="presence", conversation="c1", typing=True)
    await house.later(TYPING_S - 1)
    told(two)
    await one.say(type="presence", conversation="c1", typing=True)
    await house.later(TYPING_S - 1)
    assert told(two) == []
    await house.later(1)
    assert told(two) == [[{}]]


async def test_a_view_whose_socket_goes_is_forgotten() -> None:
    house = House()
    one, two = await house.view(), await house.view()
    await house.later()
    await one.say(type="presence", conversation="c1", typing=True)
    await house.later()
    told(two)
    one.connection.closed()
    assert told(two) == [[]]
    await house.later()
    await two.say(type="leave", id="v1", conversation="c1")
    # Nobody waits for anything any more.
    await house.later(TYPING_S)
    assert house.clock.sleeping == 0


async def test_many_changes_are_told_few_times_and_the_last_of_them_for_sure() -> None:
    house = House()
    one, two = await house.view(), await house.view()
    await house.later()
    told(two)
    for number in range(1, 101):
        await one.say(type="presence", conversation="c1", typing=number % 2 == 0, seen=number)
    assert len(told(two)) <= 1
    await house.later()
    assert told(two) == [[{"typing": True, "seen": 100}]]


async def test_who_only_reads_is_no_view_and_is_told_of_none() -> None:
    house = House()
    kernel = await house.view(shows=False)
    one, two = await house.view(), await house.view()
    await one.say(type="presence", conversation="c1", typing=True)
    await house.later()
    assert kernel.transport.take() == []
    assert len(told(two)[-1]) == 1


async def test_other_users_and_other_conversations_see_nothing() -> None:
    house = House()
    one, stranger = await house.view(), await house.view("bob")
    elsewhere = await FakeClient(house.hub).hello()
    await elsewhere.open("c2")
    await elsewhere.say(type="presence", conversation="c2")
    # Not open here, so it is no view.
    await elsewhere.say(type="presence", conversation="c1", typing=True)
    await one.say(type="presence", conversation="c1", typing=True)
    await house.later()
    assert told(stranger) == told(elsewhere) == told(one) == []


async def test_it_is_never_in_the_log() -> None:
    house = House()
    one = await house.view()
    await one.say(type="presence", conversation="c1", typing=True, seen=3)
    late = await FakeClient(house.hub).hello()
    opened, snapshot = await late.open("c1")
    assert (opened["head"], snapshot["seq"]) == (0, 0)


async def test_beyond_some_views_more_are_not_told() -> None:
    house = House()
    views = [await house.view() for _ in range(MOST_VIEWS + 3)]
    await house.later()
    assert len(told(views[0])[-1]) == MOST_VIEWS - 1
    assert told(views[-1]) == []
