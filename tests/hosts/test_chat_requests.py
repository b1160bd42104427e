"""Requests in OpenAI's words: whatever a body holds, it is read or refused in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.hosts.chat_completions import read
from streamchat_relay.model import BadRequest, MessageAdded, ToolPart
from streamchat_relay.protocol.codec import decode_event, encode
from streamchat_relay.providers.endpoint import Endpoint
from streamchat_relay.providers.openai import request_body
from streamchat_relay.relay.ports import Call
from streamchat_relay.relay.screen import Passage, Screen

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "function", "name", "arguments", "type", "text", "extra_content"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system"]) | ANY},
    optional={
        "content": st.text(max_size=3) | ANY,
        "tool_call_id": st.sampled_from(["a", "b"]) | ANY,
        "tool_calls": ANY
        | st.lists(
            st.fixed_dictionaries(
                {
                    "id": st.sampled_from(["a", "b"]),
                    "function": st.fixed_dictionaries(
                        {"name": st.text(max_size=3), "arguments": st.sampled_from(["{}", "["])}
                    ),
                },
                optional={"extra_content": ANY},
            )
            | ANY,
            max_size=3,
        ),
    },
)


@given(st.lists(MESSAGE | ANY, max_size=5), ANY)
def test_any_messages_and_tools_are_read_or_refused(messages: list[Any], tools: Any) -> None:
    try:
        asked = read({"messages": messages, "tools": tools})
    except BadRequest:
        return
    for message in asked.messages:
        assert decode_event(encode(MessageAdded(t=0, message=message))) is not None


@pytest.mark.parametrize("place", ["arguments", "parameters", "extra_content"])
def test_what_is_nested_too_deep_is_refused(place: str) -> None:
    deep: Any = {}
    for _ in range(900):
        deep = {"a": deep}
    function: dict[str, Any] = {"name": "add", "arguments": "{}"}
    call: dict[str, Any] = {"id": "a", "type": "function", "function": function}
    tool: dict[str, Any] = {"type": "function", "function": {"name": "add"}}
    match place:
        case "arguments":
            function["arguments"] = json.dumps(deep)
        case "parameters":
            tool["function"]["parameters"] = deep
        case _:
            call["extra_content"] = deep
    messages = [{"role": "user", "content": "Go"}, {"role": "assistant", "tool_calls": [call]}]
    with pytest.raises(BadRequest, match="nested"):
        read({"messages": messages, "tools": [tool]})


async def test_the_content_filter_sees_what_tools_returned_to_who_asks_with_openais_api() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    asked = read(
        {
            "messages": [
                {"role": "user", "content": "Go"},
                {"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "a", "content": "a secret"},
            ]
        }
    )
    roles: list[str] = []

    def look(passage: Passage) -> str:
        roles.append(passage.role)
        return passage.text.replace("secret", "***")

    shown = await Screen(look).messages("ada", asked.messages, "fake/one")
    part = shown[-1].parts[-1]
    assert isinstance(part, ToolPart)
    assert part.output == "a ***"
    assert roles == ["user", "tool"]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_the_thoughts_that_a_client_sends_back_are_passed_on(field: str) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    asked = read(
        {
            "messages": [
                {"role": "user", "content": "Go"},
                {"role": "assistant", "tool_calls": [call], field: "Hm"},
                {"role": "tool", "tool_call_id": "a", "content": "3"},
                {"role": "assistant", "content": "It is 3.", field: "So"},
                {"role": "user", "content": "And?"},
            ]
        }
    )
    at = Endpoint(provider="deepseek", base_url="https://x")
    told = request_body(Call(model="m", messages=asked.messages), at)["messages"]
    assert [one.get(field) for one in told] == [None, "Hm", None, "So", None]
