"""What is nearly a wire costs no answer: its oddities are read, or ignored."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import ProviderError, StreamChatError, Usage, UsageOutput
from streamchat_relay.providers.dialect import MAX_COUNT, count, text
from tests.providers.kit import ENDS, WIRES, Recorder, decoded, decoder_of, saying

values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.sampled_from(["", "text", "thinking", "3", "error", "\ud83d", "\ude00"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["text", "type", "thinking", "content", "delta", "choices", "index", "message",
                 "usage", "prompt_tokens", "input_tokens", "prompt_tokens_details", "reasoning",
                 "output_tokens_details", "stop_reason", "finish_reason", "content_block"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)  # fmt: skip

COUNTS: list[tuple[Any, int | None]] = [
    (3, 3),
    (3.0, 3),
    ("3", 3),
    (" 3.0 ", 3),
    (MAX_COUNT, MAX_COUNT),
    (MAX_COUNT + 2, None),
    (1e300, None),
    (10**400, None),
    (-1, None),
    ("-1", None),
    ("three", None),
    (float("nan"), None),
    (float("-inf"), None),
    (True, None),
    ([], None),
    (None, None),
]


@pytest.mark.parametrize(("value", "tokens"), COUNTS)
def test_a_count_is_a_number_or_its_digits_and_never_negative(
    value: Any, tokens: int | None
) -> None:
    assert count(value) == tokens


def answered(wire: str, event: str) -> Recorder:
    """What comes of a whole answer with this odd event within it."""
    odd = f"data: {event}\n\n".encode()
    return decoded(wire, [saying(wire, '"abc"'), odd, ENDS[wire]])


@pytest.mark.parametrize(
    "event",
    [
        "",
        " ",
        "null",
        "[]",
        "{}",
        '{"choices":null}',
        '{"choices":[],"prompt_filter_results":[]}',
        '{"choices":{},"x":"y"}',
        '{"choices":[null,3]}',
        '{"choices":[{"delta":"x"}]}',
        '{"choices":[{"delta":{"content":5,"reasoning":5,"refusal":[5]}}]}',
        '{"choices":[{"delta":{"content":{"x":1}}}]}',
        '{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"text":null}]}]}}]}',
        '{"choices":[{"delta":{"content":[null,{"type":"text"},{"type":["x"]}]}}]}',
        '{"choices":[{"index":"1","delta":{"content":"of another choice"}}]}',
        '{"choices":[{"delta":{},"logprobs":[-Infinity,NaN]}]}',
        '{"choices":[],"usage":[]}',
        '{"type":"ping","x":NaN}',
        '{"type":"new_thing","message":"Be patient."}',
        '{"object":"chat.completion.chunk","message":"queued"}',
    ],
)
@pytest.mark.parametrize("wire", WIRES)
def test_an_event_that_says_nothing_costs_nothing(wire: str, event: str) -> None:
    sink = answered(wire, event)
    assert (sink.text, sink.reasoning) == ("abc", "")
    assert sink.finish is not None


@pytest.mark.parametrize(
    ("delta", "said", "thought"),
    [
        ('{"content":"x","reasoning":{"text":"r"}}', "x", "r"),
        ('{"content":"x","reasoning":{"effort":"low"}}', "x", ""),
        ('{"reasoning_content":[{"text":"r"},"s"]}', "", "rs"),
        ('{"content":{"type":"text","text":"x"}}', "x", ""),
        ('{"content":["x",{"text":"y"}]}', "xy", ""),
        ('{"content":"tab\there"}', "tab\there", ""),
        ('{"content":[{"type":"thinking","thinking":"r"},{"type":"text","text":"x"}]}', "x", "r"),
    ],
)
def test_texts_are_found_where_servers_put_them(delta: str, said: str, thought: str) -> None:
    sink = answered("openai", f'{{"choices":[{{"index":null,"delta":{delta}}}]}}')
    assert (sink.text, sink.reasoning) == (f"abc{said}", thought)


def test_a_text_is_not_looked_for_more_than_one_level_deep() -> None:
    assert text([[["x"]], {"text": {"text": "x"}}, "y"]) == "y"


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ('{"prompt_tokens":3.0,"completion_tokens":"5"}', Usage(input=3, output=5)),
        ('{"prompt_tokens":-1,"completion_tokens":5}', Usage(input=0, output=5)),
        ('{"prompt_tokens":1e300,"completion_tokens":5}', Usage(input=0, output=5)),
        ('{"prompt_tokens":3,"prompt_tokens_details":[]}', Usage(input=3, output=0)),
        (
            '{"prompt_tokens":3,"prompt_tokens_details":{"cached_tokens":2.0,"new":{}}}',
            Usage(input=3, output=0, cached=2),
        ),
        (
            '{"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":-1}}',
            Usage(input=0, output=5),
        ),
        ('{"prompt_tokens":-1,"completion_tokens":-1}', None),
        ('{"prompt_tokens":{}}', None),
        ('"many"', None),
    ],
)
@pytest.mark.parametrize("choices", ["null", "[]"])
def test_usage_of_chat_completions_is_read_as_far_as_it_can_be(
    usage: str, counted: Usage | None, choices: str
) -> None:
    sink = answered("openai", f'{{"choices":{choices},"usage":{usage}}}')
    assert sink.text == "abc"
    told = [output.usage for output in sink.outputs if isinstance(output, UsageOutput)]
    assert told == ([] if counted is None else [counted])


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ('{"input_tokens":3.0,"output_tokens":"5"}', Usage(input=3, output=5)),
        ('{"input_tokens":-1,"output_tokens":5}', Usage(input=0, output=5)),
        ('{"input_tokens":3,"output_tokens_details":[]}', Usage(input=3, output=0)),
        (
            '{"cache_read_input_tokens":2.0,"output_tokens_details":{"thinking_tokens":1.0}}',
            Usage(input=2, output=0, reasoning=1, cached=2),
        ),
    ],
)
def test_usage_of_messages_is_read_as_far_as_it_can_be(usage: str, counted: Usage) -> None:
    for event in (
        f'{{"type":"message_start","message":{{"usage":{usage}}}}}',
        f'{{"type":"message_delta","delta":{{}},"usage":{usage}}}',
    ):
        sink = answered("anthropic", event)
        assert sink.text == "abc"
        assert sink.usage == counted


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("event", ["hello", '"hello"', "3", "[1]", "{", "[" * 100_000])
def test_what_is_no_object_is_not_the_wire(wire: str, event: str) -> None:
    with pytest.raises(ProviderError, match="not its API"):
        decoder_of(wire, Recorder()).feed(f"data: {event}\n\n".encode())


@pytest.mark.parametrize("wire", WIRES)
@given(event=st.dictionaries(st.sampled_from(["type", "delta", "choices", "usage"]), values))
def test_whatever_the_json_it_is_read_or_refused_and_fit_to_be_encoded(
    wire: str, event: dict[str, Any]
) -> None:
    sink = Recorder()
    data = f"data: {json.dumps(event)}\n\n".encode()
    with contextlib.suppress(StreamChatError):
        decoder_of(wire, sink).feed(data)
    assert "\ud83d" not in sink.text + sink.reasoning
    assert "\ude00" not in sink.text + sink.reasoning
