"""What a client may rely on, told over whole connections with a fake provider."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from streamchat_relay.model import (
    Conversation,
    Event,
    Internal,
    ProviderOverloaded,
    fold,
    reduce,
)
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.ports import StoredLog
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import (
    FakeClient,
    FakeClock,
    FakeProvider,
    FakeRegistry,
    events_in,
    plain,
    settle,
    types,
)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def hub(provider: FakeProvider, store: MemoryStore, clock: FakeClock) -> AsyncIterator[Hub]:
    made = Hub(store, FakeRegistry(provider), clock=clock)
    yield made
    await made.close()


def text(frames: list[dict[str, Any]], run: str = "r1") -> str:
    return "".join(
        event["delta"]
        for event in events_in(frames)
        if event["type"] == "text-delta" and event["run"] == run
    )


@pytest.mark.parametrize(
    ("url", "media_type"),
    [
        ("data:application/zip;base64,UEs=", "application/zip"),
        ("file:///etc/passwd", "text/plain"),
        ("https://example.org/a.pdf", "application/pdf"),
        ("data:,x", ""),
    ],
)
async def test_a_file_that_no_model_reads_is_refused_and_does_not_spoil_the_conversation(
    client: FakeClient, provider: FakeProvider, url: str, media_type: str
) -> None:
    part = {"type": "file", "url": url, "media_type": media_type}
    frames = await client.send("r1", None, message={"parts": [part]})
    (failed,) = [frame for frame in frames if frame["type"] == "fail"]
    assert failed["error"]["code"] == "bad_request"
    await client.send("r2", "go on")
    call = await provider.next_call()
    assert [message.text for message in call.call.messages] == ["go on"]
    call.finish()


async def test_a_prompt_with_an_empty_parent_begins_beside_the_first(
    hub: Hub, client: FakeClient, provider: FakeProvider
) -> None:
    await client.send("r1", "first")
    (await provider.next_call()).finish()
    await settle()
    await client.send("r2", "another first", parent="")
    call = await provider.next_call()
    assert [message.text for message in call.call.messages] == ["another first"]
    call.finish()
    failed = await client.send("r3", None, parent="")
    assert any(frame["type"] == "fail" for frame in failed)


async def test_a_send_leads_from_message_to_finish(
    client: FakeClient, provider: FakeProvider
) -> None:
    frames = await client.send("r1", "What is up?", params={"system": "be brief"})
    call = await provider.next_call()
    call.text("Not", " much")
    call.finish()
    await settle()
    frames += client.transport.take()
    assert types(frames) == [
        "settings",
        "message",
        "start",
        "status",
        "text-start",
        "text-delta",
        "text-delta",
        "text-end",
        "finish",
    ]
    ok = next(frame for frame in frames if frame["type"] == "ok")
    start = next(event for event in events_in(frames) if event["type"] == "start")
    assert ok["message"] == start["message"]["id"]
    assert call.call.model == "one"
    assert call.call.params == {"system": "be brief"}
    assert [message.text for message in call.call.messages] == ["What is up?"]


async def test_one_send_is_one_generation_however_often_it_is_repeated(
    hub: Hub, client: FakeClient, provider: FakeProvider
) -> None:
    first = await client.send("r1")
    other = await FakeClient(hub).hello()
    answers = [await client.send("r1"), await other.send("r1"), await client.send("r1")]
    (await provider.next_call()).finish()
    await settle()
    answers.append(await other.send("r1"))
    oks = [frame for frames in [first, *answers] for frame in frames if frame["type"] == "ok"]
    assert [ok["duplicate"] for ok in oks] == [False, True, True, True, True]
    assert len({ok["message"] for ok in oks}) == 1
    assert provider.count == 1


async def test_leaving_or_losing_the_socket_does_not_end_the_run(
    hub: Hub, client: FakeClient, provider: FakeProvider
) -> None:
    await client.send("r1")
    call = await provider.next_call()
    await client.say(type="leave", id="l1", conversation="c1")
    client.connection.closed()
    call.text("still here")
    assert not call.closed
    call.finish()
    await settle()
    other = await FakeClient(hub).hello()
    frames = await other.open("c1", after=0)
    assert text(frames) == "still here"
    assert types(frames)[-1] == "finish"


async def test_stop_closes_the_provider_then_says_interrupted_and_keeps_what_came(
    client: FakeClient, provider: FakeProvider
) -> None:
    await client.send("r1")
    call = await provider.next_call()
    call.text("par")
    client.transport.take()
    frames = await client.say(type="stop", id="s1", run="r1")
    assert frames[0] == {"type": "ok", "id": "s1", "state": "stopping"}
    await settle()
    assert call.closed
    assert types(client.transport.take()) == ["text-end", "abort"]
    again = await client.say(type="stop", id="s2", run="r1")
    assert again == [{"type": "ok", "id": "s2", "state": "interrupted"}]


async def test_a_stop_from_another_socket_stops_the_run_too(
    hub: Hub, client: FakeClient, provider: FakeProvider
) -> None:
    await client.send("r1")
    call = await provider.next_call()
    other = await FakeClient(hub).hello()
    await other.say(type="stop", id="s1", run="r1")
    await settle()
    assert call.closed
    assert types(client.transport.take())[-1] == "abort"


async def test_stopping_what_is_unknown_or_anothers_is_not_found(
    hub: Hub, client: FakeClient, provider: FakeProvider
) -> None:
    await client.send("r1")
    bob = await FakeClient(hub, "bob").hello()
    for run in ("r1", "nothing"):
        (frame,) = await bob.say(type="stop", id="s1", run=run)
        assert frame["error"]["code"] == "not_found"
    assert not (await provider.next_call()).closed


async def test_another_user_opens_another_conversation_of_the_same_name(
    hub: Hub, client: FakeClient
) -> None:
    await client.send("r1", "my secret")
    bob = await FakeClient(hub, "bob").hello()
    ok, snapshot = await bob.open("c1")
    assert ok["head"] == 0
    assert snapshot["state"]["messages"] == []


async def test_a_follow_up_waits_for_the_answer_it_follows(
    client: FakeClient, provider: FakeProvider
) -> None:
    await client.send("r1", "one")
    first = await provider.next_call()
    first.text("un")
    client.transport.take()
    frames = await client.send("r2", "two")
    assert events_in(frames)[-1] == {
        "type": "status",
        "run": "r2",
        "t": 0.0,
        "state": "queued",
        "position": 1,
    }
    assert provider.count == 1
    first.finish()
    second = await provider.next_call()
    assert [message.text for message in second.call.messages] == ["one", "un", "two"]


async def test_a_queued_run_can_be_stopped_and_never_reaches_the_provider(
    client: FakeClient, provider: FakeProvider
) -> None:
    await client.send("r1", "one")
    await client.send("r2", "two")
    frames = await client.say(type="stop", id="s1", run="r2")
    assert frames[-1] == {"type": "ok", "id": "s1", "state": "interrupted"}
    (await provider.next_call()).finish()
    await settle()
    assert provider.count == 1


async def test_another_answer_to_the_same_prompt_is_a_sibling(
    client: FakeClient, provider: FakeProvider
) -> None:
    frames = await client.send("r1", "one")
    (await provider.next_call()).finish()
    prompt = next(event for event in events_in(frames) if event["type"] == "message")["message"]
    frames = await client.send("r2", None, parent=prompt["id"])
    again = await provider.next_call()
    assert [message.text for message in again.call.messages] == ["one"]
    start = next(event for event in events_in(frames) if event["type"] == "start")
    assert start["message"]["parent"] == prompt["id"]
    assert not any(event["type"] == "message" for event in events_in(frames))


async def test_the_next_send_uses_the_last_model_and_parameters(
    client: FakeClient, provider: FakeProvider
) -> None:
    await client.send("r1", model="fake/big", params={"temperature": 1})
    (await provider.next_call()).finish()
    await settle()
    frames = await client.send("r2")
    call = await provider.next_call()
    assert (call.call.model, call.call.params) == ("big", {"temperature": 1})
    assert "settings" not in types(frames)


async def test_a_provider_that_fails_ends_the_run_and_what_came_stays(
    client: FakeClient, provider: FakeProvider
) -> None:
    await client.send("r1")
    call = await provider.next_call()
    call.text("par")
    client.transport.take()
    call.ended.set_exception(ProviderOverloaded("It is full. Try again soon.", retry_after=3))
    await settle()
    end, error = events_in(client.transport.take())
    assert end["type"] == "text-end"
    assert error["error"] == {
        "code": "provider_overloaded",
        "message": "It is full. Try again soon.",
        "retryable": True,
        "retry_after": 3.0,
    }


@pytest.mark.parametrize("mapped", [False, True])
async def test_a_fault_of_ours_is_internal_and_the_log_says_where_without_its_words(
    client: FakeClient,
    provider: FakeProvider,
    caplog: pytest.LogCaptureFixture,
    mapped: bool,
) -> None:
    await client.send("r1")
    call = await provider.next_call()
    fault: Exception = RuntimeError("Illegal header: Bearer sk-secret")
    if mapped:
        fault, cause = Internal("A fault while talking to fake."), fault
        fault.__cause__ = cause
    call.ended.set_exception(fault)
    await settle()
    *_, error = events_in(client.transport.take())
    assert error["error"]["code"] == "internal"
    assert "Run r1 failed with RuntimeError" in caplog.text
    assert "sk-secret" not in str(error) + caplog.text


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"text": "  "}, "bad_request"),
        ({"text": None}, "bad_request"),
        ({"parent": "nobody"}, "bad_request"),
        ({"model": "nope/one"}, "model_unknown"),
    ],
)
async def test_a_send_that_cannot_be_accepted_leaves_no_trace(
    client: FakeClient, provider: FakeProvider, fields: dict[str, Any], code: str
) -> None:
    (frame,) = await client.send("r1", **fields)
    assert (frame["type"], frame["id"], frame["error"]["code"]) == ("fail", "x1", code)
    assert provider.count == 0
    ok = (await client.open("c1"))[0]
    assert ok["head"] == 0


@pytest.mark.parametrize("after", [-1, 3, 99])
async def test_a_cursor_that_the_log_never_had_is_refused_and_nothing_changes(
    client: FakeClient, provider: FakeProvider, after: int
) -> None:
    (frame,) = await client.open("c2", after=after)
    assert frame["error"]["code"] == "bad_cursor"
    await client.send("r1")
    assert types(client.transport.take()) == []
    (await provider.next_call()).text("on c1 still")
    assert text(client.transport.take()) == "on c1 still"


async def test_open_replays_from_the_cursor_or_sends_a_snapshot(
    hub: Hub, client: FakeClient, provider: FakeProvider
) -> None:
    frames = await client.send("r1")
    call = await provider.next_call()
    call.text("a", "b")
    frames += client.transport.take()
    seen = events_in(frames)
    other = await FakeClient(hub).hello()
    ok, *replay = await other.open("c1", after=2)
    assert events_in(replay) == seen[2:]
    ok, snapshot = await other.open("c1")
    assert snapshot["seq"] == ok["head"] == len(seen)
    state = fold(Conversation(), [msgspec.convert(event, Event) for event in seen])
    assert snapshot["state"] == plain(state)
    ok, snapshot = await other.open("c1", after=2, epoch="another")
    assert snapshot["type"] == "snapshot"
    assert (await other.open("c1", after=len(seen), epoch=ok["epoch"]))[1:] == []


async def test_a_snapshot_in_mid_answer_goes_on_with_live_events(
    hub: Hub, client: FakeClient, provider: FakeProvider
) -> None:
    await client.send("r1")
    call = await provider.next_call()
    call.text("Hel")
    other = await FakeClient(hub).hello()
    _, snapshot = await other.open("c1")
    call.text("lo")
    call.finish()
    await settle()
    state = msgspec.convert(snapshot["state"], Conversation)
    for event in events_in(other.transport.take()):
        state = reduce(state, msgspec.convert(event, Event))
    assert state.messages[-1].text == "Hello"
    assert state.runs["r1"].state == "done"


async def test_a_relay_that_was_killed_ends_its_runs_as_lost_when_they_were_last_heard(
    clock: FakeClock, client: FakeClient, provider: FakeProvider, store: MemoryStore
) -> None:
    await client.send("r1")
    call = await provider.next_call()
    call.text("p")
    clock.advance(1.5)
    call.text("ar")
    risen = Hub(store, FakeRegistry(provider))
    other = await FakeClient(risen).hello()
    frames = await other.open("c1", after=0)
    assert text(frames) == "par"
    assert events_in(frames)[-2:] == [
        {"type": "text-end", "run": "r1", "t": 1500.0, "part": "1"},
        {"type": "abort", "run": "r1", "t": 1500.0, "reason": "server_lost"},
    ]
    assert provider.count == 1
    await risen.close()


async def test_a_relay_that_stops_ends_its_runs_and_says_goodbye(
    hub: Hub, client: FakeClient, provider: FakeProvider
) -> None:
    await client.send("r1")
    call = await provider.next_call()
    await client.send("r2")
    client.transport.take()
    await hub.close()
    await client.connection.going_away()
    frames = client.transport.take()
    aborts = [event for event in events_in(frames) if event["type"] == "abort"]
    assert {event["run"]: event["reason"] for event in aborts} == {
        "r1": "server_lost",
        "r2": "server_lost",
    }
    assert call.closed
    assert frames[-1]["type"] == "bye"
    assert frames[-1]["error"]["retryable"]
    assert client.transport.close_code == 1001
    assert provider.count == 1


async def test_conversations_nobody_needs_are_forgotten_and_found_again(
    hub: Hub, client: FakeClient, provider: FakeProvider
) -> None:
    await client.send("r1")
    call = await provider.next_call()
    client.connection.closed()
    assert len(hub._live) == 1
    call.text("kept")
    call.finish()
    await settle()
    assert hub._live == {}
    assert dict(hub._holds) == {}
    other = await FakeClient(hub).hello()
    _, snapshot = await other.open("c1")
    assert snapshot["state"]["messages"][1]["parts"][0]["text"] == "kept"


async def test_models_does_not_hold_up_a_stop_on_the_same_socket(
    client: FakeClient, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()

    async def slow_catalog() -> Any:
        await gate.wait()
        return await FakeRegistry(provider).catalog()

    monkeypatch.setattr(client.connection._hub, "catalog", slow_catalog)
    await client.send("r1")
    assert await client.say(type="models", id="m1") == []
    (ok,) = await client.say(type="stop", id="s1", run="r1")
    assert ok["id"] == "s1"
    gate.set()
    await settle()
    models = next(frame for frame in client.transport.take() if frame.get("id") == "m1")
    assert models["default"] == "fake/one"
    assert models["problems"] == []


@pytest.mark.parametrize("depth", [33, 400, 850])
async def test_params_that_are_nested_too_deep_leave_no_run_behind(
    hub: Hub, client: FakeClient, depth: int
) -> None:
    frame = {
        "type": "send",
        "id": "x1",
        "conversation": "c1",
        "run": "r1",
        "message": {"parts": [{"type": "text", "text": "hi"}]},
    }
    params = '{"x": ' + "[" * depth + "]" * depth + "}"
    await client.connection.receive(f'{json.dumps(frame)[:-1]}, "params": {params}}}')
    (fail,) = client.transport.take()
    assert fail["error"]["code"] == "bad_request"
    assert hub.active_runs == 0
    assert (await client.open("c1"))[0]["head"] == 0


async def test_a_reader_that_fails_costs_neither_the_run_nor_the_others(
    hub: Hub, client: FakeClient, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    broken = await FakeClient(hub).hello()
    await broken.open("c1")
    await client.open("c1")
    await client.send("r1")
    call = await provider.next_call()

    def fail(_: object) -> None:
        raise RuntimeError("broken")

    broken.transport.write = fail  # type: ignore[method-assign]
    client.transport.take()
    call.text("to the others")
    call.finish()
    await settle()
    frames = client.transport.take()
    assert text(frames) == "to the others"
    assert types(frames)[-1] == "finish"
    assert hub.active_runs == 0
    assert "reader" in caplog.text


class GatedStore(MemoryStore):
    """Loads when the test says so, or fails."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.failing = False

    async def load(self, user: str, conversation: str) -> StoredLog | None:
        await self.gate.wait()
        if self.failing:
            raise Internal("The disk is full.", retryable=True)
        return await super().load(user, conversation)


