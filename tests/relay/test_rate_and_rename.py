"""What people think of answers, and what they call conversations, is in the log."""

from __future__ import annotations

from typing import Any

import pytest

from streamchat_relay.relay.hub import Hub
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import FakeClient, FakeProvider, FakeRegistry, events_in, settle


class Talk:
    """A hub with one answer in `c1`, and two tabs of one user."""

    def __init__(self) -> None:
        self.provider = FakeProvider()
        self.hub = Hub(MemoryStore(), FakeRegistry(self.provider))
        self.one, self.two = FakeClient(self.hub), FakeClient(self.hub)
        self.answer = ""

    async def begin(self) -> Talk:
        """Have it answered."""
        for tab in (self.one, self.two):
            await tab.hello()
            await tab.open("c1")
        await self.one.send("r1")
        call = await self.provider.next_call()
        call.text("hello")
        call.finish()
        await settle()
        self.answer = (await self.state())["messages"][-1]["id"]
        for tab in (self.one, self.two):
            tab.transport.take()
        return self

    async def state(self) -> dict[str, Any]:
        """The conversation as a tab that comes now is told it."""
        late = await FakeClient(self.hub).hello()
        frames = await late.open("c1")
        return next(frame for frame in frames if frame["type"] == "snapshot")["state"]  # type: ignore[no-any-return]


async def test_a_rating_reaches_every_tab_stays_and_can_be_taken_back() -> None:
    talk = await Talk().begin()
    rate = {"type": "rate", "id": "x2", "conversation": "c1", "message": talk.answer}
    for value, kept in [("up", "up"), ("down", "down"), ("none", None)]:
        written = await talk.one.say(**rate, value=value)
        assert {"type": "ok", "id": "x2"} in written
        event = {"type": "feedback", "t": 0, "message": talk.answer, "value": value}
        assert events_in(talk.two.transport.take()) == [event]
        assert (await talk.state())["runs"]["r1"].get("feedback") == kept


async def test_a_title_reaches_every_tab_in_one_line_and_is_told_once() -> None:
    talk = await Talk().begin()
    rename = {"type": "rename", "id": "x2", "conversation": "c1"}
    written = await talk.one.say(**rename, title="  Of\n tides ")
    assert {"type": "ok", "id": "x2", "title": "Of tides"} in written
    assert events_in(talk.two.transport.take()) == [{"type": "title", "t": 0, "title": "Of tides"}]
    assert (await talk.state())["title"] == "Of tides"
    await talk.one.say(**rename, title="Of tides")
    assert events_in(talk.two.transport.take()) == []
    await talk.one.say(**rename, title=" ")
    assert (await talk.state())["title"] == ""


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "rate", "conversation": "c1", "message": "nothing", "value": "up"}, "not_found"),
        ({"type": "rate", "conversation": "c1", "message": "x", "value": "great"}, "bad_request"),
        ({"type": "rename", "conversation": "c9", "title": "Empty"}, "not_found"),
        ({"type": "rename", "conversation": "c1", "title": "x" * 121}, "bad_request"),
    ],
)
async def test_what_cannot_be_rated_or_named_fails(frame: dict[str, Any], code: str) -> None:
    talk = await Talk().begin()
    (failed,) = await talk.one.say(id="x2", **frame)
    assert (failed["type"], failed["error"]["code"]) == ("fail", code)


async def test_somebody_else_rates_and_names_nothing() -> None:
    talk = await Talk().begin()
    other = await FakeClient(talk.hub, user="bob").hello()
    for frame in (
        {"type": "rate", "message": talk.answer, "value": "up"},
        {"type": "rename", "title": "Mine"},
    ):
        (failed,) = await other.say(id="x2", conversation="c1", **frame)
        assert failed["error"]["code"] == "not_found"
    assert events_in(talk.two.transport.take()) == []
