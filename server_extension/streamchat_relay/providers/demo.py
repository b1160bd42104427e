"""The demo: models that need nothing, and recite a script at a set rate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from streamchat_relay.model import (
    BadRequest,
    FinishOutput,
    FinishReason,
    Message,
    ModelInfo,
    ModelUnknown,
    Output,
    ReasoningOutput,
    TextOutput,
    Usage,
    UsageOutput,
)
from streamchat_relay.providers import demo_tools
from streamchat_relay.providers.demo_text import ECHO, SCRIPT, THOUGHTS, tokens, topic_of
from streamchat_relay.providers.naming import shown
from streamchat_relay.relay.continuation import GO_ON
from streamchat_relay.relay.ports import Call, Sink

FAST = 150.0
"""Tokens per second of a quick model."""

SLOW = 12.0
"""Tokens per second of a slow one, where Stop is easily in time."""


class _Model(msgspec.Struct, frozen=True):
    rate: float
    thinks: bool = False
    calls: bool = False

    @property
    def capabilities(self) -> tuple[str, ...]:
        named = {"reasoning": self.thinks, "tools": self.calls}
        return ("text", *(name for name, has in named.items() if has))


_MODELS = {
    "fast": _Model(FAST),
    "slow": _Model(SLOW, thinks=True),
    "echo": _Model(FAST),
    "tools": _Model(FAST, calls=True),
}


class DemoProvider:
    """The `Provider` of `demo/fast`, `demo/slow`, `demo/echo` and `demo/tools`.

    `rate` replaces every model's tokens per second; `sleep` and `time` are the clock, for tests
    that own theirs. Only `slow` shows reasoning, and only `tools` calls the tools that a prompt
    names.
    """

    def __init__(
        self,
        *,
        rate: float | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        time: Callable[[], float] | None = None,
    ) -> None:
        self._rate = rate
        self._sleep = sleep
        self._time = time

    @property
    def name(self) -> str:
        """The first half of its models' ids."""
        return "demo"

    async def stream(self, call: Call, sink: Sink, /) -> None:
        """Recite; see `relay.ports.Provider`. `max_tokens` is honoured, the rest ignored."""
        model = _MODELS.get(call.model)
        if model is None:
            raise ModelUnknown(
                f"demo has no model {shown(call.model)!r}. It has {', '.join(sorted(_MODELS))}."
            )
        prompt, said = _asked(call.messages)
        script: list[Output] = []
        calls = demo_tools.calls(call) if model.calls else []
        if model.thinks:
            thoughts = THOUGHTS.format(topic=topic_of(prompt))
            script += [ReasoningOutput(token) for token in tokens(thoughts)]
        thought = len(script)
        if calls:
            script += calls
            answer = ""
        elif model.calls:
            answer = demo_tools.report(call)
        elif call.model == "echo":
            answer = ECHO.format(text=prompt.strip() or "nothing")
        else:
            answer = SCRIPT.format(topic=topic_of(prompt))
        script += [TextOutput(token) for token in tokens(answer.removeprefix(said))]
        limit = _limit(call.params)
        reason: FinishReason = "tool-calls" if calls else "stop"
        if limit is not None and limit < len(script):
            script, reason = script[:limit], "length"
        await self._recite(script, self._rate or model.rate, sink)
        # About four characters of English are a token.
        asked = sum(len(message.text) for message in call.messages) // 4 + 1
        usage = Usage(
            input=asked,
            output=len(script),
            reasoning=min(thought, len(script)) if model.thinks else None,
            estimated=True,
        )
        sink.push([UsageOutput(usage), FinishOutput(reason, reason)])

    def context(self, model: str, /) -> None:
        """It reads everything and understands none of it."""

    async def models(self) -> list[tuple[ModelInfo, float]]:
        """All of them; their provider's name says what they are."""
        return [
            (
                ModelInfo(
                    id=f"demo/{name}",
                    provider="demo",
                    name=name,
                    capabilities=model.capabilities,
                ),
                0.0,
            )
            for name, model in _MODELS.items()
        ]

    async def _recite(self, script: list[Output], rate: float, sink: Sink) -> None:
        # Each token has its time since the start, so a late one does not delay those after it.
        time = self._time or asyncio.get_running_loop().time
        begin = time()
        for index, output in enumerate(script):
            early = begin + (index + 1) / rate - time()
            # Also when late: somebody else must get a turn on the loop.
            await self._sleep(max(early, 0.0))
            sink.push([output])


def _asked(messages: Sequence[Message]) -> tuple[str, str]:
    """The prompt, and what of its answer was said before it was cut off."""
    said = ""
    for message in reversed(messages):
        if message.role == "user" and message.text != GO_ON:
            return message.text, said
        if message.role == "assistant":
            said = message.text + said
    return "", said


def _limit(params: Mapping[str, Any]) -> int | None:
    limit = params.get("max_tokens")
    if limit is None:
        return None
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise BadRequest("params['max_tokens'] must be a whole number above 0.")
    return limit
