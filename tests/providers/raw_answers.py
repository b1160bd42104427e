"""Whole answers as their bytes on the wire, in the dialects that there are, to be cut anywhere."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tests.fakes.provider_server import Answer
from tests.fakes.provider_wires import anthropic_events, openai_events


class RawAnswer(NamedTuple):
    """The events of one answer: whose wire they are, and what they say."""

    wire: str
    events: list[bytes]
    text: str
    reasoning: str = ""

    @property
    def stream(self) -> bytes:
        """The whole stream."""
        return b"".join(self.events)


def data(**fields: Any) -> bytes:
    """One event."""
    return b"data: " + json.dumps(fields, separators=(",", ":")).encode() + b"\n\n"


def delta(reason: str | None = None, **fields: Any) -> bytes:
    """One event of Chat Completions, as terse as servers send it."""
    return data(choices=[{"index": 0, "delta": fields, "finish_reason": reason}])


DONE = b"data: [DONE]\n\n"
USAGE = data(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 2})
FULL = Answer(deltas=["Grü", "ße 👩‍🔬"], reasoning=["Let me", " think"], cached=4, thought=3)

ANSWERS = {
    "OpenAI": RawAnswer("openai", openai_events(FULL), "Grüße 👩‍🔬", "Let me think"),
    "Anthropic": RawAnswer("anthropic", anthropic_events(FULL), "Grüße 👩‍🔬", "Let me think"),
    "Anthropic that only says text": RawAnswer(
        "anthropic", anthropic_events(Answer(deltas=["a", "b"])), "ab"
    ),
    "llama.cpp and vLLM": RawAnswer(
        "openai", [delta(role="assistant"), delta(content="a"), delta("stop"), DONE], "a"
    ),
    "Ollama, whose last delta ends it": RawAnswer(
        "openai", [delta(content="a"), delta("stop", content="b"), USAGE, DONE], "ab"
    ),
    "DeepSeek": RawAnswer(
        "openai",
        [delta(reasoning_content="why", content=None), delta(content="a"), delta("stop"), DONE],
        "a",
        "why",
    ),
    "Mistral": RawAnswer(
        "openai",
        [
            delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "why"}]}]),
            delta("stop", content=[{"type": "text", "text": "a"}]),
            DONE,
        ],
        "a",
        "why",
    ),
    "one with usage in each event": RawAnswer(
        "openai",
        [
            data(choices=[{"delta": {"content": "a"}}], usage={"completion_tokens": 1}),
            data(choices=[{"delta": {}, "finish_reason": "stop"}], usage={"completion_tokens": 2}),
            DONE,
        ],
        "a",
    ),
    "one that sends the answer as one message": RawAnswer(
        "openai",
        [data(choices=[{"message": {"content": "a"}, "finish_reason": "stop"}]), DONE],
        "a",
    ),
    "one with carriage returns and a byte order mark": RawAnswer(
        "openai",
        [b"\xef\xbb\xbf" + delta(content="a").replace(b"\n", b"\r\n"), delta("stop"), DONE],
        "a",
    ),
}
