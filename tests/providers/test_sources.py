"""Sources: what providers say their models have read stands below the answer, as links."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamchat_relay.model import (
    Conversation,
    Event,
    SourceOutput,
    SourcePart,
    SourceUrl,
    StartedMessage,
    TextOutput,
    TextPart,
    fold,
)
from streamchat_relay.relay.parts import MOST_SOURCES
from streamchat_relay.relay.run import Run
from tests.providers.kit import ENDS, decoded
from tests.providers.raw_answers import data, delta


def citation(**fields: Any) -> bytes:
    """One event of Messages that cites a page."""
    told = {"type": "web_search_result_location", "cited_text": "…", **fields}
    return data(type="content_block_delta", delta={"type": "citations_delta", "citation": told})


PAGE = {"url": "https://a.example", "title": "A"}

STREAMS = {
    "OpenAI and OpenRouter": (
        "openai",
        [
            delta(content="Tides"),
            delta(
                annotations=[
                    {
                        "type": "url_citation",
                        "url_citation": {"url": "https://a.example", "title": "A"},
                    },
                    {"type": "url_citation", "url_citation": {"url": "https://b.example"}},
                    {"type": "file_citation", "file": "x"},
                ]
            ),
        ],
    ),
    "Perplexity and xAI": (
        "openai",
        [
            data(
                choices=[{"index": 0, "delta": {"content": word}}],
                citations=["https://a.example", "https://b.example", "file:///etc/passwd", 7],
            )
            for word in ("Ti", "des")
        ],
    ),
    "Anthropic": (
        "anthropic",
        [
            data(type="content_block_delta", delta={"type": "text_delta", "text": "Tides"}),
            citation(url="https://a.example", title="A"),
            citation(url="https://b.example", title=None),
            citation(type="page_location", document_title="No page of the web"),
        ],
    ),
}


@pytest.mark.parametrize(("wire", "events"), STREAMS.values(), ids=STREAMS.keys())
def test_every_provider_s_form_of_a_source_is_understood(wire: str, events: list[bytes]) -> None:
    said = decoded(wire, [*events, ENDS[wire]])
    assert said.text == "Tides"
    sources = [one for one in said.outputs if isinstance(one, SourceOutput)]
    assert [one.url for one in sources] == ["https://a.example", "https://b.example"]
    assert sources[0].title in {"A", ""}


@pytest.mark.parametrize("odd", [7, "x", [None], [{}], [{"url_citation": 1}], {"url": ["x"]}])
def test_what_is_no_source_costs_nothing_else(odd: Any) -> None:
    said = decoded("openai", [delta(content="Tides", annotations=odd), ENDS["openai"]])
    assert said.text == "Tides"
    assert not any(isinstance(one, SourceOutput) for one in said.outputs)
    told = f"data: {json.dumps({'choices': [], 'citations': odd, 'usage': {}})}\n\n".encode()
    assert decoded("openai", [delta(content="a"), told, ENDS["openai"]]).text == "a"


def written(*outputs: Any) -> Conversation:
    """What comes of these outputs of a whole answer."""
    run = Run("r1", StartedMessage(id="a1", role="assistant"), "fake/one", "fake")
    events: list[Event] = [*run.start(), *run.begin(0)]
    for output in outputs:
        events += run.push([output], 1)
    events += run.parts.complete(2)
    assert [one.t for one in events if isinstance(one, SourceUrl)] in ([], [2] * 2, [2] * 50)
    return fold(Conversation(), events)


def test_sources_stand_below_the_text_that_they_came_within_each_once() -> None:
    one, two = SourceOutput("https://a.example", "A"), SourceOutput("https://b.example")
    state = written(TextOutput("Ti"), one, TextOutput("des"), two, one)
    text, *sources = state.messages[0].parts
    assert isinstance(text, TextPart)
    assert (text.text, text.open) == ("Tides", False)
    assert [(one.url, one.title) for one in sources if isinstance(one, SourcePart)] == [
        ("https://a.example", "A"),
        ("https://b.example", ""),
    ]


def test_of_very_many_sources_the_first_are_kept() -> None:
    many = [SourceOutput(f"https://{number}.example") for number in range(MOST_SOURCES + 9)]
    state = written(TextOutput("Tides"), *many)
    assert len(state.messages[0].parts) == 1 + MOST_SOURCES
