"""LlamaIndex's LLMs, chat engines and agents as models: with its own mock LLMs."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from llama_index.core.agent.workflow import FunctionAgent
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

from jupyter_streamchat.integrations.llamaindex import llamaindex_model
from streamchat_relay.model import BadRequest, ProviderError, Usage
from tests.integrations.kit import PICTURE, PIXEL, answers, call, ended, said, thought


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


def agent(*, fails: bool = False) -> FunctionAgent:
    heard: list[int] = []

    async def speak(messages: Sequence[ChatMessage], **_: Any) -> AsyncIterator[ChatMessage]:
        heard.append(len(messages))
        if fails:
            raise KeyError("no such city")
        if not any(message.role == MessageRole.TOOL for message in messages):
            call = ToolCallBlock(tool_name="lookup", tool_kwargs={"city": "Bern"}, tool_call_id="1")
            yield ChatMessage("Let me look.", role="assistant")
            yield ChatMessage([call], role="assistant")
        else:
            yield ChatMessage("It is ", role="assistant")
            yield ChatMessage("sunny.", role="assistant")

    llm = MockFunctionCallingLLM(response_generator=speak)
    return FunctionAgent(name="weather", tools=[lookup], llm=llm)


async def test_an_agent_streams_what_it_says_around_its_tools() -> None:
    model = llamaindex_model(agent())
    assert model.__name__ == "weather"
    pieces = await answers(model, "Hi", "Hello!", "Weather?")
    assert pieces[:-1] == ["Let me look.", "\n\n", "It is ", "sunny."]


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
