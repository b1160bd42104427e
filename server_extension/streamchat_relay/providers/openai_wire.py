"""Chat Completions, decoded: bytes of a stream in, outputs out."""

from __future__ import annotations

import json
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
    ToolCallOutput,
    ToolInputOutput,
    Usage,
    UsageOutput,
)
from streamchat_relay.providers.decoding import MAX_REASON, StreamDecoder
from streamchat_relay.providers.dialect import Count, count, fields, objects, string, text
from streamchat_relay.providers.endpoint import Endpoint
from streamchat_relay.providers.errors import from_refusal, truncated
from streamchat_relay.providers.failures import UNREADABLE
from streamchat_relay.providers.refusal import Refusal, refusal_from
from streamchat_relay.providers.sources import cited
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


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct, gc=False):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None
    # Where Gemini has the signature of the thought that led to the call.
    extra_content: dict[str, Any] | None = None


class _Delta(msgspec.Struct, gc=False):
    # Mistral sends a list where it mixes thoughts and text.
    content: str | list[dict[str, Any]] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None
    # Pages that a search has found, in whatever form.
    annotations: Any = None


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
    # Perplexity's and xAI's; each chunk has all of them.
    citations: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode


class ChatDecoder(StreamDecoder):
    """Chat Completions.

    A stream is complete when a `finish_reason` came and then `[DONE]` or the body's own, certain
    end: some servers send no `[DONE]`. Without a `finish_reason` it is truncated in any case.
    """

    __slots__ = ("_calls", "_citations", "_reason", "_thinks_in", "_usage")

    def __init__(self, sink: Sink, at: Endpoint, model: str, time: Callable[[], float]) -> None:
        super().__init__(sink, at, model, time)
        self._calls = _Calls(at.provider)
        self._citations: Any = None
        self._thinks_in = ""
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
                    self._thinks_in = (
                        "reasoning_content" if delta.reasoning_content else "reasoning"
                    )
                content = delta.content
                if content:
                    if isinstance(content, str):
                        outputs.append(TextOutput(content))
                    else:
                        outputs.extend(_pieces(content))
                if delta.refusal:
                    outputs.append(TextOutput(delta.refusal))
                if delta.annotations:
                    outputs.extend(cited(delta.annotations))
                if delta.tool_calls:
                    self._calls.add(delta.tool_calls, self._thinks_in, outputs)
            if choice.finish_reason:
                self._reason = choice.finish_reason[:MAX_REASON]
        if chunk.citations and chunk.citations != self._citations:
            self._citations = chunk.citations
            outputs.extend(cited(chunk.citations))
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


class _Calls:
    """Tells the calls of one answer apart, as far as servers do.

    The index is the wire's way; some servers give every call the index 0 and an id of its own, and
    some none at all. What has neither index nor name belongs to the call before it.
    """

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._number = 0
        self._latest = ""
        self._begun: set[str] = set()
        self._known: dict[int, tuple[str, str]] = {}

    def add(self, calls: list[_Call], thinks_in: str, outputs: list[Output]) -> None:
        for call in calls:
            function = call.function or _Function()
            if call.index is None and not function.name:
                self._tell(self._latest, function, call.extra_content, thinks_in, outputs)
                continue
            index = -1 if call.index is None else call.index
            key, name = self._known.get(index, ("", ""))
            other = bool(call.id and name and call.id != name)
            if not key or (function.name and (other or call.index is None)):
                self._number += 1
                key = str(self._number)
            self._known[index] = (key, call.id or name)
            self._latest = key
            self._tell(key, function, call.extra_content, thinks_in, outputs)

    def _tell(
        self,
        key: str,
        function: _Function,
        extra: dict[str, Any] | None,
        thinks_in: str,
        outputs: list[Output],
    ) -> None:
        if key and (extra or (function.name and key not in self._begun)):
            self._begun.add(key)
            kept: dict[str, Any] = {"provider": self._provider, "thinks_in": thinks_in}
            if extra:
                kept["extra_content"] = extra
            metadata = {"openai": kept} if extra or thinks_in else None
            outputs.append(ToolCallOutput(key, function.name or "", metadata))
        if key and function.arguments:
            outputs.append(ToolInputOutput(key, function.arguments))


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
        citations=event.get("citations"),
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
            tool_calls=[_call_in(call) for call in objects(delta.get("tool_calls"))],
            annotations=delta.get("annotations"),
        ),
        finish_reason=string(choice.get("finish_reason")),
        index=count(choice.get("index")) or 0,
    )


def _call_in(call: Mapping[str, Any]) -> _Call:
    function, extra = fields(call.get("function")), call.get("extra_content")
    arguments = function.get("arguments")
    return _Call(
        index=count(call.get("index")),
        id=string(call.get("id")),
        function=_Function(
            name=string(function.get("name")),
            # Some servers send the object itself.
            arguments=json.dumps(arguments) if isinstance(arguments, dict) else string(arguments),
        ),
        extra_content=extra if isinstance(extra, dict) else None,
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
