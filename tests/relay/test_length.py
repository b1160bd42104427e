"""The most tokens of an answer: whatever a client calls it, every provider is told it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.length import NAME, NAMES, one_length
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import FakeClient, FakeProvider, FakeRegistry


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({}, {}),
        ({"temperature": 0}, {"temperature": 0}),
        ({"max_tokens": 9}, {"max_tokens": 9}),
        ({"max_completion_tokens": 9}, {"max_tokens": 9}),
        ({"max_completion_tokens": 9, "max_tokens": 4}, {"max_tokens": 4}),
        ({"max_completion_tokens": 4, "max_tokens": 9}, {"max_tokens": 4}),
        ({"max_completion_tokens": 9, "max_tokens": None}, {"max_tokens": 9}),
        ({"max_completion_tokens": None}, {}),
        ({"max_completion_tokens": "many"}, {"max_tokens": "many"}),
        ({"max_completion_tokens": 9, "max_tokens": "many"}, {"max_tokens": "many"}),
    ],
)
def test_a_length_has_one_name_and_the_smaller_of_two_holds(
    params: dict[str, Any], told: dict[str, Any]
) -> None:
    assert one_length(params) == told


@given(st.dictionaries(st.sampled_from([*NAMES, "top_p"]), st.none() | st.integers() | st.text()))
def test_what_has_one_name_keeps_it_and_nothing_else_changes(params: dict[str, Any]) -> None:
    before = dict(params)
    made = one_length(params)
    assert params == before
    assert one_length(made) == made
    assert set(made) <= {NAME, "top_p"}
    assert made.get("top_p") == params.get("top_p")


async def test_a_provider_and_the_context_are_told_one_name_and_the_log_the_clients(
    provider: FakeProvider,
) -> None:
    provider.reads = 200
    hub = Hub(MemoryStore(), FakeRegistry(provider))
    client = await FakeClient(hub).hello()
    await client.open("c1")
    asked = {"max_completion_tokens": 150}
    await client.send("r1", "word " * 40, params=asked)
    first = await provider.next_call()
    assert first.call.params == {"max_tokens": 150}
    first.text("an answer")
    first.finish()
    await client.send("r2", "short", params=asked)
    second = await provider.next_call()
    # Of 200 tokens 150 are kept free, so the first prompt has no room beside the second.
    assert [message.text for message in second.call.messages] == ["short"]
    second.finish()
    (live,) = hub._live.values()
    assert live.state.settings.params == asked
    await hub.close()
