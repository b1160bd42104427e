"""Chat Completions, decoded: bytes of a stream in, outputs out."""

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
    TextOutput,
    Usage,
    UsageOutput,
)
from streamchat_relay.providers.decoding import MAX_REASON, StreamDecoder
from streamchat_relay.providers.dialect import Count, count, fields, objects, string, text
from streamchat_relay.providers.endpoint import Endpoint
from streamchat_relay.providers.errors import from_refusal, truncated
from streamchat_relay.providers.failures import UNREADABLE
from streamchat_relay.providers.refusal import Refusal, refusal_from
from streamchat_relay.relay.ports import Sink

_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool-calls",
    "function_call": "tool-calls",
    "content_filter": "content-filter",
}


class _Delta(msgspec.Struct, gc=False):
    # Mistral sends a list where it mixes thoughts and text.
    content: str | list[dict[str, Any]] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    # Where a server sends the whole answer as the one event of its stream.
    message: _Delta | None = None
    finish_reason: str | None = None
    index: int = 0


class _PromptDetails(msgspec.Struct):
    cached_tokens: Count = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: Count = None


class _Usage(msgspec.Struct):
    prompt_tokens: Count = None
    completion_tokens: Count = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode


class ChatDecoder(StreamDecoder):
    """Chat Completions.

    A stream is complete when a `finish_reason` came and then `[DONE]` or the body's own, certain
    end: some servers send no `[DONE]`. Without a `finish_reason` it is truncated in any case.
    """

    __slots__ = ("_reason", "_usage")

    def __init__(self, sink: Sink, at: Endpoint, model: str, time: Callable[[], float]) -> None:
        super().__init__(sink, at, model, time)
        self._reason: str | None = None
        self._usage: Usage | None = None

    @override
    def end(self, *, certain: bool = True) -> None:
        if not certain:
            super().end()
        if not self.done:
            outputs: list[Output] = []
            self._finish(outputs)
            self.sink.push(outputs)

    @override
    def event(self, payload: bytes, outputs: list[Output]) -> None:
        try:
            chunk = _decode(payload)
        except UNREADABLE:
            if payload == b"[DONE]":
                self._finish(outputs)
                return
            chunk = _chunk_in(self.loosely(payload))
        choices = chunk.choices
        for choice in choices:
            if choice.index:
                continue
            delta = choice.delta or choice.message
            if delta is not None:
                reasoning = delta.reasoning_content or delta.reasoning
                if reasoning:
                    outputs.append(ReasoningOutput(reasoning))
                content = delta.content
                if content:
                    if isinstance(content, str):
                        outputs.append(TextOutput(content))
                    else:
                        outputs.extend(_pieces(content))
                if delta.refusal:
                    outputs.append(TextOutput(delta.refusal))
            if choice.finish_reason:
                self._reason = choice.finish_reason[:MAX_REASON]
        if chunk.usage is not None:
            self._count(chunk.usage, outputs)
        elif not choices:
            self.refuse(payload)
        if chunk.error:
            raise from_refusal(refusal_from(chunk.error), self.at, self.model)

    def _count(self, usage: _Usage, outputs: list[Output]) -> None:
        if usage.prompt_tokens is None and usage.completion_tokens is None:
            return
        prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
        counted = Usage(
            input=usage.prompt_tokens or 0,
            output=usage.completion_tokens or 0,
            reasoning=completion.reasoning_tokens if completion else None,
            cached=prompt.cached_tokens if prompt else None,
        )
        if counted != self._usage:
            self._usage = counted
            outputs.append(UsageOutput(counted))

    def _finish(self, outputs: list[Output]) -> None:
        if self._reason is None:
            raise truncated(self.at, started=self.started or bool(outputs))
        if self._reason == "error":
            raise from_refusal(Refusal(), self.at, self.model)
        self.done = True
        outputs.append(FinishOutput(_REASONS.get(self._reason, "other"), self._reason))


def _pieces(content: list[dict[str, Any]]) -> list[Output]:
    found: list[Output] = []
    for piece in content:
        kind = piece.get("type", "text")
        if kind == "text" and (said := text(piece.get("text"))):
            found.append(TextOutput(said))
        elif kind == "thinking" and (thought := text(piece.get("thinking"))):
            found.append(ReasoningOutput(thought))
    return found


def _chunk_in(event: Mapping[str, Any]) -> _Chunk:
    usage = fields(event.get("usage"))
    return _Chunk(
        choices=[_choice_in(choice) for choice in objects(event.get("choices"))],
        usage=_usage_in(usage) if usage else None,
        error=event.get("error"),
    )


def _choice_in(choice: Mapping[str, Any]) -> _Choice:
    delta = fields(choice.get("delta")) or fields(choice.get("message"))
    content = delta.get("content")
    return _Choice(
        delta=_Delta(
            content=content if isinstance(content, str) else _pieces_in(content),
            reasoning_content=text(delta.get("reasoning_content")),
            reasoning=text(delta.get("reasoning")),
            refusal=text(delta.get("refusal")),
        ),
        finish_reason=string(choice.get("finish_reason")),
        index=count(choice.get("index")) or 0,
    )


def _pieces_in(content: object) -> list[dict[str, Any]]:
    pieces = content if isinstance(content, list) else [content]
    return [piece if isinstance(piece, dict) else {"text": piece} for piece in pieces]


def _usage_in(usage: Mapping[str, Any]) -> _Usage:
    prompt = fields(usage.get("prompt_tokens_details"))
    completion = fields(usage.get("completion_tokens_details"))
    return _Usage(
        prompt_tokens=count(usage.get("prompt_tokens")),
        completion_tokens=count(usage.get("completion_tokens")),
        prompt_tokens_details=_PromptDetails(count(prompt.get("cached_tokens"))),
        completion_tokens_details=_CompletionDetails(count(completion.get("reasoning_tokens"))),
    )
