"""LangChain's Runnables as models: its own fake chat models, chains and LangGraph's agents."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain_core import exceptions
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import ConfigurableField, RunnableGenerator, RunnableLambda
from langchain_core.runnables.config import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from jupyter_streamchat.functions import Ended, ToolCall, ToolResult
from jupyter_streamchat.integrations.calls import NO_RESULT
from jupyter_streamchat.integrations.failure import failure
from jupyter_streamchat.integrations.langchain import langchain_model
from streamchat_relay.model import (
    BadRequest,
    ContextLength,
    ProviderAuth,
    ProviderError,
    ProviderRateLimited,
    StreamChatError,
    Usage,
)
from tests.integrations.kit import (
    FAILED,
    LOOKED,
    LOST,
    PICTURE,
    answers,
    call,
    called,
    ended,
    said,
    thought,
)


class Chunks(GenericFakeChatModel):
    """Streams the chunks that it is given, and keeps what it was asked."""

    messages: Iterator[Any] = iter(())
    chunks: list[AIMessageChunk] = []
    temperature: float | None = None
    max_tokens: int | None = None
    asked: list[list[BaseMessage]] = []

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        self.asked.append(messages)
        for chunk in self.chunks:
            yield ChatGenerationChunk(message=chunk)


def fake(*texts: str) -> FakeListChatModel:
    return FakeListChatModel(responses=list(texts))


async def test_a_chat_model_streams_each_of_its_chunks() -> None:
    pieces = await answers(langchain_model(fake("Hello")), "Hi")
    assert pieces[:-1] == ["H", "e", "l", "l", "o"]


async def test_the_conversation_is_told_in_langchains_messages() -> None:
    model = Chunks(chunks=[AIMessageChunk("ok")], asked=[])
    await answers(
        langchain_model(model), "Hi", "Hello!", ["What is this?", PICTURE], system="Be kind."
    )
    (asked,) = model.asked
    assert asked[:3] == [SystemMessage("Be kind."), HumanMessage("Hi"), AIMessage("Hello!")]
    text, picture = asked[3].content_blocks
    assert text == {"type": "text", "text": "What is this?"}
    assert picture["type"] == "image"
    assert picture["base64"] == PICTURE.url.partition(",")[2]


async def test_thoughts_usage_and_the_reason_are_told() -> None:
    chunks = [
        AIMessageChunk("", additional_kwargs={"reasoning_content": "Hm."}),
        AIMessageChunk([{"type": "reasoning", "reasoning": " So."}]),
        AIMessageChunk([{"type": "text", "text": "Yes"}]),
        AIMessageChunk(
            "",
            response_metadata={"finish_reason": "length"},
            usage_metadata={
                "input_tokens": 9,
                "output_tokens": 4,
                "total_tokens": 13,
                "input_token_details": {"cache_read": 3},
                "output_token_details": {"reasoning": 2},
            },
            chunk_position="last",
        ),
    ]
    pieces = await answers(langchain_model(Chunks(chunks=chunks)), "Well?")
    assert thought(pieces) == "Hm. So."
    assert said(pieces) == "Yes"
    assert ended(pieces) == Ended("length", Usage(input=9, output=4, cached=3, reasoning=2))


class Settings(Chunks):
    """Says what it was set to."""

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        text = f"{self.temperature} {self.max_tokens}"
        yield ChatGenerationChunk(message=AIMessageChunk(text))


async def test_parameters_reach_a_chat_model_that_has_them_and_no_other() -> None:
    asks = langchain_model(Settings())
    assert said(await answers(asks, "Hi", temperature=0.5, max_tokens=7, top_p=1)) == "0.5 7"
    assert said(await answers(asks, "Hi")) == "None None"
    assert said(await answers(langchain_model(fake("fine")), "Hi", temperature=0.5)) == "fine"


async def test_a_declared_parameter_reaches_the_model_inside_a_chain() -> None:
    declared = Settings().configurable_fields(temperature=ConfigurableField(id="temperature"))
    asks = langchain_model(declared | StrOutputParser())
    assert said(await answers(asks, "Hi", temperature=0.25)) == "0.25 None"


@pytest.mark.parametrize(
    ("template", "asked"),
    [
        ([("human", "Explain {topic}.")], ["Explain third."]),
        ([("system", "S"), ("placeholder", "{messages}")], ["S", "first", "second", "third"]),
        (
            [("placeholder", "{history}"), ("human", "Say: {question}")],
            ["first", "second", "Say: third"],
        ),
    ],
)
async def test_a_prompts_variables_are_filled_by_what_they_are(
    template: list[tuple[str, str]], asked: list[str]
) -> None:
    model = Chunks(chunks=[AIMessageChunk("a"), AIMessageChunk("b")], asked=[])
    chain = ChatPromptTemplate.from_messages(template) | model | StrOutputParser()
    pieces = await answers(langchain_model(chain), "first", "second", "third")
    assert [piece for piece in pieces[:-1] if piece] == ["a", "b"]
    assert [message.content for message in model.asked[0]] == asked


async def test_a_prompt_that_only_its_author_can_fill_says_how() -> None:
    chain = ChatPromptTemplate.from_template("{tone}: {question}") | fake("ok")
    with pytest.raises(BadRequest, match=r"yours has question, tone.*to_input="):
        langchain_model(chain)
    model = langchain_model(
        chain, to_input=lambda messages: {"tone": "dry", "question": messages[-1].text}
    )
    assert said(await answers(model, "Hi")) == "ok"


async def test_a_chain_that_gives_no_text_says_what_to_end_it_in() -> None:
    with pytest.raises(BadRequest, match="yours gave a dict"):
        await answers(langchain_model(fake('{"a": 1}') | JsonOutputParser()), "Hi")


async def test_a_parser_without_an_async_side_streams_too() -> None:
    def louder(found: Iterator[BaseMessage]) -> Iterator[str]:
        for one in found:
            yield str(one.content).upper()

    pieces = await answers(langchain_model(fake("abc") | RunnableGenerator(louder)), "Hi")
    assert pieces[:-1] == ["A", "B", "C"]


def lookup(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def agent(model: Any, tool: Any = lookup, *, again: bool = True, **options: Any) -> Any:
    """The loop of LangGraph's documentation: the model, its tools, the model `again`."""

    # Before Python 3.11 what an async node asks is heard only where it passes the config on.
    async def ask(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"], config)]}

    def after(state: MessagesState) -> str:
        last = state["messages"][-1]
        return "tools" if isinstance(last, AIMessage) and last.tool_calls else END

    graph = StateGraph(MessagesState)
    graph.add_node("agent", ask)
    graph.add_node("tools", ToolNode([tool]))
    graph.add_edge(START, "agent")
    graph.add_conditional_edges("agent", after)
    graph.add_edge("tools", "agent" if again else END)
    return graph.compile(**options)


class Turns(Chunks):
    """Answers with the next list of chunks at each call."""

    turns: list[list[AIMessageChunk]] = []

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        self.asked.append(list(messages))
        for chunk in self.turns[len(self.asked) - 1]:
            yield ChatGenerationChunk(message=chunk)


def calling(arguments: str, name: str = "lookup", *, call_id: str = "1") -> AIMessageChunk:
    made: Any = {"name": name, "args": arguments, "id": call_id, "index": 0}
    return AIMessageChunk("", tool_call_chunks=[made])


def with_a_tool() -> Turns:
    used: Any = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    return Turns(
        asked=[],
        turns=[
            [
                AIMessageChunk("Let me look."),
                calling('{"city": "Bern"}'),
                AIMessageChunk("", usage_metadata=used),
            ],
            [AIMessageChunk("It is "), AIMessageChunk("sunny.", usage_metadata=used)],
        ],
    )


async def test_an_agent_streams_what_it_says_around_its_tools_and_adds_up_its_usage() -> None:
    model = with_a_tool()
    pieces = await answers(langchain_model(agent(model)), "Weather?", system="S")
    first, made, result, *rest, _ = pieces
    assert first == "Let me look."
    assert isinstance(made, ToolCall)
    assert result == ToolResult(made, "sunny in Bern")
    # The call parts the texts.
    assert rest == ["It is ", "sunny."]
    assert called(pieces) == [("lookup", {"city": "Bern"}, "sunny in Bern", "")]
    assert ended(pieces) == Ended("stop", Usage(input=10, output=4))
    assert [message.content for message in model.asked[1]] == [
        "S",
        "Weather?",
        "Let me look.",
        "sunny in Bern",
    ]


async def test_calls_that_come_in_pieces_at_once_and_under_one_id_are_shown_as_they_were_run() -> (
    None
):
    def piece(**fields: Any) -> AIMessageChunk:
        made: Any = {"name": None, "args": None, "id": None, "index": 0, **fields}
        return AIMessageChunk("", tool_call_chunks=[made])

    model = Turns(
        asked=[],
        turns=[
            [
                piece(name="lookup", args='{"ci', id="1"),
                piece(name="lookup", args='{"city": "Oslo"}', id="2", index=1),
                piece(args='ty": "Bern"}'),
            ],
            [calling('{"town": "Rome"}')],
            [calling("{}", "nothing")],
            [AIMessageChunk("Done.")],
        ],
    )
    pieces = await answers(langchain_model(agent(model)), "Weather?")
    bern, oslo, rome, nothing = called(pieces)
    assert bern == ("lookup", {"city": "Bern"}, "sunny in Bern", "")
    assert oslo == ("lookup", {"city": "Oslo"}, "sunny in Oslo", "")
    assert rome[:3] == ("lookup", {"town": "Rome"}, None)
    assert "Field required" in rome[3]
    assert "nothing is not a valid tool" in nothing[3]
    assert said(pieces) == "Done."


async def test_a_call_is_shown_while_its_tool_runs_and_ends_where_that_fails_the_agent() -> None:
    running, go_on = asyncio.Event(), asyncio.Event()

    async def lookup(city: str) -> str:
        """The weather of a city."""
        running.set()
        await go_on.wait()
        raise KeyError("no such city")

    pieces: list[object] = []

    async def read() -> None:
        async for piece in langchain_model(agent(with_a_tool(), tool=lookup))(*call("Weather?")):
            pieces.append(piece)

    reading = asyncio.create_task(read())
    await asyncio.wait_for(running.wait(), 5)
    assert pieces[:1] == ["Let me look."]
    assert [type(piece) for piece in pieces[1:]] == [ToolCall]
    go_on.set()
    with pytest.raises(ProviderError, match=r"no such city' \(in lookup, line"):
        await reading
    assert called(pieces) == [("lookup", {"city": "Bern"}, None, NO_RESULT)]


async def test_a_model_that_a_tool_asks_is_not_heard() -> None:
    inner = agent(with_a_tool())

    async def consult(city: str) -> str:
        """Ask another agent."""
        found = await inner.ainvoke({"messages": [("human", city)]})
        return str(found["messages"][-1].text)

    model = with_a_tool()
    model.turns[0][1] = calling('{"city": "Bern"}', "consult")
    pieces = await answers(langchain_model(agent(model, tool=consult)), "Weather?")
    assert called(pieces) == [("consult", {"city": "Bern"}, "It is sunny.", "")]
    assert said(pieces) == "Let me look.It is sunny."


async def test_an_agent_inside_a_graph_shows_its_calls() -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("inner", agent(with_a_tool()))
    graph.add_edge(START, "inner")
    pieces = await answers(langchain_model(graph.compile()), "Weather?")
    assert called(pieces) == [("lookup", {"city": "Bern"}, "sunny in Bern", "")]
    assert said(pieces) == "Let me look.It is sunny."


async def test_a_call_that_nobody_runs_gets_an_end_or_is_not_shown() -> None:
    model = with_a_tool()
    graph = agent(model, interrupt_before=["tools"], checkpointer=InMemorySaver())
    pieces = await answers(langchain_model(graph), "Weather?")
    assert called(pieces) == [("lookup", {"city": "Bern"}, None, NO_RESULT)]
    pieces = await answers(langchain_model(with_a_tool()), "Weather?")
    assert called(pieces) == []
    assert said(pieces) == "Let me look."


async def test_a_runnable_that_runs_tools_in_its_own_way_shows_each_call_with_its_result() -> None:
    async def loop(asked: AsyncIterator[Any]) -> AsyncIterator[BaseMessage]:
        async for _ in asked:
            for name in ("lookup", "never"):
                made: Any = {"name": name, "args": {"city": "Bern"}, "id": name}
                yield AIMessage("", tool_calls=[made], id=name)
            yield ToolMessage([{"type": "text", "text": "sunny"}], tool_call_id="lookup")
            yield AIMessage("It is.")

    pieces = await answers(langchain_model(RunnableGenerator(loop)), "Weather?")
    result = [{"type": "text", "text": "sunny"}]
    assert called(pieces) == [("lookup", {"city": "Bern"}, result, "")]
    assert said(pieces) == "It is."


async def test_a_tools_result_may_be_the_last_word() -> None:
    used = AIMessageChunk("", response_metadata={"finish_reason": "tool_calls"})
    model = Turns(asked=[], turns=[[calling('{"city": "Bern"}'), used]])
    pieces = await answers(langchain_model(agent(model, again=False)), "Weather?")
    assert called(pieces) == [("lookup", {"city": "Bern"}, "sunny in Bern", "")]
    assert ended(pieces).finish_reason == "stop"


async def test_an_agent_is_told_its_calls_again_and_others_are_not() -> None:
    answer: Any = ["Let me look.", LOOKED, "\n\nIt is blue. ", FAILED, LOST, "\n\nSorry."]
    model = Turns(asked=[], turns=[[AIMessageChunk("ok")], [AIMessageChunk("ok")]])
    pieces = await answers(langchain_model(agent(model)), "Weather?", answer, "Thanks")
    assert pieces[:-1] == ["ok"]
    told = [
        (message.type, message.text, [one["args"] for one in getattr(message, "tool_calls", [])])
        for message in model.asked[0]
    ]
    assert told == [
        ("human", "Weather?", []),
        ("ai", "Let me look.", [{"city": "Bern"}]),
        ("tool", '{"sky":"blue"}', []),
        ("ai", "It is blue. ", [{}, {"city": "Oslo"}]),
        ("tool", "No city.", []),
        ("tool", "This call was not run.", []),
        ("ai", "Sorry.", []),
        ("human", "Thanks", []),
    ]
    asked = [one["id"] for message in model.asked[0] for one in getattr(message, "tool_calls", [])]
    results = [one for one in model.asked[0] if isinstance(one, ToolMessage)]
    assert asked == [one.tool_call_id for one in results]
    assert len(set(asked)) == 3
    assert [one.status for one in results] == ["success", "error", "error"]
    await answers(langchain_model(model), "Weather?", answer, "Thanks")
    assert [message.type for message in model.asked[1]] == ["human", "ai", "human"]


async def test_a_graph_without_an_async_side_streams_too() -> None:
    class Sync(InMemorySaver):
        async def aget_tuple(self, config: Any) -> Any:
            raise NotImplementedError

    graph = StateGraph(MessagesState)
    graph.add_node("only", lambda state: {"messages": [fake("abc").invoke(state["messages"])]})
    graph.add_edge(START, "only")
    asks = langchain_model(graph.compile(checkpointer=Sync()))
    assert (await answers(asks, "Hi"))[:-1] == ["a", "b", "c"]


async def test_a_checkpointer_remembers_nothing_that_the_chat_does_not() -> None:
    model = with_a_tool()
    model.turns = [[AIMessageChunk("one")], [AIMessageChunk("two")]]
    asks = langchain_model(agent(model, checkpointer=InMemorySaver()))
    assert said(await answers(asks, "Hi")) == "one"
    assert said(await answers(asks, "Hi", "one", "Again")) == "two"
    assert [message.content for message in model.asked[1]] == ["Hi", "one", "Again"]


async def test_a_node_that_makes_its_message_itself_is_heard_once() -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("only", lambda state: {"messages": [AIMessage("Hello.")]})
    graph.add_edge(START, "only")
    assert said(await answers(langchain_model(graph.compile()), "Hi")) == "Hello."


async def test_a_failing_step_names_its_line_and_what_came_stays() -> None:
    def broken(text: Any) -> str:
        raise KeyError("no such city")

    with pytest.raises(ProviderError, match=r"KeyError: 'no such city' \(in broken, line \d+\)"):
        await answers(langchain_model(RunnableLambda(broken)), "Hi")
    model = FakeListChatModel(responses=["abcdef"], error_on_chunk_number=3)
    pieces: list[object] = []
    with pytest.raises(ProviderError, match="FakeListChatModel failed with FakeListChatModelError"):
        async for piece in langchain_model(model)(*call("Hi")):
            pieces.append(piece)
    assert pieces == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (exceptions.ModelAuthenticationError, ProviderAuth),
        (exceptions.ModelRateLimitError, ProviderRateLimited),
        (exceptions.ContextOverflowError, ContextLength),
    ],
)
def test_a_providers_failure_keeps_its_kind_and_a_refused_key_is_not_quoted(
    raised: type[Exception], kind: type[StreamChatError]
) -> None:
    error = failure("m", raised("sk-secret"))
    assert type(error) is kind
    assert ("sk-secret" in error.message) is (kind is not ProviderAuth)


@pytest.mark.parametrize("wrapped", [lambda model: model, agent], ids=["alone", "in an agent"])
async def test_stop_cancels_the_model_that_waits(wrapped: Any) -> None:
    waiting, stopped = asyncio.Event(), asyncio.Event()

    class Endless(Chunks):
        async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
            try:
                yield ChatGenerationChunk(message=AIMessageChunk("."))
                waiting.set()
                await asyncio.Event().wait()
            finally:
                stopped.set()

    task = asyncio.create_task(answers(langchain_model(wrapped(Endless())), "Hi"))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(stopped.wait(), 5)


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_core.language_models", None)
    monkeypatch.delitem(sys.modules, "jupyter_streamchat.integrations.langchain")
    with pytest.raises(ModuleNotFoundError, match="pip install langchain-core"):
        __import__("jupyter_streamchat.integrations.langchain")
