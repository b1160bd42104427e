"""LlamaIndex's LLMs, chat engines and agents as models: with its own mock LLMs."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.agent.workflow import ToolCall as ToolCallEvent
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    ImageBlock,
    MessageRole,
    TextBlock,
    ToolCallBlock,
)
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import MockLLM
from llama_index.core.llms.mock import MockFunctionCallingLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context, StartEvent, StopEvent, Workflow, step

from jupyter_streamchat.functions import ToolCall, ToolResult
from jupyter_streamchat.integrations.calls import NO_RESULT
from jupyter_streamchat.integrations.llamaindex import llamaindex_model
from streamchat_relay.model import BadRequest, ProviderError, Usage
from tests.integrations.kit import (
    FAILED,
    LOOKED,
    PICTURE,
    PIXEL,
    answers,
    call,
    called,
    ended,
    said,
    thought,
)


class Async(MockLLM):
    """A chat model with an async side of its own, as those of the providers have."""

    responses: list[ChatResponse] = []
    asked: list[list[ChatMessage]] = []
    temperature: float = 1.0

    def __init__(self, *responses: ChatResponse) -> None:
        super().__init__(is_chat_model=True)
        self.responses = list(responses)

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Any:
        self.asked.append(list(messages))
        return self._responses()

    async def _responses(self) -> AsyncIterator[ChatResponse]:
        for response in self.responses:
            await asyncio.sleep(0)
            yield response


def response(delta: str, **options: Any) -> ChatResponse:
    return ChatResponse(message=ChatMessage(delta, role="assistant"), delta=delta, **options)


def chat_engine(**options: Any) -> SimpleChatEngine:
    # Their default memory keeps a database open, and in a loop that is no more.
    return SimpleChatEngine.from_defaults(memory_cls=ChatMemoryBuffer, **options)


def told(messages: list[ChatMessage]) -> list[tuple[str, str | None]]:
    return [(message.role.value, message.content) for message in messages]


async def test_a_blocking_llm_streams_its_deltas() -> None:
    model = llamaindex_model(MockLLM(max_tokens=3))
    assert not inspect.isasyncgenfunction(model), "it would hold up all others on their loop"
    assert (await answers(model, "Hi"))[:-1] == ["text ", "text ", "text"]


async def test_the_conversation_is_told_in_its_own_messages() -> None:
    llm = Async(response("ok"))
    await answers(
        llamaindex_model(llm), "Hi", "Hello!", ["What is this?", PICTURE], system="Be kind."
    )
    (asked,) = llm.asked
    assert told(asked[:3]) == [("system", "Be kind."), ("user", "Hi"), ("assistant", "Hello!")]
    text, picture = asked[3].blocks
    assert text == TextBlock(text="What is this?")
    assert isinstance(picture, ImageBlock)
    assert picture.resolve_image().read() == PIXEL
    assert picture.image_mimetype == "image/png"


async def test_thoughts_and_usage_are_told() -> None:
    counted = {"usage": {"prompt_tokens": 9, "completion_tokens": 4}}
    llm = Async(
        response("", additional_kwargs={"thinking_delta": "Hm."}),
        response("Yes"),
        response("", raw=counted),
    )
    pieces = await answers(llamaindex_model(llm), "Well?")
    assert (thought(pieces), said(pieces)) == ("Hm.", "Yes")
    assert ended(pieces).usage == Usage(input=9, output=4)


async def test_parameters_reach_an_llm_that_has_them() -> None:
    class Tells(Async):
        async def _responses(self) -> AsyncIterator[ChatResponse]:
            yield response(f"{self.temperature} {self.max_tokens}")

    asks = llamaindex_model(Tells())
    assert said(await answers(asks, "Hi", temperature=0.5, max_tokens=7, top_p=1)) == "0.5 7"
    assert said(await answers(asks, "Hi")) == "1.0 None"


async def test_a_chat_engine_streams_and_has_the_chats_history_alone() -> None:
    llm = Async(response("a"), response("b"))
    engine = chat_engine(llm=llm, system_prompt="Engine.")
    asks = llamaindex_model(engine)
    assert (await answers(asks, "one", "first", "two", system="Chat."))[:2] == ["a", "b"]
    await answers(asks, "other")
    assert told(llm.asked[0]) == [
        ("system", "Engine."),
        ("system", "Chat."),
        ("user", "one"),
        ("assistant", "first"),
        ("user", "two"),
    ]
    assert told(llm.asked[1]) == [("system", "Engine."), ("user", "other")]


async def test_a_chat_engine_answers_two_chats_one_after_the_other() -> None:
    llm = Async(*[response("a")] * 5)
    asks = llamaindex_model(chat_engine(llm=llm))
    await asyncio.gather(answers(asks, "one"), answers(asks, "two", "2", "three"))
    assert sorted(len(asked) for asked in llm.asked) == [1, 3]


async def test_a_chat_engine_on_a_blocking_llm_streams() -> None:
    engine = chat_engine(llm=MockLLM(max_tokens=3))
    model = llamaindex_model(engine)
    assert not inspect.isasyncgenfunction(model)
    assert await answers(model, "Hi") == ["text ", "text ", "text"]


async def test_a_chat_engine_refuses_a_picture_that_it_would_not_see() -> None:
    engine = chat_engine(llm=MockLLM())
    with pytest.raises(BadRequest, match="takes text"):
        await answers(llamaindex_model(engine), ["What is this?", PICTURE])


def lookup(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def agent(tool: Any = lookup, *, fails: bool = False) -> FunctionAgent:
    async def speak(messages: Sequence[ChatMessage], **_: Any) -> AsyncIterator[ChatMessage]:
        if fails:
            raise KeyError("no such city")
        if messages[-1].role != MessageRole.TOOL:
            call = ToolCallBlock(tool_name="lookup", tool_kwargs={"city": "Bern"}, tool_call_id="1")
            yield ChatMessage("Let me look.", role="assistant")
            yield ChatMessage([call], role="assistant")
        else:
            yield ChatMessage("It is ", role="assistant")
            yield ChatMessage("sunny.", role="assistant")

    llm = MockFunctionCallingLLM(response_generator=speak)
    return FunctionAgent(name="weather", tools=[tool], llm=llm)


async def test_an_agent_streams_what_it_says_around_its_tools() -> None:
    model = llamaindex_model(agent())
    assert model.__name__ == "weather"
    first, made, result, *rest, _ = await answers(model, "Hi", "Hello!", "Weather?")
    assert first == "Let me look."
    assert made == ToolCall(
        "lookup", {"city": "Bern"}, made.id if isinstance(made, ToolCall) else ""
    )
    assert result == ToolResult(made, "sunny in Bern")
    assert rest == ["It is ", "sunny."]


class Sources:
    """A result with more to it than what the model reads."""

    def __str__(self) -> str:
        return "sunny, says the radio"


@pytest.mark.parametrize(
    ("returned", "shown"),
    [({"sky": ["blue"]}, {"sky": ["blue"]}), (Sources(), "sunny, says the radio")],
)
async def test_a_tools_result_is_shown_as_it_is_where_it_is_plain(
    returned: Any, shown: Any
) -> None:
    def lookup(city: str) -> Any:
        """The weather of a city."""
        return returned

    pieces = await answers(llamaindex_model(agent(lookup)), "Weather?")
    assert called(pieces) == [("lookup", {"city": "Bern"}, shown, "")]


async def test_a_failing_tool_is_an_error_that_the_agent_goes_on_with() -> None:
    def lookup(city: str) -> str:
        """The weather of a city."""
        raise KeyError("no such city")

    pieces = await answers(llamaindex_model(agent(lookup)), "Weather?")
    ((_, _, output, error),) = called(pieces)
    assert output is None
    assert "no such city" in error
    assert said(pieces) == "Let me look.It is sunny."


async def test_a_tool_that_ends_an_agent_has_its_result() -> None:
    tool = FunctionTool.from_defaults(lookup, return_direct=True)
    pieces = await answers(llamaindex_model(agent(tool)), "Weather?")
    assert called(pieces) == [("lookup", {"city": "Bern"}, "sunny in Bern", "")]


async def test_a_call_is_shown_while_its_tool_runs() -> None:
    running = asyncio.Event()

    async def lookup(city: str) -> str:
        """The weather of a city."""
        running.set()
        await asyncio.Event().wait()
        return city

    pieces: list[object] = []

    async def read() -> None:
        async for piece in llamaindex_model(agent(lookup))(*call("Weather?")):
            pieces.append(piece)

    reading = asyncio.create_task(read())
    await asyncio.wait_for(running.wait(), 5)
    assert [type(piece) for piece in pieces] == [str, ToolCall]
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


@pytest.mark.parametrize("fails", [True, False])
async def test_a_call_that_a_workflow_leaves_open_ends_with_it(fails: bool) -> None:
    class Leaves(Workflow):
        @step
        async def only(self, context: Context, event: StartEvent) -> StopEvent:
            context.write_event_to_stream(
                ToolCallEvent(tool_name="lookup", tool_kwargs={"city": "Bern"}, tool_id="1")
            )
            if fails:
                raise KeyError("no such city")
            return StopEvent(result="That is all.")

    pieces: list[object] = []
    fate = pytest.raises(ProviderError, match="no such city") if fails else nullcontext()
    with fate:
        async for piece in llamaindex_model(Leaves())(*call("Weather?")):
            pieces.append(piece)
    assert said(pieces) == ("" if fails else "That is all.")
    assert called(pieces) == [("lookup", {"city": "Bern"}, None, NO_RESULT)]


class Keeps(MockFunctionCallingLLM):
    """Keeps what it was asked."""

    asked: list[list[ChatMessage]] = []

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Any:
        self.asked.append(list(messages))
        return await super().astream_chat(messages, **kwargs)

    async def astream_chat_with_tools(self, tools: Any, **options: Any) -> Any:
        self.asked.append(list(options["chat_history"]))
        return await super().astream_chat_with_tools(tools, **options)


@pytest.mark.filterwarnings("ignore:is_running called from within a step")
@pytest.mark.parametrize("kind", ["agent", "workflow", "react", "llm"])
async def test_an_agent_that_calls_functions_is_told_its_calls_again(kind: str) -> None:
    async def speak(messages: Sequence[ChatMessage], **_: Any) -> AsyncIterator[ChatMessage]:
        yield ChatMessage("Thought: I can answer.\nAnswer: ok", role="assistant")

    llm = Keeps(response_generator=speak)
    one = FunctionAgent(name="weather", description="W", tools=[lookup], llm=llm)
    answerer: Any = {
        "agent": one,
        "workflow": AgentWorkflow(agents=[one], root_agent="weather"),
        "react": ReActAgent(tools=[lookup], llm=llm),
        "llm": llm,
    }[kind]
    answer: Any = ["Let me look.", LOOKED, FAILED, "\n\nSorry."]
    await answers(llamaindex_model(answerer), "Weather?", answer, "Thanks")
    asked = [one for one in llm.asked[0] if one.role != MessageRole.SYSTEM]
    if kind in {"react", "llm"}:
        assert [one.role for one in asked][-3:] == ["user", "assistant", "user"]
        assert not any(isinstance(block, ToolCallBlock) for one in asked for block in one.blocks)
        return
    assert told(asked) == [
        ("user", "Weather?"),
        ("assistant", "Let me look."),
        ("tool", '{"sky":"blue"}'),
        ("tool", "No city."),
        ("assistant", "Sorry."),
        ("user", "Thanks"),
    ]
    calls = [block for block in asked[1].blocks if isinstance(block, ToolCallBlock)]
    assert [call.tool_kwargs for call in calls] == [{"city": "Bern"}, {}]
    assert [call.tool_call_id for call in calls] == [
        one.additional_kwargs["tool_call_id"] for one in asked[2:4]
    ]


async def test_a_failing_agent_says_what_failed() -> None:
    with pytest.raises(ProviderError, match=r"weather failed with .*no such city"):
        await answers(llamaindex_model(agent(fails=True)), "Weather?")


async def test_what_came_before_a_failure_stays() -> None:
    class Breaks(Async):
        async def _responses(self) -> AsyncIterator[ChatResponse]:
            yield response("so far")
            raise ConnectionError("reset by peer")

    pieces: list[object] = []
    for answerer in (Breaks(), chat_engine(llm=Breaks())):
        with pytest.raises(ProviderError, match="ConnectionError: reset by peer"):
            async for piece in llamaindex_model(answerer)(*call("Hi")):
                pieces.append(piece)
    assert pieces == ["so far", "so far"]


@pytest.mark.parametrize("kind", ["llm", "engine", "agent"])
async def test_stop_cancels_the_model_that_waits(kind: str) -> None:
    waiting, stopped = asyncio.Event(), asyncio.Event()

    async def endless() -> AsyncIterator[str]:
        try:
            yield "."
            waiting.set()
            await asyncio.Event().wait()
        finally:
            stopped.set()

    class Endless(Async):
        async def _responses(self) -> AsyncIterator[ChatResponse]:
            async for delta in endless():
                yield response(delta)

    async def speak(messages: Sequence[ChatMessage], **_: Any) -> AsyncIterator[ChatMessage]:
        async for delta in endless():
            yield ChatMessage(delta, role="assistant")

    answerer: Any = Endless()
    if kind == "engine":
        answerer = chat_engine(llm=Endless())
    elif kind == "agent":
        llm = MockFunctionCallingLLM(response_generator=speak)
        answerer = FunctionAgent(tools=[lookup], llm=llm)
    task = asyncio.create_task(answers(llamaindex_model(answerer), "Hi"))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(stopped.wait(), 5)


def test_stop_ends_a_blocking_llm_between_two_deltas() -> None:
    ended: list[int] = []

    class Counts(MockLLM):
        def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
            try:
                for number in range(1000):
                    yield CompletionResponse(text="", delta=f"{number} ")
            finally:
                ended.append(number)

    pieces: Any = llamaindex_model(Counts())(*call("Count"))
    assert [next(pieces), next(pieces)] == ["0 ", "1 "]
    pieces.close()
    assert ended == [1]


def test_what_cannot_answer_is_refused_at_once() -> None:
    with pytest.raises(BadRequest, match="as_chat_engine"):
        llamaindex_model(object())  # type: ignore[arg-type]


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llama_index.core.agent.workflow", None)
    monkeypatch.delitem(sys.modules, "jupyter_streamchat.integrations.llamaindex")
    with pytest.raises(ModuleNotFoundError, match="pip install llama-index-core"):
        __import__("jupyter_streamchat.integrations.llamaindex")
