"""Calls of tools on both wires: as the model makes them, and as it is told what came of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import (
    BadRequest,
    Message,
    Part,
    ReasoningPart,
    SealOutput,
    TextPart,
    ToolCallOutput,
    ToolInputOutput,
    ToolPart,
    ToolSpec,
    Truncated,
)
from streamchat_relay.providers import ProviderRegistry, anthropic, openai
from streamchat_relay.providers.endpoint import Endpoint
from streamchat_relay.providers.errors import from_refusal
from streamchat_relay.providers.refusal import refusal_from
from streamchat_relay.relay.ports import Call
from tests.fakes.provider_server import Answer, ProviderServer
from tests.providers.kit import AT, WIRES, Recorder, call, decoded, decoder_of, events_of
from tests.providers.test_sse import cut

ADD = ToolSpec(name="add", description="Adds.", input_schema={"type": "object"})
CALLING = Answer(
    deltas=["Let me", " see."],
    reasoning=["Hm"],
    calls=[("add", '{"a": 1, "b": "grüße 👩‍🔬"}'), ("now", ""), ("add", "{}")],
    finish="tool-calls",
)


def said(role: Any, *parts: Part, id: str = "m") -> Message:  # noqa: A002
    return Message(id=id, role=role, parts=parts)


def calls_in(sink: Recorder) -> list[tuple[str, str]]:
    """Names and arguments, in the order in which the calls began."""
    found: dict[str, list[str]] = {}
    for output in sink.outputs:
        if isinstance(output, ToolCallOutput):
            found.setdefault(output.call, [output.name])
        elif isinstance(output, ToolInputOutput):
            found[output.call].append(output.delta)
    return [(name, "".join(texts)) for name, *texts in found.values()]


@pytest.mark.parametrize("wire", WIRES)
@given(places=st.lists(st.integers(min_value=0), max_size=30))
def test_any_cut_of_the_wire_gives_the_same_calls(wire: str, places: list[int]) -> None:
    events = events_of(wire, CALLING)
    sink = decoded(wire, cut(b"".join(events), places))
    assert sink.outputs == decoded(wire, events).outputs
    assert calls_in(sink) == list(CALLING.calls)
    assert sink.finish is not None
    assert sink.finish.finish_reason == "tool-calls"
    assert (sink.text, sink.reasoning) == ("Let me see.", "Hm")


@pytest.mark.parametrize("wire", WIRES)
def test_calls_that_are_truncated_at_any_byte_are_never_complete(wire: str) -> None:
    events = events_of(wire, CALLING)
    ends = len(b"".join(events)) if wire == "anthropic" else len(b"".join(events[:-2]))
    stream = b"".join(events)
    for at in range(0, ends, 3):
        sink = Recorder()
        decoder = decoder_of(wire, sink)
        decoder.feed(stream[:at])
        with pytest.raises(Truncated):
            decoder.end()


@pytest.mark.parametrize("model", ["openai/fake-1", "anthropic/fake-1", "mine/fake-1"])
async def test_tools_travel_through_the_sdk_and_calls_come_back(
    server: ProviderServer, registry: ProviderRegistry, model: str
) -> None:
    server.answers.append(CALLING)
    provider, name = registry.resolve(model)
    sink = Recorder()
    asked = call(model=name)
    await provider.stream(Call(model=name, messages=asked.messages, tools=(ADD,)), sink)
    assert calls_in(sink) == list(CALLING.calls)
    (tool,) = server.requests[-1].json["tools"]
    assert tool.get("function", tool)["name"] == "add"


ANSWERED = Call(
    model="m",
    tools=(ADD,),
    messages=(
        said("user", TextPart(text="1 + 2?")),
        said(
            "assistant",
            ReasoningPart(text="Hm", provider_metadata={"anthropic": {"signature": "s1"}}),
            TextPart(text="Let me see."),
            ToolPart(name="add", state="output-available", input={"a": 1}, output={"sum": 3}),
            ToolPart(name="add", state="output-error", input={"a": 2}, error="no"),
            TextPart(text="It is 3."),
        ),
        said("user", TextPart(text="And now?")),
        said(
            "assistant",
            ReasoningPart(text="", provider_metadata={"anthropic": {"redacted": "xyz"}}),
            ToolPart(
                name="add",
                state="input-available",
                input={},
                provider_metadata={"openai": {"extra_content": {"google": {"x": "sig"}}}},
            ),
        ),
    ),
)


def test_chat_completions_are_told_calls_and_results_step_by_step() -> None:
    body = openai.request_body(ANSWERED, Endpoint(provider="openai", base_url="https://x"))

    def made(number: int, arguments: str, **more: Any) -> dict[str, Any]:
        function = {"name": "add", "arguments": arguments}
        return {"id": f"call0000{number}", "type": "function", "function": function, **more}

    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "add",
                "description": "Adds.",
                "parameters": {"type": "object"},
            },
        }
    ]
    signed = {"extra_content": {"google": {"x": "sig"}}}
    assert body["messages"] == [
        {"role": "user", "content": "1 + 2?"},
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [made(1, '{"a":1}'), made(2, '{"a":2}')],
        },
        {"role": "tool", "tool_call_id": "call00001", "content": '{"sum":3}'},
        {"role": "tool", "tool_call_id": "call00002", "content": "Error: no"},
        {"role": "assistant", "content": "It is 3."},
        {"role": "user", "content": "And now?"},
        {"role": "assistant", "content": None, "tool_calls": [made(3, "{}", **signed)]},
        {
            "role": "tool",
            "tool_call_id": "call00003",
            "content": "Error: This call was not run.",
        },
    ]


def test_messages_are_told_calls_with_the_thoughts_that_led_to_them() -> None:
    body = anthropic.request_body(ANSWERED)

    def used(number: int, given: Any) -> dict[str, Any]:
        return {"type": "tool_use", "id": f"call0000{number}", "name": "add", "input": given}

    def result(number: int, content: str, **more: Any) -> dict[str, Any]:
        head = {"type": "tool_result", "tool_use_id": f"call0000{number}", "content": content}
        return {**head, **more}

    assert body["tools"] == [
        {"name": "add", "description": "Adds.", "input_schema": {"type": "object"}}
    ]
    assert body["messages"][1:3] == [
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm", "signature": "s1"},
                {"type": "text", "text": "Let me see."},
                used(1, {"a": 1}),
                used(2, {"a": 2}),
            ],
        },
        {"role": "user", "content": [result(1, '{"sum":3}'), result(2, "no", is_error=True)]},
    ]
    assert body["messages"][3]["content"] == [{"type": "text", "text": "It is 3."}]
    assert body["messages"][5:] == [
        {
            "role": "assistant",
            "content": [{"type": "redacted_thinking", "data": "xyz"}, used(3, {})],
        },
        {"role": "user", "content": [result(3, "This call was not run.", is_error=True)]},
    ]


def test_calls_of_tools_that_nobody_runs_any_more_are_still_declared_to_messages() -> None:
    body = anthropic.request_body(Call(model="m", messages=ANSWERED.messages))
    assert [tool["name"] for tool in body["tools"]] == ["add"]
    assert body["tool_choice"] == {"type": "none"}
    plain = anthropic.request_body(call())
    assert "tools" not in plain


def test_the_signature_of_a_thought_is_kept_for_the_next_round() -> None:
    sink = decoded("anthropic", events_of("anthropic", CALLING))
    seals = [output for output in sink.outputs if isinstance(output, SealOutput)]
    assert seals == [SealOutput({"anthropic": {"signature": "c2ln"}})]


def chunk(*calls: Any) -> bytes:
    return f"data: {json.dumps({'choices': [{'delta': {'tool_calls': calls}}]})}\n\n".encode()


END = b'data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        # Gemini: every call has the index 0 and an id of its own.
        (
            [
                chunk({"index": 0, "id": "a", "function": {"name": "x", "arguments": "{}"}}),
                chunk({"index": 0, "id": "b", "function": {"name": "y", "arguments": "{}"}}),
            ],
            [("x", "{}"), ("y", "{}")],
        ),
        # No index at all, two whole calls in one chunk.
        (
            [
                chunk(
                    {"id": "", "function": {"name": "x", "arguments": '{"a":1}'}},
                    {"id": "", "function": {"name": "x", "arguments": '{"a":2}'}},
                )
            ],
            [("x", '{"a":1}'), ("x", '{"a":2}')],
        ),
        # The arguments as an object instead of its text.
        (
            [chunk({"index": 0, "id": "a", "function": {"name": "x", "arguments": {"a": 1}}})],
            [("x", '{"a": 1}')],
        ),
        # The name again with every piece.
        (
            [
                chunk({"index": 0, "id": "a", "function": {"name": "x", "arguments": '{"a"'}}),
                chunk({"index": 0, "id": "a", "function": {"name": "x", "arguments": ":1}"}}),
            ],
            [("x", '{"a":1}')],
        ),
    ],
)
def test_dialects_of_tool_calls_are_understood(
    chunks: list[bytes], expected: list[tuple[str, str]]
) -> None:
    assert calls_in(decoded("openai", [*chunks, END])) == expected


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (400, "registry.ollama.ai/library/gemma3 does not support tools", "takes no tools"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser',
         "takes no tools"),
        (500, "tools param requires --jinja flag", "takes no tools"),
        (404, "No endpoints found that support tool use.", "takes no tools"),
        (400, "This model does not support image input", "takes no pictures"),
        (400, "image input is not supported - hint: you may need to provide the mmproj",
         "takes no pictures"),
        (404, "No endpoints found that support image input", "takes no pictures"),
        (404, "No endpoints found that support input audio", "takes no audio"),
        (400, "Invalid value: 'input_audio'. Supported values are: 'text', 'image_url'",
         "takes no audio"),
        (500, "audio input is not supported - hint: you may need to provide the mmproj",
         "takes no audio"),
    ],
)  # fmt: skip
def test_a_model_without_tools_pictures_or_audio_is_named_with_what_to_do(
    status: int, message: str, words: str
) -> None:
    error = from_refusal(refusal_from({"error": {"message": message}}, status), AT, "m")
    assert isinstance(error, BadRequest)
    assert words in error.message
    assert "Choose a model that does" in error.message
