"""pydantic-ai's agents as models: with its own TestModel and FunctionModel."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, DeferredToolRequests, RunContext, exceptions
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturn,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, DeltaThinkingPart, DeltaToolCall, FunctionModel
from pydantic_ai.models.test import TestModel as PydanticTestModel

from jupyter_streamchat.functions import ToolCall, ToolResult
from jupyter_streamchat.integrations.calls import NO_RESULT
from jupyter_streamchat.integrations.failure import failure
from jupyter_streamchat.integrations.pydantic_ai import pydantic_ai_model
from streamchat_relay.model import (
    BadRequest,
    ContextLength,
    ModelUnknown,
    ProviderAuth,
    ProviderError,
    ProviderOverloaded,
    ProviderRateLimited,
    StreamChatError,
    TimedOut,
)
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


class Heard:
    """A model that says `words` and keeps what it was asked."""

    def __init__(self, *words: Any) -> None:
        self.words = words
        self.messages: list[ModelMessage] = []
        self.info: AgentInfo | None = None

    async def __call__(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
        self.messages, self.info = messages, info
        for word in self.words:
            yield word

    def agent(self, **options: Any) -> Agent[Any, Any]:
        return Agent(FunctionModel(stream_function=self), **options)


async def test_an_agent_streams_its_deltas_and_tells_its_usage() -> None:
    agent = Agent(PydanticTestModel(custom_output_text="one two three"))
    pieces = await answers(pydantic_ai_model(agent), "Count")
    assert said(pieces) == "one two three"
    assert len([one for one in pieces if isinstance(one, str)]) > 2
    used = ended(pieces).usage
    assert used is not None
    assert used.output > 0


async def test_the_conversation_is_told_in_its_own_messages() -> None:
    heard = Heard("ok")
    await answers(pydantic_ai_model(heard.agent()), "Hi", "Hello!", ["What is this?", PICTURE])
    first, second, third = heard.messages
    assert isinstance(first, ModelRequest)
    assert isinstance(first.parts[0], UserPromptPart)
    assert first.parts[0].content == ["Hi"]
    assert isinstance(second, ModelResponse)
    assert second.parts == [TextPart("Hello!")]
    assert isinstance(third.parts[0], UserPromptPart)
    text, picture = third.parts[0].content
    assert text == "What is this?"
    assert isinstance(picture, BinaryContent)
    assert (picture.data, picture.media_type) == (PIXEL, "image/png")


async def test_the_chats_system_joins_the_agents_own_which_stays_in_later_turns() -> None:
    heard = Heard("ok")
    agent = heard.agent(system_prompt="You are a tutor.", instructions="Be short.")
    await answers(pydantic_ai_model(agent), "Hi", "Hello!", "Again", system="Answer in French.")
    parts = [part for message in heard.messages for part in message.parts]
    assert [one.content for one in parts if isinstance(one, SystemPromptPart)] == [
        "You are a tutor."
    ]
    assert heard.info is not None
    instructions = heard.info.instructions or ""
    assert "Be short." in instructions
    assert "Answer in French." in instructions


async def test_settings_reach_the_model_and_other_parameters_do_not() -> None:
    heard = Heard("ok")
    model = pydantic_ai_model(heard.agent(), model_settings={"top_p": 0.9})
    await answers(model, "Hi", temperature=0.5, max_tokens=7, anything=1)
    assert heard.info is not None
    assert heard.info.model_settings == {"top_p": 0.9, "temperature": 0.5, "max_tokens": 7}


async def test_thoughts_are_shown_apart() -> None:
    heard = Heard(
        {0: DeltaThinkingPart(content="Hm. ")}, {0: DeltaThinkingPart(content="So.")}, "Yes"
    )
    pieces = await answers(pydantic_ai_model(heard.agent()), "Well?")
    assert (thought(pieces), said(pieces)) == ("Hm. So.", "Yes")


def weather(**options: Any) -> Agent[Any, Any]:
    """Says something, calls `lookup`, and says something more."""

    async def speak(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
        # Some releases tell what a tool wants anew as a part of its own kind.
        if {part.part_kind for part in messages[-1].parts} & {"tool-return", "retry-prompt"}:
            yield "It is "
            yield "sunny."
        else:
            yield "Let me look."
            yield {0: DeltaToolCall("lookup", '{"city": ', tool_call_id="1")}
            yield {0: DeltaToolCall(None, '"Bern"}')}

    return Agent(FunctionModel(stream_function=speak), **options)


async def test_an_agent_streams_what_it_says_around_its_tools() -> None:
    agent = weather(deps_type=str)

    @agent.tool
    def lookup(context: RunContext[str], city: str) -> str:
        return f"{context.deps} in {city}"

    pieces = await answers(pydantic_ai_model(agent, deps="sunny"), "Weather?")
    first, made, result, *rest, _ = pieces
    assert first == "Let me look."
    assert isinstance(made, ToolCall)
    assert result == ToolResult(made, "sunny in Bern")
    assert rest == ["It is ", "sunny."]
    assert called(pieces) == [("lookup", {"city": "Bern"}, "sunny in Bern", "")]
    assert ended(pieces).finish_reason == "stop"


class Sky(BaseModel):
    """What a tool returns."""

    colours: list[str]


@pytest.mark.parametrize(
    ("returned", "shown"),
    [
        (Sky(colours=["blue"]), {"colours": ["blue"]}),
        ({"at": 1.5}, {"at": 1.5}),
        (ToolReturn("blue", content=["A picture: ", "…"]), "blue"),
        (["A picture:", BinaryContent(PIXEL, media_type="image/png")], "A picture:"),
        (None, None),
    ],
)
async def test_a_tools_result_is_shown_without_its_files(returned: Any, shown: Any) -> None:
    agent = weather()

    @agent.tool_plain
    def lookup(city: str) -> Any:
        return returned

    pieces = await answers(pydantic_ai_model(agent), "Weather?")
    assert called(pieces) == [("lookup", {"city": "Bern"}, shown, "")]


async def test_a_call_is_shown_while_its_tool_runs_and_what_it_wants_anew_is_an_error() -> None:
    running, go_on = asyncio.Event(), asyncio.Event()
    agent = weather()

    @agent.tool_plain
    async def lookup(city: str) -> str:
        running.set()
        await go_on.wait()
        raise exceptions.ModelRetry("Say which Bern.")

    pieces: list[object] = []

    async def read() -> None:
        async for piece in pydantic_ai_model(agent)(*call("Weather?")):
            pieces.append(piece)

    reading = asyncio.create_task(read())
    await asyncio.wait_for(running.wait(), 5)
    assert [type(piece) for piece in pieces] == [str, ToolCall]
    go_on.set()
    await reading
    assert called(pieces) == [("lookup", {"city": "Bern"}, None, "Say which Bern.")]
    assert said(pieces) == "Let me look.It is sunny."


async def test_a_call_that_is_left_to_others_gets_an_end() -> None:
    agent = weather(output_type=[str, DeferredToolRequests])

    @agent.tool_plain(requires_approval=True)
    def lookup(city: str) -> str:
        return city

    pieces = await answers(pydantic_ai_model(agent), "Weather?")
    assert called(pieces) == [("lookup", {"city": "Bern"}, None, NO_RESULT)]


async def test_an_agent_is_told_its_calls_again() -> None:
    heard = Heard("ok")
    answer: Any = ["Let me look.", LOOKED, FAILED, "\n\nSorry."]
    await answers(pydantic_ai_model(heard.agent()), "Weather?", answer, "Thanks")
    asked, calls, results, sorry, thanks = heard.messages
    assert isinstance(asked.parts[0], UserPromptPart)
    text, *made = calls.parts
    assert text == TextPart("Let me look.")
    assert [(one.tool_name, one.args) for one in made if isinstance(one, ToolCallPart)] == [
        ("lookup", {"city": "Bern"}),
        ("lookup", {}),
    ]
    returned = [one for one in results.parts if isinstance(one, ToolReturnPart)]
    assert [(one.content, one.outcome) for one in returned] == [
        ('{"sky":"blue"}', "success"),
        ("No city.", "failed"),
    ]
    assert [one.tool_call_id for one in made if isinstance(one, ToolCallPart)] == [
        one.tool_call_id for one in returned
    ]
    assert sorry.parts == [TextPart("Sorry.")]
    assert isinstance(thanks.parts[0], UserPromptPart)


async def test_an_answer_that_broke_off_after_its_tools_is_told_too() -> None:
    heard = Heard("ok")
    await answers(pydantic_ai_model(heard.agent()), "Weather?", [LOOKED], "And now?")
    kinds = [part.part_kind for message in heard.messages for part in message.parts]
    assert kinds == ["user-prompt", "tool-call", "tool-return", "user-prompt"]


class Point(BaseModel):
    """An output that is not text."""

    x: int
    y: int


async def test_an_output_that_is_no_text_is_shown_as_json() -> None:
    agent = Agent(PydanticTestModel(custom_output_args={"x": 1, "y": 2}), output_type=Point)
    pieces = await answers(pydantic_ai_model(agent), "Where?")
    assert said(pieces) == '```json\n{\n  "x": 1,\n  "y": 2\n}\n```'
    # It comes as a call of a tool that nobody has to run.
    assert called(pieces) == []


async def test_a_failing_tool_names_its_line() -> None:
    agent = Agent(PydanticTestModel())

    @agent.tool_plain
    def broken() -> str:
        return str(1 / 0)

    pieces: list[object] = []
    with pytest.raises(ProviderError, match=r"ZeroDivisionError: .* \(in broken, line \d+\)"):
        async for piece in pydantic_ai_model(agent)(*call("Go")):
            pieces.append(piece)
    assert called(pieces) == [("broken", {}, None, NO_RESULT)]


async def test_what_came_before_a_failure_stays() -> None:
    async def breaks(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
        yield "so far"
        raise exceptions.ModelAPIError("m", "reset by peer")

    pieces: list[object] = []
    with pytest.raises(ProviderError, match=r"failed.*reset by peer"):
        async for piece in pydantic_ai_model(Agent(FunctionModel(stream_function=breaks)))(
            *call("Hi")
        ):
            pieces.append(piece)
    assert pieces == ["so far"]


# By their names, as some are of newer releases than Python 3.10 has.
KINDS: dict[str, type[StreamChatError]] = {
    "ModelAuthenticationError": ProviderAuth,
    "ModelContextWindowExceededError": ContextLength,
    "ModelNotFoundError": ModelUnknown,
    "ModelOverloadedError": ProviderOverloaded,
    "ModelRateLimitError": ProviderRateLimited,
    "ModelTimeoutError": TimedOut,
    "ModelUnavailableError": ProviderOverloaded,
}


FAILURES = [
    one
    for one in vars(exceptions).values()
    if isinstance(one, type)
    and issubclass(one, exceptions.ModelAPIError)
    and one.__name__ not in {"ModelHTTPError", "ModelRequestTimeout"}
]


@pytest.mark.parametrize("raised", FAILURES)
def test_every_failure_of_its_providers_keeps_its_kind(raised: type[Any]) -> None:
    error = failure("m", raised("gpt", "words of theirs"))
    assert type(error) is KINDS.get(raised.__name__, ProviderError)


def test_a_rate_limit_says_when_to_ask_again_and_a_status_is_understood() -> None:
    if hasattr(exceptions, "ModelRateLimitError"):
        limited = exceptions.ModelRateLimitError("gpt", "slow down", retry_after=7)
        assert failure("m", limited).info.retry_after == 7
    assert type(failure("m", exceptions.ModelHTTPError(503, "gpt"))) is ProviderOverloaded
    body = {"error": {"message": "It is down."}}
    said = failure("m", exceptions.ModelHTTPError(503, "gpt", body)).message
    assert said.endswith("Ask again later. It said: It is down.")
    wrapped = RuntimeError("outer")
    wrapped.__cause__ = BadRequest("My own words.")
    assert failure("m", wrapped).message == "My own words."


async def test_stop_cancels_the_model_that_waits() -> None:
    waiting, stopped = asyncio.Event(), asyncio.Event()

    async def endless(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
        try:
            yield "."
            waiting.set()
            await asyncio.Event().wait()
        finally:
            stopped.set()

    agent = Agent(FunctionModel(stream_function=endless))
    task = asyncio.create_task(answers(pydantic_ai_model(agent), "Hi"))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped.is_set()


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_ai", None)
    monkeypatch.delitem(sys.modules, "jupyter_streamchat.integrations.pydantic_ai")
    with pytest.raises(ModuleNotFoundError, match="pip install pydantic-ai-slim"):
        __import__("jupyter_streamchat.integrations.pydantic_ai")
