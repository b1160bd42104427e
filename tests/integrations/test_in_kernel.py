"""The adapters in a real kernel, through a real relay: deltas, tools, several answers, Stop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from msgspec import convert

from streamchat_relay.model import Conversation, TextPart, ToolPart
from tests.api.kernel import RunningKernel
from tests.fakes.jupyter import JupyterServer

LANGCHAIN = """
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGenerationChunk
from jupyter_streamchat.integrations.langchain import langchain_model

class Fake(GenericFakeChatModel):
    messages: object = None
    async def _astream(self, messages, stop=None, run_manager=None, **kwargs):
        async for word in words():
            yield ChatGenerationChunk(message=AIMessageChunk(word))

model = langchain_model(Fake() | StrOutputParser())
"""

LLAMAINDEX = """
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import ChatMessage, ChatResponse, MockLLM
from jupyter_streamchat.integrations.llamaindex import llamaindex_model

class Fake(MockLLM):
    async def astream_chat(self, messages, **kwargs):
        return self._stream()
    async def _stream(self):
        async for word in words():
            yield ChatResponse(message=ChatMessage(word, role="assistant"), delta=word)

model = llamaindex_model(SimpleChatEngine.from_defaults(llm=Fake()))
"""

PYDANTIC_AI = """
from pydantic_ai import Agent
from pydantic_ai.models.function import FunctionModel
from jupyter_streamchat.integrations.pydantic_ai import pydantic_ai_model

async def fake(messages, info):
    async for word in words():
        yield word

model = pydantic_ai_model(Agent(FunctionModel(stream_function=fake)))
"""


@pytest.fixture(scope="module")
def kernel(jupyter: JupyterServer) -> Iterator[RunningKernel]:
    with RunningKernel(jupyter) as made:
        outcome = made.run(
            """
import asyncio, sys, threading
from jupyter_streamchat import Chat
assert not {"langchain_core", "llama_index", "pydantic_ai"} & set(sys.modules)
"""
        )
        assert outcome.error == "", outcome.message
        yield made


@pytest.mark.parametrize(
    "adapted",
    [LANGCHAIN, LLAMAINDEX, PYDANTIC_AI],
    ids=["langchain", "llamaindex", "pydantic_ai"],
)
def test_it_streams_answer_after_answer_and_stop_reaches_the_library(
    kernel: RunningKernel, adapted: str
) -> None:
    outcome = kernel.run(
        """
go_on, closed, endless = threading.Event(), threading.Event(), False
async def words():
    try:
        yield "one "
        # What is seen in between came while the model was not done.
        while not go_on.is_set():
            await asyncio.sleep(0.001)
        yield "two "
        if endless:
            await asyncio.Event().wait()
    finally:
        closed.set()
"""
        + adapted
        + """
chat = Chat(model)
for _ in range(3):
    go_on.clear()
    reply = chat.send("Count")
    assert next(iter(reply)) == "one " and reply.state == "running"
    go_on.set()
    assert reply.wait().text == "one two " and reply.finish_reason == "stop"
closed.clear()
endless = True
reply = chat.send("Count on")
assert "".join(delta for _, delta in zip(range(2), reply)) == "one two "
assert not closed.is_set()
reply.stop()
assert reply.wait(20).state == "interrupted" and closed.wait(20)
print("all well")
"""
    )
    assert outcome.error == "", outcome.message
    assert "all well" in outcome.text


LANGCHAIN_AGENT = """
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from jupyter_streamchat.integrations.langchain import langchain_model

class Fake(GenericFakeChatModel):
    messages: object = None
    async def _astream(self, messages, stop=None, run_manager=None, **kwargs):
        heard.append([one.content for one in messages if isinstance(one, ToolMessage)])
        if isinstance(messages[-1], ToolMessage):
            chunks = [AIMessageChunk("It is sunny.")]
        else:
            made = dict(name="lookup", args='{"city": "Bern"}', id="1", index=0)
            chunks = [AIMessageChunk("Let me look."), AIMessageChunk("", tool_call_chunks=[made])]
        for chunk in chunks:
            yield ChatGenerationChunk(message=chunk)

from langchain_core.runnables import RunnableConfig
async def ask(state, config: RunnableConfig):
    return {"messages": [await Fake().ainvoke(state["messages"], config)]}
graph = StateGraph(MessagesState)
graph.add_node("agent", ask)
graph.add_node("tools", ToolNode([lookup]))
graph.add_edge(START, "agent")
graph.add_conditional_edges("agent", lambda s: "tools" if s["messages"][-1].tool_calls else END)
graph.add_edge("tools", "agent")
model = langchain_model(graph.compile())
halted = graph.compile(checkpointer=InMemorySaver(), interrupt_before=["tools"])
unanswered = langchain_model(halted)
"""

LLAMAINDEX_AGENT = """
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.agent.workflow import ToolCall as ToolCallEvent
from llama_index.core.base.llms.types import ToolCallBlock
from llama_index.core.llms.mock import MockFunctionCallingLLM
from llama_index.core.workflow import Context, StartEvent, StopEvent, Workflow, step

async def speak(messages, **_):
    heard.append([one.content for one in messages if one.role == "tool"])
    if messages[-1].role == "tool":
        yield ChatMessage("It is sunny.", role="assistant")
    else:
        made = ToolCallBlock(tool_name="lookup", tool_kwargs={"city": "Bern"}, tool_call_id="1")
        yield ChatMessage("Let me look.", role="assistant")
        yield ChatMessage([made], role="assistant")

