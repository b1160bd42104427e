"""A prompt that was taken back out of the queue: no model is told of it."""

from __future__ import annotations

from streamchat_relay.model import branch
from streamchat_relay.relay.hub import Hub
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import FakeClient, FakeProvider, FakeRegistry, settle


async def test_what_is_asked_after_a_prompt_that_was_taken_back_does_not_follow_it() -> None:
    provider = FakeProvider()
    hub = Hub(MemoryStore(), FakeRegistry(provider))
    client = await FakeClient(hub).hello()
    await client.open("c1")
    await client.send("r1", "one")
    call = await provider.next_call()
    call.text("first")
    await client.send("r2", "two")
    await client.say(type="stop", id="x2", run="r2")
    await client.send("r3", "three")
    call.finish()
    await settle()
    told = (await provider.next_call()).call.messages
    assert [message.text for message in told] == ["one", "first", "three"]
    state = hub.known("ada", "c1")
    assert state is not None
    assert [message.text for message in branch(state)] == ["one", "first", "three", ""]


async def test_a_prompt_behind_one_that_was_taken_back_is_asked_without_it() -> None:
    provider = FakeProvider()
    hub = Hub(MemoryStore(), FakeRegistry(provider))
    client = await FakeClient(hub).hello()
    await client.open("c1")
    await client.send("r1", "one")
    call = await provider.next_call()
    call.text("first")
    await client.send("r2", "two")
    await client.send("r3", "three")
    await client.send("r4", "four")
    client.transport.take()
    for run in ("r3", "r2"):
        await client.say(type="stop", id="x2", run=run)
    await settle()
    state = hub.known("ada", "c1")
    assert state is not None
    assert [message.text for message in branch(state)] == ["one", "first", "four", ""]
    assert state.runs["r4"].position == 1
    call.finish()
    await settle()
    call = await provider.next_call()
    assert [message.text for message in call.call.messages] == ["one", "first", "four"]
    call.finish()
    await settle()
    # Who wants it answered after all names it.
    (two,) = [one.id for one in state.messages if one.text == "two"]
    await client.send("r5", None, parent=two)
    told = (await provider.next_call()).call.messages
    assert [message.text for message in told] == ["one", "first", "two"]


async def test_an_answer_that_was_stopped_while_it_was_written_is_followed() -> None:
    provider = FakeProvider()
    client = await FakeClient(Hub(MemoryStore(), FakeRegistry(provider))).hello()
    await client.open("c1")
    await client.send("r1", "one")
    (await provider.next_call()).text("half")
    await client.say(type="stop", id="x2", run="r1")
    await settle()
    await client.send("r2", "two")
    told = (await provider.next_call()).call.messages
    assert [message.text for message in told] == ["one", "half", "two"]
