"""Conversations with calls of tools, as the wires take them: also those that went another way."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import (
    Conversation,
    FinishOutput,
    Message,
    Output,
    ReasoningOutput,
    SealOutput,
    Start,
    StartedMessage,
    TextOutput,
    TextPart,
    ToolCallOutput,
    ToolInputOutput,
    ToolPart,
    ToolResultOutput,
    fold,
)
from streamchat_relay.providers import anthropic, openai
from streamchat_relay.providers.endpoint import Endpoint
from streamchat_relay.relay.ports import Call
from streamchat_relay.relay.run import Run
from tests.providers.kit import decoded
from tests.providers.test_tools import END, calls_in, chunk, said


def at(provider: str) -> Endpoint:
    return Endpoint(provider=provider, base_url="https://x")


def written(*rounds: list[Output], answers: bool = True) -> Message:
    """The answer that a run writes of these rounds; each call returns its part's number."""
    run = Run("r", StartedMessage(id="a", role="assistant"), "fake/one", "fake")
    events = [*run.start(), *run.begin(0.0)]
    for number, outputs in enumerate(rounds):
        if number:
            events += run.again(1.0)
        events += run.push([*outputs, FinishOutput("tool-calls", "tool_calls")], 1.0)
        events += run.complete(1.0)
        for call in run.parts.waiting if answers or number < len(rounds) - 1 else []:
            events += run.parts.result(call, 1.0, output=int(call.part))
    run.stop()
    events += run.interrupt("user", 2.0)
    assert isinstance(events[0], Start)
    return fold(Conversation(), events).messages[0]


def asked(*messages: Message) -> Call:
    return Call(model="m", messages=(said("user", TextPart(text="Go")), *messages))


def roles(body: dict[str, Any]) -> list[str]:
    return [message["role"] for message in body["messages"]]


def add(key: str = "0", **given: int) -> list[Output]:
    return [ToolCallOutput(key, "add"), ToolInputOutput(key, str(given).replace("'", '"'))]


def test_rounds_without_a_word_between_them_are_told_one_after_the_other() -> None:
    message = written([*add("0", a=1), *add("1", a=2)], add("0", a=3), [TextOutput("6")])
    assert roles(openai.request_body(asked(message), at("openai"))) == [
        *("user", "assistant", "tool", "tool", "assistant", "tool", "assistant"),
    ]
    assert roles(anthropic.request_body(asked(message))) == [
        *("user", "assistant", "user", "assistant", "user", "assistant"),
    ]


def test_what_a_provider_is_told_in_a_later_round_begins_as_it_did_in_the_one_before() -> None:
    rounds: list[list[Output]] = [
        [TextOutput("See."), *add("0", a=1)],
        [*add("0", a=2), TextOutput("And."), *add("1", a=3)],
        add("0", a=4),
        [ReasoningOutput("Hm"), *add("0", a=5)],
    ]
    for number in range(1, len(rounds)):
        less, more = written(*rounds[:number]), written(*rounds[: number + 1])
        for told in (
            lambda call: openai.request_body(call, at("openai")),
            anthropic.request_body,
        ):
            before = told(asked(less))["messages"]
            assert told(asked(more))["messages"][: len(before)] == before


def test_text_between_calls_of_one_round_does_not_part_them() -> None:
    message = written([*add("0", a=1), TextOutput("And."), *add("1", a=2)])
    body = anthropic.request_body(asked(message))
    assert roles(body) == ["user", "assistant", "user"]
    kinds = [block["type"] for block in body["messages"][1]["content"]]
    assert kinds == ["text", "tool_use", "tool_use"]


def test_calls_that_a_function_made_itself_follow_each_other() -> None:
    message = written(
        [
            *add("0"),
            ToolResultOutput("0", 1),
            TextOutput("So."),
            *add("1"),
            ToolResultOutput("1", 2),
        ]
    )
    assert roles(openai.request_body(asked(message), at("openai"))) == [
        *("user", "assistant", "tool", "assistant", "tool"),
    ]