class Leaves(Workflow):
    @step
    async def only(self, context: Context, event: StartEvent) -> StopEvent:
        heard.append([])
        made = ToolCallEvent(tool_name="lookup", tool_kwargs={"city": "Bern"}, tool_id="1")
        context.write_event_to_stream(made)
        return StopEvent()

llm = MockFunctionCallingLLM(response_generator=speak)
model = llamaindex_model(FunctionAgent(tools=[lookup], llm=llm))
unanswered = llamaindex_model(Leaves())
"""

PYDANTIC_AI_AGENT = """
from pydantic_ai import Agent, DeferredToolRequests
from pydantic_ai.models.function import DeltaToolCall

async def speak(messages, info):
    heard.append([p.content for m in messages for p in m.parts if p.part_kind == "tool-return"])
    if messages[-1].parts[-1].part_kind == "tool-return":
        yield "It is sunny."
    else:
        yield "Let me look."
        yield {0: DeltaToolCall("lookup", '{"city": "Bern"}', tool_call_id="1")}

fake = FunctionModel(stream_function=speak)
model = pydantic_ai_model(Agent(fake, tools=[lookup]))
deferring = Agent(fake, output_type=[str, DeferredToolRequests])
deferring.tool_plain(requires_approval=True)(lookup)
unanswered = pydantic_ai_model(deferring)
"""

AGENTS = pytest.mark.parametrize(
    "agent",
    [LANGCHAIN + LANGCHAIN_AGENT, LLAMAINDEX + LLAMAINDEX_AGENT, PYDANTIC_AI + PYDANTIC_AI_AGENT],
    ids=["langchain", "llamaindex", "pydantic_ai"],
)
TOOLS = """
from jupyter_streamchat import Tool
heard, ran, at_work, forever = [], [], threading.Event(), False
async def words():
    yield "one "
async def lookup(city: str) -> str:
    "The weather of a city."
    ran.append(city)
    at_work.set()
    if forever:
        await asyncio.Event().wait()
    return f"sunny in {city}"
agents_own = lookup
def lookup(city: str) -> str:
    "The chat's own tool of that name."
    ran.append("the chat's")
    return "wrong"
def other() -> str:
    "Another tool of the chat."
    ran.append("the chat's")
    return "wrong"
chats_own = [[], [Tool(other, approve=True)], [Tool(lookup, approve=True)]]
lookup = agents_own
"""


@AGENTS
def test_an_agents_calls_and_results_are_the_replys_and_the_pages_and_are_told_again(
    jupyter: JupyterServer, kernel: RunningKernel, agent: str
) -> None:
    outcome = kernel.run(
        TOOLS
        + agent
        + """
for tools in chats_own:
    heard.clear(), ran.clear()
    chat = Chat(model, tools=tools)
    reply = chat.send("Weather?").wait()
    call, = reply.tool_calls
    assert (call.name, call.input, call.output) == ("lookup", {"city": "Bern"}, "sunny in Bern")
    assert reply.text == "Let me look.\\n\\nIt is sunny." and reply.finish_reason == "stop"
    assert heard == [[], ["sunny in Bern"]] and ran == ["Bern"], (heard, ran)
    chat.send("And now?").wait()
    assert heard[2:] == [["sunny in Bern"], ["sunny in Bern"] * 2] and ran == ["Bern"] * 2
print("conversation", chat.conversation)
"""
    )
    assert outcome.error == "", outcome.message
    conversation = outcome.text.split()[-1]

    async def page() -> Conversation:
        async with await jupyter.socket() as socket:
            await socket.ask(type="open", conversation=conversation)
            told = socket.until(lambda frame: frame["type"] == "snapshot")
            return convert((await asyncio.wait_for(told, 20))["state"], Conversation)

    answers = [one for one in asyncio.run(page()).messages if one.role == "assistant"]
    assert len(answers) == 2
    for answer in answers:
        before, tool, after = answer.parts
        assert isinstance(before, TextPart)
        assert isinstance(tool, ToolPart)
        assert isinstance(after, TextPart)
        assert (before.text, after.text) == ("Let me look.", "It is sunny.")
        assert (tool.input, tool.output) == ({"city": "Bern"}, "sunny in Bern")


@AGENTS
def test_a_call_that_an_agent_leaves_open_is_not_run_by_the_chats_tools(
    kernel: RunningKernel, agent: str
) -> None:
    outcome = kernel.run(
        TOOLS
        + agent
        + """
for tools in chats_own:
    heard.clear(), ran.clear()
    reply = Chat(unanswered, tools=tools).send("Weather?").wait()
    call, = reply.tool_calls
    assert (call.name, call.state, call.error) == ("lookup", "output-error", "Nothing came of it.")
    assert len(heard) == 1 and ran == [], (heard, ran)
print("all well")
"""
    )
    assert outcome.error == "", outcome.message
    assert "all well" in outcome.text


@AGENTS
def test_stop_ends_an_agent_whose_tool_is_at_work(kernel: RunningKernel, agent: str) -> None:
    outcome = kernel.run(
        TOOLS
        + agent
        + """
forever = True
reply = Chat(model, tools=chats_own[2]).send("Weather?")
assert at_work.wait(20)
next(event for event in reply.events() if type(event).__name__ == "ToolInputStart")
reply.stop()
assert reply.wait(20).state == "interrupted"
assert [call.state for call in reply.tool_calls] == ["output-error"]
assert len(heard) == 1 and ran == ["Bern"], (heard, ran)
print("all well")
"""
    )
    assert outcome.error == "", outcome.message
    assert "all well" in outcome.text
