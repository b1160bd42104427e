"""What the fake provider says, in the real bytes of both wires.

To extend: add a field to `Answer`, and use it in `openai_events` and `anthropic_events`. Each
returns the stream as a list of SSE events, from which the server makes its writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fakes.gate import Gate

Ending = Literal["complete", "no-done", "close", "reset", "hang", "pings"]
"""How a stream ends: as it should; without `[DONE]`; with FIN or RST in the middle; not at all;
with pings for ever."""

Framing = Literal["chunked", "length", "close"]

_OPENAI = {"content-filter": "content_filter", "tool-calls": "tool_calls"}
_ANTHROPIC = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool-calls": "tool_use",
    "content-filter": "refusal",
}


@dataclass(kw_only=True)
class Answer:
    """One answer of the fake provider. The default is a whole answer of two deltas.

    `calls` are names of tools with their arguments as JSON, which come five characters at a time.
    `finish` is a word of ours, or one of the wire's own; None sends no reason and no end.
    `wire` replaces the stream's bytes. `pieces` cuts the stream into writes; without it each
    event is one. `gate` lets one write pass at a time; `before_headers` holds all back. `rate`
    paces writes by the real clock, for demonstrations and benchmarks. With `status` other than
    200, `body` is the answer. `drop` closes the connection without a byte.
    """

    deltas: Sequence[str] = ("Hello", ", world")
    reasoning: Sequence[str] = ()
    calls: Sequence[tuple[str, str]] = ()
    finish: str | None = "stop"
    input: int = 11
    output: int = 7
    cached: int | None = None
    thought: int | None = None
    usage: bool = True
    ending: Ending = "complete"
    framing: Framing = "chunked"
    wire: bytes | None = None
    pieces: Callable[[bytes], Iterable[bytes]] | None = None
    gate: Gate | None = None
    before_headers: Gate | None = None
    rate: float | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    drop: bool = False

    @property
    def text(self) -> str:
        """What the deltas say together."""
        return "".join(self.deltas)


def in_pieces(arguments: str) -> list[str]:
    """As providers send arguments: some characters at a time."""
    return [arguments[at : at + 5] for at in range(0, len(arguments), 5)]


def openai_events(answer: Answer, model: str = "fake-1") -> list[bytes]:
    """The stream of Chat Completions, an SSE event each."""

    def chunk(**fields: Any) -> bytes:
        head = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": model,
            "system_fingerprint": "fp_1",
        }
        return b"data: " + json.dumps({**head, **fields}).encode() + b"\n\n"

    def delta(value: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": value, "logprobs": None, "finish_reason": reason}
        return chunk(choices=[choice], usage=None)

    events = [delta({"role": "assistant", "content": "", "refusal": None})]
    events += [delta({"reasoning_content": text}) for text in answer.reasoning]
    events += [delta({"content": text}) for text in answer.deltas]
    for index, (name, arguments) in enumerate(answer.calls):
        head = {"index": index, "id": f"call_{index}x", "type": "function"}
        function = {"name": name, "arguments": ""}
        events.append(delta({"tool_calls": [{**head, "function": function}]}))
        events += [
            delta({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
            for piece in in_pieces(arguments)
        ]
    if answer.finish is None:
        return events
    events.append(delta({}, _OPENAI.get(answer.finish, answer.finish)))
    if answer.usage:
        usage = {
            "prompt_tokens": answer.input,
            "completion_tokens": answer.output,
            "total_tokens": answer.input + answer.output,
            "prompt_tokens_details": {"cached_tokens": answer.cached},
            "completion_tokens_details": {"reasoning_tokens": answer.thought},
        }
        events.append(chunk(choices=[], usage=usage))
    if answer.ending != "no-done":
        events.append(b"data: [DONE]\n\n")
    return events


def anthropic_events(answer: Answer, model: str = "fake-1") -> list[bytes]:
    """The stream of Messages, an SSE event each."""

    def event(kind: str, **fields: Any) -> bytes:
        data = json.dumps({"type": kind, **fields})
        return f"event: {kind}\ndata: {data}\n\n".encode()

    cached = answer.cached or 0
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "usage": {
            "input_tokens": answer.input - cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": answer.cached,
            "output_tokens": 1,
        },
    }
    events = [event("message_start", message=message), event("ping")]
    index = 0
    for kind, word, texts in (
        ("thinking", "thinking_delta", answer.reasoning),
        ("text", "text_delta", answer.deltas),
    ):
        if not texts and kind == "thinking":
            continue
        block = {"type": kind, kind: "", **({"signature": ""} if kind == "thinking" else {})}
        events.append(event("content_block_start", index=index, content_block=block))
        events += [
            event("content_block_delta", index=index, delta={"type": word, kind: text})
            for text in texts
        ]
        if kind == "thinking":
            signature = {"type": "signature_delta", "signature": "c2ln"}
            events.append(event("content_block_delta", index=index, delta=signature))
        events.append(event("content_block_stop", index=index))
        index += 1
    for name, arguments in answer.calls:
        block = {"type": "tool_use", "id": f"toolu_{index}x", "name": name, "input": {}}
        events.append(event("content_block_start", index=index, content_block=block))
        for piece in in_pieces(arguments):
            delta = {"type": "input_json_delta", "partial_json": piece}
            events.append(event("content_block_delta", index=index, delta=delta))
        events.append(event("content_block_stop", index=index))
        index += 1
    if answer.finish is None:
        return events
    reason = _ANTHROPIC.get(answer.finish, answer.finish)
    usage: dict[str, Any] = {"output_tokens": answer.output}
    if answer.thought is not None:
        usage["output_tokens_details"] = {"thinking_tokens": answer.thought}
    events.append(
        event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=usage)
    )
    if answer.ending != "no-done":
        events.append(event("message_stop"))
    return events
