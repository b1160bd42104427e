"""LlamaIndex: an LLM, a chat engine or an agent workflow as a model."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from jupyter_streamchat.functions import Context, Ended, Thought
from jupyter_streamchat.integrations.calls import Calls
from jupyter_streamchat.integrations.failure import failure
from jupyter_streamchat.integrations.told import question
from streamchat_relay.model import BadRequest, Message, Usage

try:
    from llama_index.core.agent.workflow import (
        AgentOutput,
        AgentStream,
        AgentWorkflow,
        FunctionAgent,
        ToolCall,
        ToolCallResult,
    )
    from llama_index.core.base.llms.types import ChatMessage, ChatResponse
    from llama_index.core.chat_engine.types import BaseChatEngine
    from llama_index.core.llms import CustomLLM
    from llama_index.core.llms.llm import LLM
    from llama_index.core.workflow import Workflow

    from jupyter_streamchat.integrations.llamaindex_messages import llamaindex_messages
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "LlamaIndex is not installed in this kernel. Run `%pip install llama-index-core`, with the "
        "package of the provider that you ask, such as `llama-index-llms-openai`.",
        name=error.name,
    ) from error

Answer = Callable[[tuple[Message, ...], Context], AsyncIterator[object] | Iterator[object]]

_INPUT_KEYS = ("prompt_tokens", "input_tokens", "prompt_token_count")
_PLAIN = (str, bool, int, float, list, dict)
"""What is shown of a tool as it is. Of anything else, such as a response with its sources, it is
what the model read."""
_OUTPUT_KEYS = ("completion_tokens", "output_tokens", "candidates_token_count")


def llamaindex_model(answerer: LLM | BaseChatEngine | Workflow) -> Answer:
    """An LLM, a chat engine or an agent as a model: `Chat(llamaindex_model(engine))`.

    The chat holds the history, and an engine's own memory is set from it for each answer, so an
    engine gives one answer at a time. `temperature` and the like reach an LLM that has a field of
    that name. The chat's `system` is a system message in front. A chat engine takes text only.
    What an agent's tools are called with and return is shown, and a `FunctionAgent` is told it
    again in later turns. Raises `BadRequest` for anything else.

    >>> from llama_index.core.llms import MockLLM
    >>> llamaindex_model(MockLLM()).__name__
    'MockLLM'
    """
    match answerer:
        case LLM():
            answer = _with_llm(answerer)
            answer.__name__ = answerer.class_name()
        case BaseChatEngine():
            answer = _with_engine(answerer)
            answer.__name__ = type(answerer).__name__
        case Workflow():
            answer = _with_workflow(answerer)
            answer.__name__ = str(getattr(answerer, "name", type(answerer).__name__))
        case _:
            raise BadRequest(
                "`llamaindex_model` takes an LLM, a chat engine or an agent, and not a "
                f"{type(answerer).__name__}. For an index, give `index.as_chat_engine()`."
            )
    return answer


class _Translation:
    """The one place where what LlamaIndex streams becomes what a model says."""

    def __init__(self) -> None:
        self._said = False
        self.calls = Calls()
        self.usage: Usage | None = None

    def pieces(self, found: object) -> Iterator[object]:
        """What a response of an LLM, a delta of an engine or an event of an agent says."""
        match found:
            case str():
                yield from self._text(found)
            case ChatResponse():
                self.usage = _usage(found.raw) or _usage({"usage": found.additional_kwargs})
                yield from self._thought(found.additional_kwargs.get("thinking_delta"))
                yield from self._text(found.delta)
            case AgentStream():
                yield from self._thought(found.thinking_delta)
                yield from self._text(found.delta)
            case ToolCall():
                yield from self.calls.begin(found.tool_id, found.tool_name, found.tool_kwargs)
            case ToolCallResult(tool_output=output):
                shown = (
                    output.raw_output if isinstance(output.raw_output, _PLAIN) else output.content
                )
                yield from self.calls.end(
                    found.tool_id, shown, text=output.content, failed=output.is_error
                )
            case AgentOutput():
                self.usage = _sum(self.usage, _usage(found.raw))
            case _:
                return

    def result(self, result: object) -> Iterator[object]:
        """What a workflow came to, where nothing of it was streamed."""
        yield from self.calls.rest()
        if not self._said and result is not None:
            yield from self._text(str(result))

    def _text(self, text: str | None) -> Iterator[str]:
        if text:
            self._said = True
            yield text

    def _thought(self, text: str | None) -> Iterator[Thought]:
        if text:
            yield Thought(text)


def _with_llm(llm: LLM) -> Answer:
    name = llm.class_name()

    def blocking(messages: tuple[Message, ...], context: Context) -> Iterator[object]:
        stream = _Translation()
        try:
            asked = llamaindex_messages(messages, context)
            for found in _with_params(llm, context).stream_chat(asked):
                yield from stream.pieces(found)
        except Exception as error:
            raise failure(name, error) from error
        yield Ended(usage=stream.usage)

    async def answer(messages: tuple[Message, ...], context: Context) -> AsyncIterator[object]:
        stream = _Translation()
        try:
            asked = llamaindex_messages(messages, context)
            async for found in await _with_params(llm, context).astream_chat(asked):
                for piece in stream.pieces(found):
                    yield piece
        except Exception as error:
            raise failure(name, error) from error
        yield Ended(usage=stream.usage)

    return blocking if _blocks(llm) else answer


def _with_engine(engine: BaseChatEngine) -> Answer:
    name = type(engine).__name__
    # An engine has one memory.
    turn, turn_in_threads = asyncio.Lock(), threading.Lock()

    def blocking(messages: tuple[Message, ...], context: Context) -> Iterator[object]:
        stream = _Translation()
        with turn_in_threads:
            try:
                response = engine.stream_chat(*_question(messages, context))
                for delta in response.response_gen:
                    yield from stream.pieces(delta)
            except Exception as error:
                raise failure(name, error) from error

    async def answer(messages: tuple[Message, ...], context: Context) -> AsyncIterator[object]:
        stream = _Translation()
        async with turn:
            try:
                response = await engine.astream_chat(*_question(messages, context))
                # It would bring the deltas to a memory that the next answer sets anew, through a
                # queue in which a cancellation can be lost. It has not begun yet.
                if response.awrite_response_to_history_task is not None:
                    response.awrite_response_to_history_task.cancel()
                if response.achat_stream is not None:
                    async for found in response.achat_stream:
                        for piece in stream.pieces(found):
                            yield piece
            except Exception as error:
                raise failure(name, error) from error
        yield Ended(usage=stream.usage)

    return blocking if _blocks(getattr(engine, "_llm", None)) else answer


def _with_workflow(workflow: Workflow) -> Answer:
    name = str(getattr(workflow, "name", type(workflow).__name__))

    async def answer(messages: tuple[Message, ...], context: Context) -> AsyncIterator[object]:
        stream = _Translation()
        *history, asked = llamaindex_messages(messages, context, calls=_takes_calls(workflow))
        handler = None
        try:
            handler = workflow.run(user_msg=asked, chat_history=history)
            async for event in handler.stream_events():
                for piece in stream.pieces(event):
                    yield piece
            for piece in stream.result(await handler):
                yield piece
        except Exception as error:
            for piece in stream.calls.rest():
                yield piece
            raise failure(name, error) from error
        finally:
            if handler is not None and not handler.is_done():
                await handler.cancel_run()
        yield Ended(usage=stream.usage)

    return answer


def _blocks(llm: LLM | None) -> bool:
    """Whether its async side is its sync one, which would hold up all other answers."""
    return isinstance(llm, CustomLLM) and (
        inspect.unwrap(type(llm).astream_chat) is inspect.unwrap(CustomLLM.astream_chat)
    )


def _with_params(llm: LLM, context: Context) -> LLM:
    known = type(llm).model_fields.keys() - LLM.model_fields.keys()
    mine = {
        name: value for name, value in context.params.items() if name in known and value is not None
    }
    return llm.model_copy(update=mine) if mine else llm


def _question(messages: tuple[Message, ...], context: Context) -> tuple[str, list[ChatMessage]]:
    asked = question(messages)
    if asked.files:
        raise BadRequest(
            "A chat engine takes text, and the prompt has a file. Ask without it, or give "
            "`llamaindex_model` the LLM itself or an agent."
        )
    return asked.text, llamaindex_messages(messages, context)[:-1]


def _takes_calls(workflow: Workflow) -> bool:
    """Whether it has its LLMs call functions; other agents write their calls as text."""
    agents = workflow.agents.values() if isinstance(workflow, AgentWorkflow) else [workflow]
    return all(isinstance(agent, FunctionAgent) for agent in agents)


def _usage(raw: Any) -> Usage | None:
    told = _of(raw, "usage") or _of(raw, "usage_metadata")
    counts = [
        next((found for key in keys if isinstance(found := _of(told, key), int)), None)
        for keys in (_INPUT_KEYS, _OUTPUT_KEYS)
    ]
    if counts[0] is None or counts[1] is None:
        return None
    return Usage(input=counts[0], output=counts[1])


def _of(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def _sum(one: Usage | None, other: Usage | None) -> Usage | None:
    if one is None or other is None:
        return one or other
    return one + other
