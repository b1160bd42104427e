"""Lists, deletions and exports of conversations, as clients ask for them."""

from __future__ import annotations

from typing import Any

import pytest

from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.ports import RESTORE_S
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import FakeClient, FakeProvider, FakeRegistry, events_in, settle
from tests.stores.test_deletion import Time


class Talks:
    """A hub with time of its own, and two tabs of one user that have `c1` open."""

    def __init__(self) -> None:
        self.now = Time()
        self.provider = FakeProvider()
        self.hub = Hub(MemoryStore(now=self.now), FakeRegistry(self.provider))
        self.one, self.two = FakeClient(self.hub), FakeClient(self.hub)

    async def begin(self) -> Talks:
        for tab in (self.one, self.two):
            await tab.hello()
            await tab.open("c1")
        return self

    async def answered(self, run: str = "r1", text: str = "Hello", **fields: Any) -> None:
        """Have something answered in `c1`, or in another conversation."""
        await self.one.send(run, text, **fields)
        call = await self.provider.next_call()
        call.text(f"About {text}")
        call.finish()
        await settle()
        for tab in (self.one, self.two):
            tab.transport.take()

    async def list(self, **fields: Any) -> list[dict[str, Any]]:
        """What a list tells."""
        self.one.transport.take()
        written = await self.one.say(type="list", id="l1", **fields)
        await settle()
        (told,) = [*written, *self.one.transport.take()]
        assert told["type"] == "ok", told
        return told["conversations"]  # type: ignore[no-any-return]


async def test_a_list_has_the_newest_first_and_says_which_is_answering() -> None:
    talks = await Talks().begin()
    await talks.answered()
    talks.now.now += 1
    await talks.one.send("r2", "And more", conversation="c2")
    call = await talks.provider.next_call()
    told = await talks.list()
    assert [(one["id"], one["title"], one.get("answering", False)) for one in told] == [
        ("c2", "And more", True),
        ("c1", "Hello", False),
    ]
    call.finish()
    await settle()
    assert not any(one.get("answering") for one in await talks.list())


async def test_a_list_is_paged_and_searched() -> None:
    talks = await Talks().begin()
    for number in range(3):
        await talks.answered(f"r{number}", f"Number {number}", conversation=f"c{number}")
        talks.now.now += 1
    first = await talks.list(limit=2)
    place = {"used": first[-1]["used"], "id": first[-1]["id"]}
    rest = await talks.list(limit=2, before=place)
    assert [one["id"] for one in [*first, *rest]] == ["c2", "c1", "c0"]
    found = await talks.list(search="ABOUT number 1")
    assert [(one["id"], one.get("found")) for one in found] == [("c1", None)]


async def test_a_change_of_the_list_is_told_once_to_who_has_one() -> None:
    talks = await Talks().begin()
    await talks.answered()
    await talks.list()
    await talks.two.send("r2", "More", conversation="c2")
    assert [one for one in talks.one.transport.take() if one["type"] == "stale"] == [
        {"type": "stale"}
    ]
    assert not [one for one in talks.two.transport.take() if one["type"] == "stale"]
    await talks.two.say(type="rename", id="n1", conversation="c2", title="Other")
    assert not [one for one in talks.one.transport.take() if one["type"] == "stale"]
    await talks.list()
    (await talks.provider.next_call()).finish()
    await settle()
    assert {"type": "stale"} in talks.one.transport.take()


async def test_a_deletion_hides_stops_and_is_told_to_every_view() -> None:
    talks = await Talks().begin()
    await talks.answered()
    await talks.one.send("r2", "A long one")
    call = await talks.provider.next_call()
    call.text("begun")
    talks.two.transport.take()
    written = await talks.one.say(type="delete", id="d1", conversation="c1")
    gone = {"type": "deleted", "conversation": "c1", "restorable": True}
    assert [one for one in written if one["type"] != "events"] == [
        gone,
        {"type": "ok", "id": "d1", "restorable_s": RESTORE_S},
    ]
    assert talks.two.transport.take() == [gone]
    await settle()
    assert call.closed
    # Nothing more comes of it, and nothing can be done with it.
    assert talks.two.transport.take() == []
    assert await talks.list() == []
    for frame in (
        {"type": "send", "run": "r3", "message": {"parts": [{"type": "text", "text": "x"}]}},
        {"type": "rename", "title": "No"},
        {"type": "rate", "message": "x", "value": "up"},
        {"type": "export", "form": "md"},
    ):
        written = await talks.two.say(id="x1", conversation="c1", **frame)
        await settle()
        (failed,) = [*written, *talks.two.transport.take()]
        assert failed["error"]["code"] == "not_found"
    # A notebook that is saved now gets no transcript of it.
    assert talks.hub.known("ada", "c1") is None
    # Deleting it again is what a client does whose answer was lost.
    again = await talks.one.say(type="delete", id="d2", conversation="c1")
    assert again == [{"type": "ok", "id": "d2", "restorable_s": RESTORE_S}]