def test_thoughts_keep_their_place_among_texts_for_anthropic() -> None:
    message = written(
        [
            *(ReasoningOutput("one"), SealOutput({"anthropic": {"signature": "s1"}})),
            TextOutput("Let me see."),
            *(ReasoningOutput("two"), SealOutput({"anthropic": {"signature": "s2"}})),
            *add("0", a=1),
        ]
    )
    body = anthropic.request_body(asked(message))
    told = [block["type"] for block in body["messages"][1]["content"]]
    assert told == ["thinking", "text", "thinking", "tool_use"]


@pytest.mark.parametrize("name", ["browser.tabs.open", "", "add numbers", "x" * 300, "größe\n"])
def test_a_name_that_a_model_invented_does_not_spoil_the_conversation(name: str) -> None:
    message = written([ToolCallOutput("0", name), ToolInputOutput("0", "{}")])
    body = openai.request_body(asked(message), at("openai"))
    names = [body["messages"][1]["tool_calls"][0]["function"]["name"]]
    body = anthropic.request_body(asked(message))
    names += [body["messages"][1]["content"][0]["name"], body["tools"][0]["name"]]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", one) for one in names)
    assert len(set(names)) == 1


def test_a_prompt_after_an_answer_that_was_stopped_at_its_calls_does_not_follow_a_result() -> None:
    message = written(add("0", a=1), answers=False)
    call = asked(message, said("user", TextPart(text="Anew")))
    body = openai.request_body(call, at("mistral"))
    assert roles(body) == ["user", "assistant", "tool", "assistant", "user"]
    assert body["messages"][2]["content"] == "Error: Not run: the answer ended before."
    assert roles(anthropic.request_body(call)) == ["user", "assistant", "user", "user"]


@pytest.mark.parametrize("output", ["", " \n"])
def test_a_blank_result_is_no_blank_text_for_anthropic(output: str) -> None:
    part = ToolPart(name="add", state="output-available", input={}, output=output)
    body = anthropic.request_body(asked(said("assistant", part)))
    (result,) = body["messages"][2]["content"]
    assert result == {"type": "tool_result", "tool_use_id": "call00001"}


THINKING = [
    b'data: {"choices":[{"delta":{"reasoning_content":"Hm"}}]}\n\n',
    chunk({"index": 0, "id": "a", "function": {"name": "add", "arguments": "{}"}}),
    END,
]


def test_deepseek_is_told_its_thoughts_again_with_the_calls_and_nobody_else() -> None:
    outputs = decoded("openai", THINKING).outputs
    message = written(outputs, [ReasoningOutput("So"), TextOutput("It is 3.")])
    call = asked(message, said("user", TextPart(text="And?")))
    told = openai.request_body(call, at("fake"))["messages"]
    assert [one.get("reasoning_content") for one in told] == [None, "Hm", None, "So", None]
    # A round without a thought has the field, too.
    told = openai.request_body(asked(written(outputs, add("0"))), at("fake"))["messages"]
    assert [one.get("reasoning_content") for one in told] == [None, "Hm", None, "", None]
    told = openai.request_body(call, at("mistral"))["messages"]
    assert not any("reasoning_content" in one for one in told)


def test_what_came_with_a_call_goes_back_to_who_sent_it_alone() -> None:
    signed = {"google": {"thought_signature": "sig"}}
    call = {"index": 0, "id": "a", "function": {"name": "add", "arguments": "{}"}}
    outputs = decoded("openai", [chunk({**call, "extra_content": signed}), END]).outputs
    message = asked(written(outputs))
    (told,) = openai.request_body(message, at("fake"))["messages"][1]["tool_calls"]
    assert told["extra_content"] == signed
    (told,) = openai.request_body(message, at("mistral"))["messages"][1]["tool_calls"]
    assert told.keys() == {"id", "type", "function"}


def test_a_signature_that_comes_without_an_index_belongs_to_the_call_before_it() -> None:
    signed = {"google": {"thought_signature": "sig"}}
    sink = decoded(
        "openai",
        [
            chunk({"index": 0, "id": "a", "function": {"name": "add", "arguments": "{}"}}),
            chunk({"extra_content": signed}),
            END,
        ],
    )
    assert calls_in(sink) == [("add", "{}")]
    (told,) = openai.request_body(asked(written(sink.outputs)), at("fake"))["messages"][1][
        "tool_calls"
    ]
    assert told["extra_content"] == signed


