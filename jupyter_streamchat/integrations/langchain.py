"""LangChain and LangGraph: any Runnable (chat model, chain, agent, graph) as a model."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from jupyter_streamchat.functions import Context, Ended, Thought
from jupyter_streamchat.integrations.calls import Calls
from jupyter_streamchat.integrations.failure import failure
from streamchat_relay.model import BadRequest, Message

try:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
    from langchain_core.messages.ai import add_ai_message_chunks
    from langchain_core.messages.tool import ToolCall as LangChainCall
    from langchain_core.prompts import BasePromptTemplate, ChatPromptTemplate
    from langchain_core.prompts.chat import MessagesPlaceholder
    from langchain_core.runnables import Runnable, RunnableBinding, RunnableSequence
    from langchain_core.runnables.config import RunnableConfig, merge_configs

    from jupyter_streamchat.integrations.langchain_messages import langchain_messages
    from jupyter_streamchat.integrations.langchain_usage import UsageCounter
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "LangChain is not installed in this kernel. Run `%pip install langchain-core`, with "
        "`langgraph` or `langchain` for agents.",
        name=error.name,
    ) from error

ToInput = Callable[[list[BaseMessage]], Any]
"""Makes a Runnable's input of the conversation."""

_TOOLS_NODE = "tools"
"""What LangChain's agents call the node that runs tools; a model that a tool asks is its affair."""


def langchain_model(
    runnable: Runnable[Any, Any],
    *,
    to_input: ToInput | None = None,
    config: RunnableConfig | None = None,
) -> Callable[[tuple[Message, ...], Context], AsyncIterator[object]]:
    """A Runnable as a model: `Chat(langchain_model(chain))`.

    A chat model gets the conversation, a graph or agent `{"messages": conversation}`, and a chain
    that begins with a prompt what its variables ask for: a placeholder the conversation (what went
    before, if there is a variable for the question too), and one other variable the text that was
    asked. `to_input` makes anything else of LangChain's messages. `config` goes to every call. A
    graph's checkpointer gets a new thread for each answer: it is the chat that remembers. What a
    graph's tools are called with and return is shown, and told again in later turns.

    `temperature` and the like reach a chat model that has a field of that name, and any Runnable
    that declares it with `configurable_fields`. The chat's `system` is a `SystemMessage` in front.
    Raises `BadRequest` for a prompt with variables that only you can fill.

    >>> from langchain_core.language_models import FakeListChatModel
    >>> langchain_model(FakeListChatModel(responses=["Hello!"])).__name__
    'FakeListChatModel'
    """
    name = runnable.get_name()
    make_input = to_input or _input_for(runnable)
    runs_tools = _is_graph(runnable)

    async def answer(messages: tuple[Message, ...], context: Context) -> AsyncIterator[object]:
        counter = UsageCounter()
        stream = _Translation(runs_tools=runs_tools)
        asked = make_input(langchain_messages(messages, context.params, calls=runs_tools))
        settings = merge_configs(
            config, {"callbacks": [counter]}, _configurable(runnable, config, context.params)
        )
        try:
            async for found in _stream(_with_params(runnable, context.params), asked, settings):
                for piece in stream.pieces(found):
                    yield piece
        except Exception as error:
            for piece in stream.calls.rest():
                yield piece
            raise failure(name, error) from error
        for piece in stream.calls.rest():
            yield piece
        ended = counter.ended
        # What a tool returned may be a graph's last word; nobody has to run the call any more.
        over = runs_tools and ended.finish_reason == "tool-calls"
        yield Ended("stop", ended.usage) if over else ended

    answer.__name__ = name
    return answer


class _Translation:
    """The one place where what a Runnable streams becomes what a model says."""

    def __init__(self, *, runs_tools: bool) -> None:
        self.calls = Calls(at_once=runs_tools)
        self._chunks: dict[str | None, list[AIMessageChunk]] = {}
        self._message: str | None = None
        self._said = False
        self._apart = False

    def pieces(self, found: object) -> Iterator[object]:
        """What one streamed value says."""
        match found:
            case str():
                yield found
            case AIMessage():
                yield from self._message_pieces(found)
                yield from self._calls_of(found)
            case ToolMessage(tool_call_id=call):
                for key in [one for one in self._chunks if self._has(one, call)]:
                    yield from self._complete(key)
                failed = found.status == "error"
                yield from self._parting(
                    self.calls.end(call, found.content, text=found.text, failed=failed)
                )
            case BaseMessage():
                # A prompt that a node made.
                return
            case _:
                raise BadRequest(
                    f"A chain that is a model must end in text or a message, and yours gave a "
                    f"{type(found).__name__}. End it in `| StrOutputParser()`, or in "
                    '`.pick("answer")` where it gives a dict.'
                )

    def _message_pieces(self, message: AIMessage) -> Iterator[str]:
        if message.id != self._message:
            # An agent's next message begins a paragraph.
            self._apart = self._said
            self._message = message.id
        for block in message.content_blocks:
            if block["type"] == "text" and block["text"]:
                if self._apart:
                    yield "\n\n"
                    self._apart = False
                self._said = True
                yield block["text"]
            elif block["type"] == "reasoning" and block.get("reasoning"):
                yield Thought(block["reasoning"])

    def _parting(self, pieces: Iterator[object]) -> Iterator[object]:
        """Calls that are shown, which part the texts by themselves."""
        for piece in pieces:
            self._said = self._apart = False
            yield piece

    def _calls_of(self, message: AIMessage) -> Iterator[object]:
        if not isinstance(message, AIMessageChunk):
            for call in message.tool_calls:
                yield from self._begin(call)
            return
        # Their arguments come in pieces.
        if message.tool_call_chunks:
            self._chunks.setdefault(message.id, []).append(message)
        if message.chunk_position == "last":
            yield from self._complete(message.id)

    def _begin(self, call: LangChainCall) -> Iterator[object]:
        return self._parting(self.calls.begin(call["id"] or "", call["name"], call["args"]))

    def _has(self, message: str | None, call: str) -> bool:
        return any(
            piece["id"] == call
            for chunk in self._chunks[message]
            for piece in chunk.tool_call_chunks
        )

    def _complete(self, message: str | None) -> Iterator[object]:
        first, *others = [
            AIMessageChunk(content="", tool_call_chunks=chunk.tool_call_chunks)
            for chunk in self._chunks.pop(message, [])
        ] or [AIMessageChunk(content="")]
        for call in add_ai_message_chunks(first, *others).tool_calls:
            yield from self._begin(call)


