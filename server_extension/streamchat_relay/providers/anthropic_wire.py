"""Messages, decoded: bytes of a stream in, outputs out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from typing_extensions import override

from streamchat_relay.model import (
    FinishOutput,
    FinishReason,
    Output,
    ReasoningOutput,
    SealOutput,
    TextOutput,
    ToolCallOutput,
    ToolInputOutput,
    Usage,
    UsageOutput,
)
from streamchat_relay.providers.decoding import MAX_REASON, StreamDecoder
from streamchat_relay.providers.dialect import Count, count, fields, string
from streamchat_relay.providers.endpoint import Endpoint
from streamchat_relay.providers.failures import UNREADABLE
from streamchat_relay.providers.sources import cited
from streamchat_relay.relay.ports import Sink

_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool-calls",
    "refusal": "content-filter",
}

_SILENT = {"ping"}


class _OutputDetails(msgspec.Struct):
    thinking_tokens: Count = None


class _Usage(msgspec.Struct):
    input_tokens: Count = None
    output_tokens: Count = None
    cache_read_input_tokens: Count = None
    cache_creation_input_tokens: Count = None
    output_tokens_details: _OutputDetails | None = None


class _Message(msgspec.Struct):
    usage: _Usage | None = None


class _Delta(msgspec.Struct, gc=False):
    """A content delta, the delta of a message, or the start of a content block."""

    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    stop_reason: str | None = None
    partial_json: str | None = None
    signature: str | None = None
    data: str | None = None
    name: str | None = None
    citation: Any = None


class _Event(msgspec.Struct, gc=False):
    type: str
    index: int = 0
    delta: _Delta | None = None
    content_block: _Delta | None = None
    usage: _Usage | None = None
    message: _Message | None = None


_decode = msgspec.json.Decoder(_Event).decode


class MessagesDecoder(StreamDecoder):
    """Messages.

    A stream is complete when `message_stop` came, whatever happens to the connection then.
    """

    __slots__ = ("_reason", "_signature", "_usage")

    def __init__(self, sink: Sink, at: Endpoint, model: str, time: Callable[[], float]) -> None:
        super().__init__(sink, at, model, time)
        self._reason = ""
        self._signature = ""
        self._usage = _Usage()

    @override
    def event(self, payload: bytes, outputs: list[Output]) -> None:
        try:
            event = _decode(payload)
        except UNREADABLE:
            event = _event_in(self.loosely(payload))
        delta = event.delta
        if event.type == "content_block_delta":
            self._content(event.index, delta, outputs)
        elif event.type == "message_delta":
            if delta is not None and delta.stop_reason:
                self._reason = delta.stop_reason[:MAX_REASON]
            self._count(event.usage, outputs)
        elif event.type == "message_stop":
            self.done = True
            reason = _REASONS.get(self._reason, "other")
            outputs.append(FinishOutput(reason, self._reason))
        elif event.type == "message_start":
            if event.message is not None:
                self._count(event.message.usage, outputs)
        elif event.type == "content_block_start":
            self._block(event.index, event.content_block, outputs)
        elif event.type == "content_block_stop":
            if self._signature:
                outputs.append(SealOutput({"anthropic": {"signature": self._signature}}))
                self._signature = ""
        elif event.type not in _SILENT:
            # Events of a type that is new are let pass, as the API's versioning policy asks.
            self.refuse(payload)

    def _block(self, index: int, block: _Delta | None, outputs: list[Output]) -> None:
        if block is None:
            return
        if block.type == "tool_use":
            outputs.append(ToolCallOutput(str(index), block.name or ""))
        elif block.type == "redacted_thinking":
            outputs.append(SealOutput({"anthropic": {"redacted": block.data or ""}}))
        else:
            self._content(index, block, outputs)

    def _content(self, index: int, delta: _Delta | None, outputs: list[Output]) -> None:
        if delta is None:
            return
        if delta.text:
            outputs.append(TextOutput(delta.text))
        elif delta.thinking:
            outputs.append(ReasoningOutput(delta.thinking))
        elif delta.partial_json:
            outputs.append(ToolInputOutput(str(index), delta.partial_json))
        elif delta.signature:
            self._signature += delta.signature
        elif delta.citation:
            outputs.extend(cited(delta.citation))

    def _count(self, usage: _Usage | None, outputs: list[Output]) -> None:
        # Counts are cumulative, and a later event leaves out what did not change.
        if usage is None:
            return
        kept = self._usage
        for name in usage.__struct_fields__:
            value = getattr(usage, name)
            if value is not None:
                setattr(kept, name, value)
        cached = kept.cache_read_input_tokens
        details = kept.output_tokens_details
        outputs.append(
            UsageOutput(
                Usage(
                    input=(kept.input_tokens or 0)
                    + (cached or 0)
                    + (kept.cache_creation_input_tokens or 0),
                    output=kept.output_tokens or 0,
                    reasoning=details.thinking_tokens if details else None,
                    cached=cached,
                )
            )
        )


def _event_in(event: Mapping[str, Any]) -> _Event:
    message = fields(event.get("message"))
    return _Event(
        type=string(event.get("type")),
        index=count(event.get("index")) or 0,
        delta=_delta_in(fields(event.get("delta"))),
        content_block=_delta_in(fields(event.get("content_block"))),
        usage=_usage_in(fields(event.get("usage"))),
        message=_Message(_usage_in(fields(message.get("usage")))),
    )


def _delta_in(delta: Mapping[str, Any]) -> _Delta:
    return _Delta(
        type=string(delta.get("type")),
        text=string(delta.get("text")),
        thinking=string(delta.get("thinking")),
        stop_reason=string(delta.get("stop_reason")),
        partial_json=string(delta.get("partial_json")),
        signature=string(delta.get("signature")),
        data=string(delta.get("data")),
        name=string(delta.get("name")),
        citation=delta.get("citation"),
    )


def _usage_in(usage: Mapping[str, Any]) -> _Usage | None:
    if not usage:
        return None
    details = fields(usage.get("output_tokens_details"))
    return _Usage(
        input_tokens=count(usage.get("input_tokens")),
        output_tokens=count(usage.get("output_tokens")),
        cache_read_input_tokens=count(usage.get("cache_read_input_tokens")),
        cache_creation_input_tokens=count(usage.get("cache_creation_input_tokens")),
        output_tokens_details=_OutputDetails(count(details.get("thinking_tokens"))),
    )
