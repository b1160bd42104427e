"""A conversation's state is what its log says, and a long one is folded while others go on."""

from __future__ import annotations

import asyncio
from functools import reduce as left_fold

from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import (
    Conversation,
    Event,
    Start,
    StartedMessage,
    TextDelta,
    TextStart,
    reduce,
)
from streamchat_relay.protocol.codec import encode
from streamchat_relay.relay.conversation import LiveConversation
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.log import Log
from streamchat_relay.relay.state import State
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import FakeClient, FakeProvider, FakeRegistry, settle

BEGINNING: list[Event] = [
    Start(
        run="r1",
        t=0,
        message=StartedMessage(id="a1", role="assistant"),
        model="fake/one",
        provider="fake",
    ),
    TextStart(run="r1", t=1, part="1"),
]


def delta(text: str) -> TextDelta:
    return TextDelta(run="r1", t=2, part="1", delta=text)


@given(st.lists(st.tuples(st.integers(0, 40_000), st.booleans()), max_size=20))
def test_the_state_is_what_the_log_says_whenever_it_is_asked_for(
    steps: list[tuple[int, bool]],
) -> None:
    log = Log("c1", "e1")
    state = State(log)
    log.append(BEGINNING)
    said = list(BEGINNING)
    for size, ask in steps:
        events = [delta("x" * size), delta("y")]
        log.append(events)
        said += events
        if ask:
            asyncio.run(state.catch_up())
            assert state.value == left_fold(reduce, said, Conversation())
    assert state.value == left_fold(reduce, said, Conversation())


async def test_others_have_their_turn_while_a_long_conversation_is_opened() -> None:
    store = MemoryStore()
    events = [*map(encode, BEGINNING), *[encode(delta("abcd"))] * 20_000]
    store.append("ada", "c1", "e1", 1, events)
    stored = await store.load("ada", "c1")
    assert stored is not None
    opening = asyncio.ensure_future(LiveConversation.restored("ada", "c1", stored, store))
    turns = 0
    while not opening.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 15
    (message,) = (await opening).state.messages
    assert message.text == "abcd" * 20_000


async def test_prompts_keep_their_order_while_a_long_answer_is_folded() -> None:
    provider = FakeProvider()
    hub = Hub(MemoryStore(), FakeRegistry(provider))
    client = await FakeClient(hub).hello()
    await client.open("c1")
    await client.send("r0")
    call = await provider.next_call()
    for _ in range(100):
        call.text("x" * 5000)
    call.finish()
    await settle()
    for number in range(1, 6):
        await client.say(
            type="send",
            id=f"x{number}",
            conversation="c1",
            run=f"r{number}",
            message={"parts": [{"type": "text", "text": str(number)}]},
        )
    await settle()
    async with hub.conversation("ada", "c1") as live:
        asked = [message.text for message in live.state.messages if message.role == "user"]
    assert asked == ["hi", *map(str, range(1, 6))]
    await hub.close()