def test_what_says_nothing_of_a_call_begins_none() -> None:
    assert calls_in(decoded("openai", [chunk({}), chunk({"function": {}}), END])) == []


def event(payload: str) -> bytes:
    return f"data: {payload}\n\n".encode()


def test_tools_that_anthropic_runs_itself_are_no_calls_for_a_kernel() -> None:
    sink = decoded(
        "anthropic",
        [
            event('{"type":"message_start","message":{"usage":{"input_tokens":1}}}'),
            event(
                '{"type":"content_block_start","index":0,"content_block":'
                '{"type":"server_tool_use","id":"s1","name":"web_search","input":{}}}'
            ),
            event(
                '{"type":"content_block_delta","index":0,"delta":'
                '{"type":"input_json_delta","partial_json":"{\\"query\\":\\"x\\"}"}}'
            ),
            event('{"type":"content_block_stop","index":0}'),
            event(
                '{"type":"content_block_start","index":1,"content_block":'
                '{"type":"web_search_tool_result","tool_use_id":"s1","content":'
                '[{"type":"web_search_result","url":"https://x","title":"X"}]}}'
            ),
            event('{"type":"content_block_stop","index":1}'),
            event(
                '{"type":"content_block_start","index":2,"content_block":'
                '{"type":"text","text":"","citations":[]}}'
            ),
            event(
                '{"type":"content_block_delta","index":2,"delta":{"type":"citations_delta",'
                '"citation":{"type":"web_search_result_location","url":"https://x"}}}'
            ),
            event(
                '{"type":"content_block_delta","index":2,"delta":'
                '{"type":"text_delta","text":"Found."}}'
            ),
            event('{"type":"content_block_stop","index":2}'),
            event('{"type":"message_delta","delta":{"stop_reason":"end_turn"}}'),
            event('{"type":"message_stop"}'),
        ],
    )
    message = written([one for one in sink.outputs if not isinstance(one, FinishOutput)])
    # What it found and cites is a source.
    assert [type(part).__name__ for part in message.parts] == ["TextPart", "SourcePart"]
    assert sink.text == "Found."


OUTPUTS = st.lists(
    st.one_of(
        st.builds(TextOutput, st.sampled_from(["", " ", "x"])),
        st.builds(ReasoningOutput, st.sampled_from(["", "hm"])),
        st.builds(SealOutput, st.just({"anthropic": {"signature": "s"}})),
        st.builds(ToolCallOutput, st.sampled_from("abc"), st.sampled_from(["add", "a.b", ""])),
        st.builds(ToolInputOutput, st.sampled_from("abc"), st.sampled_from(["{}", "{", "[1]"])),
        st.builds(ToolResultOutput, st.sampled_from("abc"), st.just(1)),
    ),
    max_size=8,
)


@given(st.lists(OUTPUTS, min_size=1, max_size=4), st.booleans())
def test_whatever_a_run_wrote_both_wires_pair_every_call_with_its_result(
    rounds: list[list[Output]], answers: bool
) -> None:
    message = written(*rounds, answers=answers)
    call = asked(message, said("user", TextPart(text="Anew")))
    calls = [part for part in message.parts if isinstance(part, ToolPart)]
    waiting: list[str] = []
    paired = 0
    for one in openai.request_body(call, at("fake"))["messages"]:
        if one["role"] == "tool":
            assert one["tool_call_id"] == waiting.pop(0)
            paired += 1
            continue
        assert not waiting
        assert one.get("content") or one.get("tool_calls")
        waiting = [made["id"] for made in one.get("tool_calls", ())]
    assert paired == len(calls)
    open_: list[str] = []
    paired = 0
    for one in anthropic.request_body(call)["messages"]:
        assert one["content"]
        results = [b["tool_use_id"] for b in one["content"] if b["type"] == "tool_result"]
        assert results == open_
        paired += len(results)
        open_ = [block["id"] for block in one["content"] if block["type"] == "tool_use"]
        texts = [block["text"] for block in one["content"] if block["type"] == "text"]
        assert all(text.strip() for text in texts)
    assert paired == len(calls)
