"""OpenAI's Chat Completions as a client reads them: answers written, whole or in chunks."""

from __future__ import annotations

import time
from typing import Any

from streamchat_relay.model import (
    Abort,
    Event,
    Finish,
    Message,
    ReasoningPart,
    ToolInputAvailable,
    ToolInputDelta,
    ToolInputStart,
    ToolPart,
    Usage,
)

_REASONS = {
    "stop": "stop",
    "length": "length",
    "content-filter": "content_filter",
    "tool-calls": "tool_calls",
}


class Writer:
    """Writes one answer, whole or in chunks."""

    def __init__(self, run: str, model: str) -> None:
        self._calls: dict[str, int] = {}
        self._silent: set[str] = set()
        self._head: dict[str, Any] = {
            "id": f"chatcmpl-{run}",
            "created": int(time.time()),
            "model": model,
        }

    def chunk(self, delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        """A piece of the answer."""
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice]}

    def count(self, usage: Usage | None) -> dict[str, Any]:
        """The chunk that only counts."""
        made = {**self._head, "object": "chat.completion.chunk", "choices": []}
        return {**made, "usage": _usage(usage)}

    def call_id(self, part: str) -> str:
        """What a call of this answer is named to its client."""
        return f"call_{self._head['id'][-16:]}_{part}"

    def calls(self, event: Event) -> dict[str, Any] | None:
        """The delta for an event of a tool call; None where there is nothing to say."""
        match event:
            case ToolInputStart(part=part, name=name):
                index = self._calls[part] = len(self._calls)
                self._silent.add(part)
                function = {"name": name, "arguments": ""}
                call = {"id": self.call_id(part), "type": "function", "function": function}
            case ToolInputDelta(part=part, delta=delta):
                index = self._calls[part]
                self._silent.discard(part)
                call = {"function": {"arguments": delta}}
            case ToolInputAvailable(part=part, provider_metadata=metadata):
                index = self._calls[part]
                call = _extra(metadata)
                if part in self._silent:
                    call["function"] = {"arguments": "{}"}
                if not call:
                    return None
            case _:
                return None
        return {"tool_calls": [{"index": index, **call}]}

    def whole(self, message: Message, reason: str, usage: Usage | None) -> dict[str, Any]:
        """The answer at once."""
        parts = message.parts
        reasoning = "".join(part.text for part in parts if isinstance(part, ReasoningPart))
        calls = [
            {
                "id": self.call_id(part.id),
                "type": "function",
                "function": {"name": part.name, "arguments": part.input_text or "{}"},
                **_extra(part.provider_metadata),
            }
            for part in parts
            if isinstance(part, ToolPart)
        ]
        told: dict[str, Any] = {"role": "assistant", "content": message.text}
        if calls:
            told |= {"content": message.text or None, "tool_calls": calls}
        if reasoning:
            told["reasoning_content"] = reasoning
        choice = {"index": 0, "message": told, "finish_reason": reason, "logprobs": None}
        made = {**self._head, "object": "chat.completion", "choices": [choice]}
        return {**made, "usage": _usage(usage)}


def reason_of(end: Finish | Abort) -> str:
    """Why it ended; what the budget cut is as good as too long."""
    return "length" if isinstance(end, Abort) else _REASONS.get(end.finish_reason, "stop")


def _extra(metadata: dict[str, Any] | None) -> dict[str, Any]:
    """What Gemini has to see again with a call."""
    kept = (metadata or {}).get("openai", {})
    return {"extra_content": kept["extra_content"]} if "extra_content" in kept else {}


def _usage(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached or 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
    }
