"""Tools of a chat, called by models through a real relay and run in a real kernel."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator

import pytest

from tests.api.kernel import RunningKernel
from tests.fakes.jupyter import JupyterServer


@pytest.fixture(scope="module")
def kernel(jupyter: JupyterServer) -> Iterator[RunningKernel]:
    with RunningKernel(jupyter) as made:
        outcome = made.run(
            """
import asyncio, dataclasses, threading, time
from jupyter_streamchat import *
from jupyter_streamchat import Called, Tool, ToolCall, ToolResult

class Script:
    '''A model that calls what it is told, round by round, then says what came of it.'''
    def __init__(self, *rounds): self.rounds, self.__name__ = rounds, "script"
    def __call__(self, messages, context):
        last = messages[-1]
        made = calls_of(last) if last.role == "assistant" else []
        for round_ in self.rounds:
            if not made:
                for name, arguments in round_: yield ToolCall(name, arguments)
                return
            made = made[len(round_):]
        yield "; ".join(p.error or str(p.output) for p in calls_of(last))
def calls_of(message): return [p for p in message.parts if hasattr(p, "input_text")]
"""
        )
        assert outcome.error == "", outcome.message
        yield made


def run(kernel: RunningKernel, code: str) -> str:
    outcome = kernel.run(code)
    assert outcome.error == "", outcome.message
    return outcome.text


def test_a_model_calls_a_tool_in_the_kernel_and_goes_on_with_what_it_returned(
    kernel: RunningKernel,
) -> None:
    assert "all well" in run(
        kernel,
        """
chat, where = Chat("demo/tools"), []
@chat.tool(approve=True)
def weather(city: str, days: int = 1) -> dict:
    "The weather in a city."
    where.append(threading.current_thread() is threading.main_thread())
    return {"city": city, "days": days}
assert weather("Bergen") == {"city": "Bergen", "days": 1}
reply = chat.send("What is the weather in 'Oslo' for 3 days?").wait()
call, = reply.tool_calls
assert (call.name, call.state) == ("weather", "output-available")
assert call.input == {"city": "Oslo", "days": 3}
assert where == [True, False]
assert call.output == {"city": "Oslo", "days": 3}
assert '`weather` says {"city":"Oslo","days":3}' in reply.text and reply.finish_reason == "stop"
assert [m.role for m in chat.messages] == ["user", "assistant"]
assert chat.send("Thanks").wait().tool_calls == ()
print("all well")
""",
    )


def test_calls_of_one_round_run_at_the_same_time_and_rounds_follow_each_other(
    kernel: RunningKernel,
) -> None:
    assert "all well" in run(
        kernel,
        """
both, seen = threading.Barrier(2, timeout=20), []
def first() -> str:
    "Waits for the second."
    both.wait(); return "one"
async def second() -> str:
    "Waits for the first."
    await asyncio.to_thread(both.wait); return "two"
def last(word: str) -> str:
    "Says it."
    seen.append(word); return word
tools = [Tool(f, approve=True) for f in (first, second, last)]
chat = Chat(Script([("first", {}), ("second", {})], [("last", {"word": "three"})]), tools=tools)
reply = chat.send("go").wait()
assert reply.text == "one; two; three" and seen == ["three"]
kinds = [type(e).__name__ for e in reply.events()]
assert kinds.count("Finish") == 1 and kinds.index("Finish") == len(kinds) - 1
print("all well")
""",
    )


def test_what_a_tool_does_wrong_is_an_error_for_the_model_and_the_answer_goes_on(
    kernel: RunningKernel,
) -> None:
    text = run(
        kernel,
        """
def raises(x: int) -> int:
    "Fails."
    raise ValueError(f"no {x}")
def hangs() -> int:
    "Never returns."
    threading.Event().wait()
def odd() -> object:
    "Returns what JSON cannot hold."
    return object()
def huge() -> str:
    "Too much."
    return "x" * 300_000
chat = Chat(
    Script([("raises", {"x": 1}), ("raises", {"x": "one"}), ("raises", {"x": 1, "y": 2}),
            ("hangs", {}), ("odd", {}), ("huge", {}), ("nobody", {})]),
    tools=[Tool(raises, approve=True), Tool(hangs, approve=True, timeout=0.05),
           Tool(odd, approve=True), Tool(huge, approve=True)],
)
reply = chat.send("go").wait()
assert reply.state == "done"
for call in reply.tool_calls: print(call.state, call.error)
""",
    )
    for error in (
        "raises failed with ValueError: no 1",
        "The arguments do not fit: Expected `int`, got `str`",
        "contains unknown field `y`",
        "hangs did not return within 0.05 s.",
        "odd returned a object, which JSON cannot hold",
        "huge returned 292 KiB; at most 256 go to a model",
        "There is no tool 'nobody'. There are: raises, hangs, odd, huge.",
    ):
        assert error in text
    assert text.count("output-error") == 7


def test_approve_in_code_decides_for_each_call(kernel: RunningKernel) -> None:
    assert "all well" in run(
        kernel,
        """
