"""pydantic-ai: an agent as a model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from jupyter_streamchat.functions import Context, Ended, Thought
from jupyter_streamchat.integrations.calls import Calls
from jupyter_streamchat.integrations.failure import failure
from jupyter_streamchat.integrations.told import File, Told, question, system_text, told
from streamchat_relay.model import FinishReason, Message, Usage

try:
    from pydantic_ai import Agent, AgentRunResultEvent
    from pydantic_ai.capabilities import ReinjectSystemPrompt
    from pydantic_ai.messages import (
        BinaryContent,
        FunctionToolCallEvent,
        FunctionToolResultEvent,
        ModelMessage,
        ModelRequest,
        ModelResponse,
        PartDeltaEvent,
        PartStartEvent,
        RetryPromptPart,
        TextPart,
        TextPartDelta,
        ThinkingPart,
        ThinkingPartDelta,
        ToolCallPart,
        ToolReturnPart,
        UserContent,
        UserPromptPart,
    )
    from pydantic_ai.run import AgentRunResult
    from pydantic_ai.settings import ModelSettings
    from pydantic_core import to_json
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "pydantic-ai is not installed in this kernel. Run `%pip install pydantic-ai-slim[openai]`, "
        "with the extra of the provider that your agent asks.",
        name=error.name,
    ) from error

_SETTINGS = frozenset(ModelSettings.__annotations__)
_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content-filter",
    "tool_call": "tool-calls",
}


def pydantic_ai_model(
    agent: Agent[Any, Any], **options: Any
) -> Callable[[tuple[Message, ...], Context], AsyncIterator[object]]:
    """An agent as a model: `Chat(pydantic_ai_model(agent))`.

    Its text and thoughts stream while its tools run in this kernel. What they are called with and
    return is shown, and told again in later turns; an output that is not text is shown as JSON,
    which `reply.json()` reads. `options` are those of `agent.run`, such as `deps` or
    `usage_limits`. `temperature`, `max_tokens` and what else `ModelSettings` has reach its model,
    and the chat's `system` is added to the agent's own instructions.

    >>> from pydantic_ai.models.test import TestModel
    >>> pydantic_ai_model(Agent(TestModel(), name="tutor")).__name__
    'tutor'
    """
    name = agent.name or "agent"

    async def answer(messages: tuple[Message, ...], context: Context) -> AsyncIterator[object]:
        stream = _Translation()
        asked = question(messages)
        try:
            async with agent.run_stream_events(
                [_content(part) for part in asked.parts],
                message_history=[
                    made for one in told(messages, calls=True)[:-1] for made in _message(one)
                ],
                **_options(options, system_text(messages, context.params), context.params),
            ) as events:
                async for event in events:
                    for piece in stream.pieces(event):
                        yield piece
        except Exception as error:
            for piece in stream.calls.rest():
                yield piece
            raise failure(name, error) from error

    answer.__name__ = name
    return answer


class _Translation:
    """The one place where an agent's events become what a model says."""

    def __init__(self) -> None:
        self.calls = Calls()
        self._said = False
        self._apart = False
        # The next text would join the one before: no call stands between.
        self._joins = False

    def pieces(self, event: object) -> Iterator[object]:
        """What one event of `run_stream_events` says."""
        match event:
            case PartStartEvent(part=TextPart(content=text)):
                self._apart = self._joins
                yield from self._text(text)
            case PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
                yield from self._text(text)
            case PartStartEvent(part=ThinkingPart(content=text)):
                yield Thought(text)
            case PartDeltaEvent(delta=ThinkingPartDelta(content_delta=text)):
                yield Thought(text or "")
            case FunctionToolCallEvent(part=call):
                arguments = call.args_as_dict()
                self._joins = False
                yield from self.calls.begin(call.tool_call_id, call.tool_name, arguments)
            case FunctionToolResultEvent(part=part):
                text = _response(part)
                failed = getattr(part, "outcome", "failed") != "success"
                # Only what a tool returned has files.
                shown = text if getattr(part, "files", ()) else part.content
                yield from self.calls.end(part.tool_call_id, shown, text=text, failed=failed)
            case AgentRunResultEvent(result=result):
                yield from self.calls.rest()
                if not isinstance(result.output, str):
                    self._apart = self._joins
                    written = to_json(result.output, indent=2, fallback=str).decode()
                    yield from self._text(f"```json\n{written}\n```")
                elif not self._said:
                    yield from self._text(result.output)
                yield _ended(result)
            case _:
                # Calls of output tools among them, which nobody has to run.
                return

    def _text(self, text: str) -> Iterator[str]:
        if text:
            if self._apart:
                yield "\n\n"
                self._apart = False
            self._said = self._joins = True
            yield text


def _response(part: ToolReturnPart | RetryPromptPart) -> str:
    # What a tool wants anew has this method only in newer releases than Python 3.10 has.
    if isinstance(part, RetryPromptPart) and not hasattr(part, "model_response_str"):
        return part.content if isinstance(part.content, str) else part.model_response()
    return part.model_response_str(wrap_if_error=False)


def _ended(result: AgentRunResult[Any]) -> Ended:
    used = result.usage
    reason = _FINISH.get(result.response.finish_reason or "stop", "other")
    if isinstance(result.output, str) or reason != "tool-calls":
        return Ended(reason, _usage(used))
    # An output that is not text comes as a call of a tool that nobody has to run.
    return Ended("stop", _usage(used))


def _usage(used: Any) -> Usage | None:
    if not used.input_tokens and not used.output_tokens:
        return None
    return Usage(
        input=used.input_tokens,
        output=used.output_tokens,
        cached=used.cache_read_tokens or None,
        reasoning=used.details.get("reasoning_tokens") or None,
    )


def _options(options: dict[str, Any], system: str, params: dict[str, Any]) -> dict[str, Any]:
    chosen = {name: value for name, value in params.items() if name in _SETTINGS}
    given = options.get("instructions")
    instructions = [*(given if isinstance(given, list) else [given] if given else [])]
    return {
        **options,
        "model_settings": {**(options.get("model_settings") or {}), **chosen},
        "instructions": [*instructions, system] if system else instructions or None,
        # With a history an agent leaves its system prompt away, as if that were in it.
        "capabilities": [*(options.get("capabilities") or ()), ReinjectSystemPrompt()],
    }


def _message(one: Told) -> Iterator[ModelMessage]:
    if one.role == "user":
        yield ModelRequest(parts=[UserPromptPart([_content(part) for part in one.parts])])
        return
    texts = [TextPart(one.text)] if one.text else []
    calls = [ToolCallPart(use.name, use.input, tool_call_id=use.id) for use in one.uses]
    yield ModelResponse(parts=[*texts, *calls])
    if one.uses:
        yield ModelRequest(
            parts=[
                ToolReturnPart(
                    use.name,
                    use.result,
                    tool_call_id=use.id,
                    outcome="failed" if use.failed else "success",
                )
                for use in one.uses
            ]
        )


def _content(part: str | File) -> UserContent:
    return part if isinstance(part, str) else BinaryContent(part.data, media_type=part.media_type)
