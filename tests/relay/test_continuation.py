"""An answer that goes on with another one: the model is told to, and the log is not."""

from __future__ import annotations

from typing import Any

from streamchat_relay.model import Message, TextPart
from streamchat_relay.model.message import Role
from streamchat_relay.providers.demo import DemoProvider
from streamchat_relay.relay.aside import thread
from streamchat_relay.relay.continuation import GO_ON, continued
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.ports import Call
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import FakeCall, FakeClient, FakeProvider, FakeRegistry, settle
from tests.providers.kit import Recorder


def told(call: FakeCall) -> list[tuple[str, str]]:
    """What a model is told."""
    return [(message.role, message.text) for message in call.call.messages]


async def test_a_stopped_answer_is_gone_on_with_and_later_prompts_know_it() -> None:
    provider = FakeProvider()
    client = await FakeClient(Hub(MemoryStore(), FakeRegistry(provider))).hello()
    await client.open("c1")
    await client.send("r1", "count")
    call = await provider.next_call()
    call.text("one, ")
    await client.say(type="stop", id="x2", run="r1")
    await settle()
    stopped = (await snapshot(client))["messages"][-1]
    await client.send("r2", None, parent=stopped["id"])
    call = await provider.next_call()
    assert told(call) == [("user", "count"), ("assistant", "one, "), ("user", GO_ON)]
    call.text("two")
    call.finish()
    await settle()
    await client.send("r3", "more")
    asked = [("user", "count"), ("assistant", "one, "), ("user", GO_ON), ("assistant", "two")]
    assert told(await provider.next_call()) == [*asked, ("user", "more")]
    state = await snapshot(client)
    assert [message["role"] for message in state["messages"]] == [
        *("user", "assistant", "assistant", "user", "assistant")
    ]
    assert GO_ON not in str(state)


async def test_who_asks_beside_all_conversations_says_all_that_the_model_is_told() -> None:
    provider = FakeProvider()
    hub = Hub(MemoryStore(), FakeRegistry(provider))
    said = (TextPart(id="1", text="hi"),)
    messages = thread([("user", said), ("assistant", said), ("assistant", said)])
    aside = await hub.aside("ada", "fake/one", messages, {})
    assert (await provider.next_call()).call.messages == messages
    aside.stop()
    await settle()


async def test_the_demo_goes_on_where_it_was_stopped() -> None:
    whole = await recited()
    first, second = whole[:40], whole[40:100]
    rest = await recited(first, second)
    assert rest
    assert first + second + rest == whole


def test_the_round_after_tools_goes_on_with_its_own_answer_untold() -> None:
    messages = [message(0, "user"), message(1, "assistant")]
    assert continued(messages, "m1") == tuple(messages)
    assert continued(messages, "m2")[-1].text == GO_ON
    assert continued([], "m0") == ()


async def snapshot(client: FakeClient) -> dict[str, Any]:
    """The conversation's state."""
    frames = await client.open("c1")
    return next(frame for frame in frames if frame["type"] == "snapshot")["state"]  # type: ignore[no-any-return]


async def recited(*said: str) -> str:
    """What the demo says, or the rest of what it has said so far."""
    answers = [message(number, "assistant", text) for number, text in enumerate(said, 1)]
    told = continued([message(0, "user", "Explain tides"), *answers], "")
    sink = Recorder()
    await DemoProvider(rate=1e9).stream(Call(model="fast", messages=told), sink)
    return sink.text


def message(number: int, role: Role, text: str = "hi") -> Message:
    """The message `m<number>`."""
    return Message(id=f"m{number}", role=role, parts=(TextPart(id="1", text=text),))
