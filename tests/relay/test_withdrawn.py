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