async def _stream(
    runnable: Runnable[Any, Any], asked: Any, config: RunnableConfig
) -> AsyncIterator[object]:
    if not _is_graph(runnable):
        async for found in _chunks(runnable, asked, config):
            yield found
        return
    async for message, metadata in _chunks(runnable, asked, config, stream_mode="messages"):
        inside_a_tool = metadata.get("langgraph_node") == _TOOLS_NODE
        if not inside_a_tool or isinstance(message, ToolMessage):
            yield message


async def _chunks(
    runnable: Runnable[Any, Any], asked: Any, config: RunnableConfig, **options: Any
) -> AsyncIterator[Any]:
    begun = False
    try:
        async for found in runnable.astream(asked, config, **options):
            begun = True
            yield found
    except NotImplementedError:
        # Some parsers and checkpointers have no async side.
        if begun:
            raise
        found_in_thread = runnable.stream(asked, config, **options)
        done = object()
        while (found := await asyncio.to_thread(next, found_in_thread, done)) is not done:
            yield found


def _is_graph(runnable: Runnable[Any, Any]) -> bool:
    # Whoever has a graph has imported its library.
    library = sys.modules.get("langgraph.pregel.protocol")
    return library is not None and isinstance(runnable, library.PregelProtocol)


def _with_params(runnable: Runnable[Any, Any], params: dict[str, Any]) -> Runnable[Any, Any]:
    if not isinstance(runnable, BaseChatModel):
        return runnable
    known = type(runnable).model_fields.keys() - BaseChatModel.model_fields.keys()
    mine = {name: value for name, value in params.items() if name in known and value is not None}
    return runnable.model_copy(update=mine) if mine else runnable


def _configurable(
    runnable: Runnable[Any, Any], config: RunnableConfig | None, params: dict[str, Any]
) -> RunnableConfig:
    known = {spec.id for spec in runnable.config_specs}
    chosen = {name: value for name, value in params.items() if name in known}
    if getattr(runnable, "checkpointer", None) and "thread_id" not in (
        (config or {}).get("configurable") or {}
    ):
        chosen["thread_id"] = uuid.uuid4().hex
    return {"configurable": chosen} if chosen else {}


def _input_for(runnable: Runnable[Any, Any]) -> ToInput:
    if _is_graph(runnable):
        return lambda messages: {"messages": messages}
    first: Any = runnable
    while isinstance(first, RunnableSequence | RunnableBinding):
        first = first.first if isinstance(first, RunnableSequence) else first.bound
    if isinstance(first, BasePromptTemplate):
        return _input_for_prompt(first)
    return lambda messages: messages


def _input_for_prompt(prompt: BasePromptTemplate[Any]) -> ToInput:
    placeholders = _placeholders(prompt)
    others = [name for name in prompt.input_variables if name not in placeholders]
    match placeholders, others:
        case [[], [variable]]:
            return lambda messages: {variable: _text(messages[-1])}
        case [[history], []]:
            return lambda messages: {history: messages}
        case [[history], [variable]]:
            return lambda messages: {history: messages[:-1], variable: _text(messages[-1])}
        case _:
            names = ", ".join([*placeholders, *others]) or "none"
            raise BadRequest(
                "A chain's prompt can have one placeholder for messages and one variable for the "
                f"question, and yours has {names}. Say how to fill them, as in "
                '`langchain_model(chain, to_input=lambda messages: {"question": '
                "messages[-1].text})`."
            )


def _placeholders(prompt: BasePromptTemplate[Any]) -> list[str]:
    if not isinstance(prompt, ChatPromptTemplate):
        return []
    return [one.variable_name for one in prompt.messages if isinstance(one, MessagesPlaceholder)]


def _text(message: BaseMessage) -> str:
    return str(message.text)