async def test_an_undo_brings_everything_back_to_every_view() -> None:
    talks = await Talks().begin()
    await talks.answered()
    _, before = await talks.two.open("c1")
    await talks.one.say(type="delete", id="d1", conversation="c1")
    talks.two.transport.take()
    written = await talks.one.say(type="restore", id="u1", conversation="c1")
    assert written == [{"type": "restored", "conversation": "c1"}, {"type": "ok", "id": "u1"}]
    assert talks.two.transport.take() == [{"type": "restored", "conversation": "c1"}]
    _, after = await talks.two.open("c1")
    assert (after["type"], after["state"]) == ("snapshot", before["state"])
    assert [one["id"] for one in await talks.list()] == ["c1"]
    await talks.answered("r5", "It goes on")
    assert await talks.one.say(type="restore", id="u2", conversation="c1") == [
        {"type": "ok", "id": "u2"}
    ]


async def test_who_opens_a_deleted_conversation_is_told_and_hears_of_its_return() -> None:
    talks = await Talks().begin()
    await talks.answered()
    await talks.one.say(type="delete", id="d1", conversation="c1")
    late = await FakeClient(talks.hub).hello()
    told, failed = await late.open("c1")
    assert told == {"type": "deleted", "conversation": "c1", "restorable": True}
    assert (failed["type"], failed["error"]["code"]) == ("fail", "not_found")
    await talks.one.say(type="restore", id="u1", conversation="c1")
    assert late.transport.take() == [{"type": "restored", "conversation": "c1"}]


async def test_after_its_time_nothing_can_be_restored_or_said() -> None:
    talks = await Talks().begin()
    await talks.answered()
    await talks.one.say(type="delete", id="d1", conversation="c1")
    talks.now.now += RESTORE_S
    (failed,) = await talks.one.say(type="restore", id="u1", conversation="c1")
    assert failed["error"]["code"] == "not_found"
    for tab in (talks.one, talks.two):
        await tab.say(type="leave", id="v1", conversation="c1")
    told, failed = await talks.two.open("c1")
    assert told == {"type": "deleted", "conversation": "c1"}
    assert failed["error"]["code"] == "not_found"
    await talks.one.send("r2", "Anybody there?")
    assert talks.provider.count == 1


async def test_somebody_else_deletes_restores_and_exports_nothing() -> None:
    talks = await Talks().begin()
    await talks.answered()
    other = await FakeClient(talks.hub, user="bob").hello()
    for frame in ({"type": "delete"}, {"type": "restore"}, {"type": "export", "form": "md"}):
        (failed,) = await other.say(id="x1", conversation="c1", **frame)
        assert failed["error"]["code"] == "not_found"
    assert await talks.two.say(type="ping", t=1) == [{"type": "pong", "t": 1}]
    assert [one["id"] for one in await talks.list()] == ["c1"]


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "list", "limit": 0},
        {"type": "list", "limit": 1001},
        {"type": "list", "search": "x" * 201},
        {"type": "list", "before": {"used": 1, "id": "no id"}},
        {"type": "export", "conversation": "c1", "form": "exe"},
        {"type": "delete", "conversation": "no id"},
    ],
)
async def test_what_cannot_be_asked_is_a_bad_request(frame: dict[str, Any]) -> None:
    talks = await Talks().begin()
    (failed,) = await talks.one.say(id="x1", **frame)
    assert failed["error"]["code"] == "bad_request"


async def test_an_export_is_the_branch_that_ends_in_a_message() -> None:
    talks = await Talks().begin()
    await talks.answered()
    await talks.one.say(type="rename", id="n1", conversation="c1", title="Of/tides")
    (told,) = [
        one
        for one in await talks.one.say(type="export", id="e1", conversation="c1", form="md")
        if one["type"] == "ok"
    ]
    assert told["name"] == "Of tides.md"
    assert told["text"].startswith("# Of/tides\n\n## You\n\nHello\n\n## fake/one\n\nAbout Hello")
    state = next(one for one in await talks.two.open("c1") if one["type"] == "snapshot")["state"]
    prompt = state["messages"][0]["id"]
    (told,) = await talks.one.say(
        type="export", id="e2", conversation="c1", form="jsonl", leaf=prompt
    )
    assert (told["name"], told["text"]) == (
        "Of tides.jsonl",
        '{"role": "user", "content": "Hello"}\n',
    )
    (failed,) = await talks.one.say(type="export", id="e3", conversation="c9", form="md")
    assert failed["error"]["code"] == "not_found"


async def test_a_socket_that_goes_hears_nothing_more() -> None:
    talks = await Talks().begin()
    await talks.answered()
    talks.two.connection.closed()
    await talks.list()
    talks.one.connection.closed()
    late = await FakeClient(talks.hub).hello()
    await late.say(type="delete", id="d1", conversation="c1")
    assert events_in(talks.one.transport.take()) == []
    assert talks.two.transport.take() == []