asked, removed = [], []
async def approve(call):
    asked.append(call); return call.arguments["name"] != "everything"
chat = Chat(Script([("remove", {"name": "a"}), ("remove", {"name": "everything"})]))
@chat.tool(approve=approve)
def remove(name: str) -> str:
    "Removes a file."
    removed.append(name); return "removed"
reply = chat.send("go").wait()
assert sorted(asked, key=str) == [
    Called("remove", {"name": "a"}), Called("remove", {"name": "everything"})]
assert removed == ["a"]
assert [c.error for c in reply.tool_calls] == ["", "Not run: it was not allowed."]
print("all well")
""",
    )


def test_a_person_allows_a_call_once_and_for_what_they_saw(kernel: RunningKernel) -> None:
    assert "all well" in run(
        kernel,
        """
from jupyter_streamchat.connect import connect
removed = []
chat = Chat(Script([("remove", {"name": "a"}), ("remove", {"name": "b"})]))
@chat.tool
def remove(name: str) -> str:
    "Removes a file."
    removed.append(name); return "removed"
reply = chat.send("go")
events, asked = reply.events(), {}
while len(asked) < 2:
    event = next(events)
    if type(event).__name__ == "ToolApprovalRequest": asked[event.part] = event.digest
assert removed == [] and reply.state == "running"
first, second = sorted(asked)
client = connect()
# What another call's digest allows is not this one.
client.approve(reply.run, first, asked[second], allow=True)
client.approve(reply.run, second, asked[second], allow=False)
client.approve(reply.run, second, asked[second], allow=True)
client.approve(reply.run, first, asked[first], allow=True)
client.approve(reply.run, first, asked[first], allow=True)
reply.wait()
assert removed == ["a"], removed
calls = {c.input["name"]: c for c in reply.tool_calls}
assert calls["a"].output == "removed" and calls["a"].allowed is True
assert "did not allow" in calls["b"].error and calls["b"].allowed is False
print("all well")
""",
    )


def test_stop_ends_a_run_whose_tool_is_at_work(kernel: RunningKernel) -> None:
    assert "all well" in run(
        kernel,
        """
begun, ended = threading.Event(), threading.Event()
chat = Chat(Script([("slow", {})]))
@chat.tool(approve=True)
async def slow() -> None:
    "Takes for ever."
    begun.set()
    try: await asyncio.Event().wait()
    finally: ended.set()
reply = chat.send("go")
assert begun.wait(20)
reply.stop()
assert reply.wait().state == "interrupted" and reply.abort_reason == "user"
assert ended.wait(20)
assert reply.tool_calls[0].error == "Not run: the answer ended before."
print("all well")
""",
    )


def test_a_function_shows_the_calls_that_it_makes_itself(kernel: RunningKernel) -> None:
    assert "all well" in run(
        kernel,
        """
asked = []
def agent(messages):
    asked.append(len(messages))
    call = ToolCall("search", {"query": "x"})
    yield call
    yield ToolResult(call, ["a hit"])
    other = ToolCall("search", {"query": "y"})
    yield other
    yield ToolResult(other, error="no luck")
    yield "found it"
reply = Chat(agent).send("go").wait()
assert asked == [1] and reply.text == "found it"
assert [(c.input, c.output, c.error) for c in reply.tool_calls] == [
    ({"query": "x"}, ["a hit"], ""), ({"query": "y"}, None, "no luck")]
print("all well")
""",
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def f(x: int): return x", "f needs a docstring"),
        ("def f(*xs: int):\n    'Doc.'", "takes `*xs: int`"),
        ("def f(x: 'Nothing'):\n    'Doc.'", "The types of f cannot be read"),
        ("import io\ndef f(x: io.StringIO):\n    'Doc.'", "takes what a model cannot send"),
        ("f = lambda x: x", "A tool is a function with a name"),
        ("f = 3", "A tool is a function with a name"),
    ],
)
def test_what_cannot_be_a_tool_is_said_when_it_is_given(
    kernel: RunningKernel, code: str, words: str
) -> None:
    outcome = kernel.run(f"{code}\nChat('demo/tools', tools=[f])")
    assert outcome.error == "BadRequest"
    assert words in outcome.message


def test_rounds_are_bounded(kernel: RunningKernel) -> None:
    assert "all well" in run(
        kernel,
        """
count = []
def again() -> str:
    "Once more."
    count.append(1); return "again"
