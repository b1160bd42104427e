"""What the chat models of a Runnable used, as LangChain's callbacks tell it."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from jupyter_streamchat.functions import Ended
from streamchat_relay.model import FinishReason, Usage

_FINISH: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content-filter",
    "refusal": "content-filter",
    "safety": "content-filter",
    "tool_calls": "tool-calls",
    "tool_use": "tool-calls",
}


class UsageCounter(BaseCallbackHandler):
    """Adds up what all chat models of a Runnable used, and keeps why the last one ended."""

    run_inline = True

    def __init__(self) -> None:
        self._usage: Usage | None = None
        self._reason: FinishReason = "stop"

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:  # noqa: ARG002 - theirs
        """One model of it has answered."""
        generation = next(iter(next(iter(response.generations), [])), None)
        if not isinstance(generation, ChatGeneration):
            return
        message = generation.message
        if isinstance(message, AIMessage):
            self._reason = _reason(message)
            if message.usage_metadata is not None:
                used = _usage(message.usage_metadata)
                self._usage = used if self._usage is None else self._usage + used

    @property
    def ended(self) -> Ended:
        """What is known at the end."""
        return Ended(self._reason, self._usage)


def _reason(message: AIMessage) -> FinishReason:
    told = message.response_metadata
    for key in ("finish_reason", "stop_reason", "done_reason"):
        if told.get(key):
            return _FINISH.get(str(told[key]).lower(), "stop")
    return "stop"


def _usage(told: Any) -> Usage:
    return Usage(
        input=told["input_tokens"],
        output=told["output_tokens"],
        cached=(told.get("input_token_details") or {}).get("cache_read"),
        reasoning=(told.get("output_token_details") or {}).get("reasoning"),
    )
