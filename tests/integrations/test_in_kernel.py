"""The adapters in a real kernel, through a real relay: deltas, several answers, Stop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

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