async def test_a_conversation_that_cannot_be_loaded_is_told_and_holds_nothing(
    provider: FakeProvider,
) -> None:
    store = GatedStore()
    hub = Hub(store, FakeRegistry(provider))
    client = await FakeClient(hub).hello()
    store.gate.set()
    store.failing = True
    (fail,) = await client.open("c1")
    assert fail["error"]["message"] == "The disk is full."
    assert dict(hub._holds) == {}
    store.failing = False
    assert (await client.open("c1"))[0]["type"] == "ok"
    await hub.close()


async def test_a_load_that_nobody_waits_for_any_more_is_forgotten(provider: FakeProvider) -> None:
    store = GatedStore()
    hub = Hub(store, FakeRegistry(provider))
    client = await FakeClient(hub).hello()
    opening = asyncio.ensure_future(client.open("c1"))
    await settle()
    opening.cancel()
    await settle()
    store.gate.set()
    await settle()
    assert (hub._live, hub._loading, dict(hub._holds)) == ({}, {}, {})
    await hub.close()


async def test_a_run_that_the_store_knows_but_its_conversation_does_not_is_not_found(
    client: FakeClient, store: MemoryStore
) -> None:
    store._runs["ada", "r7"] = "c1"
    (fail,) = await client.say(type="stop", id="s1", run="r7")
    assert fail["error"]["code"] == "not_found"