reply = Chat(Script(*[[("again", {})]] * 50), tools=[Tool(again, approve=True)]).send("go").wait()
assert len(count) == 16 and reply.finish_reason == "stop"
assert "has called tools 16 times" in reply.tool_calls[-1].error
print("all well")
""",
    )


def test_a_tool_that_waits_for_an_answer_behind_its_own_is_told_so_at_once(
    kernel: RunningKernel,
) -> None:
    assert "all well" in run(
        kernel,
        """
chat = Chat(Script([("ask", {}), ("ask_later", {}), ("ask_beside", {})]))
@chat.tool(approve=True)
def ask() -> str:
    "Asks the same chat."
    return chat.send("nested", model="demo/echo").wait().text
@chat.tool(approve=True)
async def ask_later() -> str:
    "Asks the same chat."
    return (await chat.send("nested", model="demo/echo")).text
@chat.tool(approve=True)
def ask_beside() -> str:
    "Asks another chat."
    return Chat("demo/echo").send("beside").wait().text
calls = chat.send("go").wait(60).tool_calls
assert all("waits in line" in call.error for call in calls[:2]), calls
assert "beside" in calls[2].output
print("all well")
""",
    )


def test_a_call_runs_once_however_often_the_connection_is_lost_while_it_does(
    kernel: RunningKernel,
) -> None:
    assert "all well" in run(
        kernel,
        """
from jupyter_streamchat.connect import connect
from streamchat_relay.protocol.client import State
client, ran = connect(), []
def until(live):
    while (client._session.state is State.LIVE) is not live: threading.Event().wait(0.01)
def cut():
    client._loop.call(lambda: client._transport._dropped.set())
    until(False)
chat = Chat(Script([("back_before", {}), ("back_after", {})], [("back_before", {})]))
@chat.tool(approve=True)
def back_before() -> str:
    "Returns while there is no connection."
    ran.append("before"); cut(); return "one"
@chat.tool(approve=True)
def back_after() -> str:
    "Returns when there is one again."
    until(False); until(True); ran.append("after"); return "two"
reply = chat.send("go").wait(60)
assert reply.text == "one; two; one", reply.text
assert sorted(ran) == ["after", "before", "before"], ran
print("all well")
""",
    )


def test_more_tools_than_a_model_is_told_of_are_refused_when_they_are_given(
    kernel: RunningKernel,
) -> None:
    outcome = kernel.run(
        """
def made(number):
    def tool() -> None: "Does nothing."
    tool.__name__ = f"tool{number}"
    return tool
Chat("demo/tools", tools=map(made, range(129)))
"""
    )
    assert outcome.error == "BadRequest"
    assert "at most 128 tools" in outcome.message


def test_an_interrupt_of_a_cell_that_waits_for_a_tool_stops_the_run_and_the_tool(
    kernel: RunningKernel,
) -> None:
    run(
        kernel,
        """
ended = threading.Event()
chat = Chat(Script([("slow", {})]))
@chat.tool(approve=True)
async def slow() -> None:
    "Takes for ever."
    print("begun", flush=True)
    try: await asyncio.Event().wait()
    finally: ended.set()
""",
    )
    cell = kernel.start("reply = chat.send('go')\nreply.wait()")
    kernel.until_text(cell, "begun")
    kernel.interrupt()
    assert kernel.result(cell).error == "KeyboardInterrupt"
    assert "True interrupted user" in run(
        kernel, "print(ended.wait(20), reply.wait(20).state, reply.abort_reason)"
    )


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux alone tells when a process ends")
def test_a_kernel_ends_though_a_tool_never_returns(jupyter: JupyterServer) -> None:
    with RunningKernel(jupyter) as made:
        outcome = made.run(
            """
import os, threading
from jupyter_streamchat import Chat, ToolCall
begun = threading.Event()
def script(messages): yield ToolCall("hang")
chat = Chat(script)
@chat.tool(approve=True)
def hang() -> None:
    "Never returns."
    begun.set(); threading.Event().wait()
reply = chat.send("go")
assert begun.wait(20)
print(os.getpid())
"""
        )
        assert outcome.error == "", outcome.message
        ended = os.pidfd_open(int(outcome.text))
        made._client.shutdown()
        assert select.select([ended], [], [], 20)[0], "the kernel still runs"
        os.close(ended)


def test_a_cleared_chats_widget_has_the_tools_at_once(kernel: RunningKernel) -> None:
    assert "all well" in run(
        kernel,
        """
chat = Chat("demo/tools")
@chat.tool(approve=True)
def double(word: str) -> str:
    "Say a word twice."
    return word + word
chat._display_()
chat.clear()
typed = Chat("demo/tools", conversation=chat.conversation)
assert typed.send("double 'ab'").wait().tool_calls[0].output == "abab"
print("all well")
""",
    )
