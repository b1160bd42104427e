"""Your own functions as models, and cassettes, in a real kernel through a real relay."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.kernel import RunningKernel
from tests.fakes.jupyter import JupyterServer


@pytest.fixture(scope="module")
def kernel(jupyter: JupyterServer) -> Iterator[RunningKernel]:
    with RunningKernel(jupyter) as made:
        outcome = made.run(
            """
import asyncio, pathlib, tempfile, threading, time
from jupyter_streamchat import *
from jupyter_streamchat import Context, Ended, Thought
where = pathlib.Path(tempfile.mkdtemp())
"""
        )
        assert outcome.error == "", outcome.message
        yield made


def run(kernel: RunningKernel, code: str) -> str:
    outcome = kernel.run(code)
    assert outcome.error == "", outcome.message
    return outcome.text


def test_functions_of_every_kind_answer(kernel: RunningKernel) -> None:
    assert "all well" in run(
        kernel,
        """
def plain(messages): return "plain " + messages[-1].text
def parts(messages):
    yield Thought("hm"); yield "a"; yield "b"; yield Ended("length", Usage(input=1, output=2))
async def waits(messages): await asyncio.sleep(0); return "waited"
async def streams(messages, context):
    for word in ("x", "y"):
        await asyncio.sleep(0); yield word + str(context.params.get("temperature", ""))
class Callable_:
    def __call__(self, messages): return "an object"
assert Chat(plain).send("hi").wait().text == "plain hi"
reply = Chat(parts).send("hi").wait()
assert (reply.text, reply.reasoning, reply.finish_reason) == ("ab", "hm", "length")
assert reply.usage == Usage(input=1, output=2) and list(reply) == ["a", "b"]
assert Chat(waits).send("hi").wait().text == "waited"
assert Chat(streams).send("hi", temperature=1).wait().text == "x1y1"
assert Chat(Callable_()).send("hi").wait().text == "an object"
class Word(str): pass
assert Chat(lambda messages: Word("a kind of str")).send("hi").wait().text == "a kind of str"
chat = Chat(lambda messages: f"{len(messages)} messages")
assert [chat.send("a").wait().text, chat.send("b").wait().text] == ["1 messages", "3 messages"]
assert chat.fork().send("c").wait().text == "5 messages"
assert chat.model.startswith("kernel/") and chat.messages[-1].role == "assistant"
print("all well")
""",
    )


def test_stop_reaches_a_function_that_sleeps_and_one_that_waits(kernel: RunningKernel) -> None:
    assert "all well" in run(
        kernel,
        """
ended = threading.Event()
def endless(messages, context):
    try:
        while True:
            yield "."
            if context.wait(0.01):
                return
    finally:
        ended.set()
reply = Chat(endless).send("go")
next(iter(reply))
reply.stop()
assert reply.wait(20).state == "interrupted"
assert ended.wait(20)
closed = threading.Event()
async def forever(messages):
    try:
        yield "."
        await asyncio.Event().wait()
    finally:
        closed.set()
reply = Chat(forever).send("go")
next(iter(reply))
reply.stop()
assert reply.wait(20).state == "interrupted" and closed.wait(20)
print("all well")
""",
    )


def test_a_client_that_keeps_its_connection_serves_one_answer_after_the_other(
    kernel: RunningKernel,
) -> None:
    assert "all well" in run(
        kernel,
        """
client = async_openai_client()
async def asks(messages):
    asked = [{"role": "user", "content": messages[-1].text}]
    stream = await client.chat.completions.create(model="demo/echo", messages=asked, stream=True)
    async for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            yield chunk.choices[0].delta.content
chat = Chat(asks)
for word in ("first", "second", "third"):
    assert word in chat.send(word).wait().text
assert "fourth" in Chat(asks).send("fourth").wait().text
print("all well")
""",
    )


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (
            "def f(messages):\n    yield 'some'\n    return 1 / 0",
            "ZeroDivisionError: division by zero (in f, line 3)",
        ),
        ("def f(messages):\n    yield 'some'\n    yield 3", "yours gave a int"),
        (
            "def f(messages):\n    yield 'some'\n    raise BadRequest('My own words.')",
            "My own words.",
        ),
        ("async def f(messages):\n    yield 'some'\n    raise KeyError('k')", "KeyError: 'k'"),
    ],
)
def test_a_function_that_fails_says_where_and_what_came_stays(
    kernel: RunningKernel, function: str, words: str
) -> None:
    run(kernel, function)
    text = run(
        kernel,
        """
reply = Chat(f).send("hi")
try:
    reply.wait()
except StreamChatError as error:
    print(error.message)
print("kept:", reply.text)
""",
    )
    assert words in text
    assert "kept: some" in text


def test_a_function_with_the_wrong_parameters_is_refused_at_once(kernel: RunningKernel) -> None:
    outcome = kernel.run("Chat(lambda: 'no messages')")
    assert outcome.error == "BadRequest"
    assert "takes the messages" in outcome.message


def test_a_model_whose_kernel_is_gone_is_named_and_a_running_answer_ends(
    jupyter: JupyterServer, kernel: RunningKernel
) -> None:
    with RunningKernel(jupyter) as other:
        outcome = other.run(
            """
from jupyter_streamchat import Chat
def slow(messages, context):
    yield "some"
    context.wait(60)
chat = Chat(slow)
reply = chat.send("hi")
print(next(iter(reply)), chat.model, chat.conversation)
"""
        )
        _, model, conversation = outcome.text.split()
        run(kernel, f"theirs = Chat(conversation={conversation!r})\ntheirs.messages")
    text = run(
        kernel,
        f"""
(run,) = theirs._following.state.runs.values()
while (record := theirs._following.state.runs[run.id]).state not in ("error", "interrupted"):
    time.sleep(0.05)
print(record.state, record.error.code, theirs.messages[-1].text)
try:
    theirs.send("again", model={model!r}).wait()
except StreamChatError as error:
    print(error.code, error.message)
""",
    )
    assert "error truncated some" in text
    assert "model_unknown The model 'slow-" in text


def test_a_cassette_plays_the_same_deltas_thoughts_and_errors_again(
    kernel: RunningKernel,
) -> None:
    assert "all well" in run(
        kernel,
        """
path = where / "demo.jsonl"
def model(messages):
    yield Thought("let me see")
    for word in ("one ", "two ", "three"):
        yield word
    yield Ended("stop", Usage(input=3, output=3))
def broken(messages):
    yield "so far"
    raise BadRequest("No more.")
chat = Chat(model)
chat.record(path)
first = chat.send("count").wait()
second = chat.send("count again").wait()
failing = Chat(broken); failing.record(path)
try:
    failing.send("fail").wait()
except BadRequest:
    pass
played = Chat.replay(path, speed=float("inf"))
again = played.send("whatever").wait()
assert list(again) == list(first) and again.reasoning == first.reasoning
assert again.usage == first.usage and again.finish_reason == "stop"
assert list(played.send("next").wait()) == list(second)
third = played.send("third")
try:
    third.wait()
    raise AssertionError("it should have failed")
except BadRequest as error:
    assert error.message == "No more." and third.text == "so far"
try:
    played.send("fourth").wait()
except BadRequest as error:
    assert "has 3 answers" in error.message, error.message
played.clear()
assert played.send("from the start").wait().text == first.text
print("all well")
""",
    )


def test_a_recorded_stop_plays_as_a_stop(kernel: RunningKernel) -> None:
    assert "all well" in run(
        kernel,
        """
path = where / "stopped.jsonl"
def endless(messages, context):
    yield "one "
    yield "two "
    context.wait(60)
chat = Chat(endless)
chat.record(path)
first = chat.send("go")
deltas = iter(first)
while first.text != "one two ":
    next(deltas)
first.stop()
first.wait()
played = Chat.replay(path, speed=float("inf"))
again = played.send("whatever").wait()
assert (again.state, again.abort_reason, again.text) == ("interrupted", "user", "one two ")
assert again.finish_reason is None and again.error is None
*_, end = again.events()
assert end.reason == "user"
(record,) = played._following.state.runs.values()
assert (record.state, record.abort_reason) == ("interrupted", "user")
assert "Stopped" in played._repr_mimebundle_()["text/markdown"]
print("all well")
""",
    )


def test_an_answer_that_was_recorded_again_plays_again_and_what_follows_in_its_place(
    kernel: RunningKernel,
) -> None:
    assert "all well" in run(
        kernel,
        """
path = where / "regenerated.jsonl"
numbers = iter("123")
chat = Chat(lambda messages: next(numbers))
chat.record(path)
chat.send("one").wait()
chat.regenerate().wait()
chat.send("two").wait()
played = Chat.replay(path, speed=float("inf"))
assert played.send("one").wait().text == "1"
assert played.regenerate().wait().text == "2"
assert played.regenerate().wait().text == "2"
assert played.send("two").wait().text == "3"
played.clear()
assert played.send("one").wait().text == "1"
assert played.send("two").wait().text == "3"
print("all well")
""",
    )


def test_a_recorded_end_of_a_budget_raises_again(kernel: RunningKernel) -> None:
    assert "all well" in run(
        kernel,
        """
path = where / "budget.jsonl"
chat = Chat("demo/fast", budget=200)
chat.record(path)
try:
    chat.send("Explain").wait()
    raise AssertionError("it should have been ended")
except BudgetExhausted:
    pass
again = Chat.replay(path, speed=float("inf")).send("Explain")
try:
    again.wait()
    raise AssertionError("it should have been ended")
except BudgetExhausted:
    assert again.abort_reason == "budget"
print("all well")
""",
    )


def test_a_cassette_keeps_its_pace_and_can_be_stopped(kernel: RunningKernel) -> None:
    assert "all well" in run(
        kernel,
        """
from jupyter_streamchat.cassette import Cassette, Take, append
from streamchat_relay.model import TextDelta
path = where / "slow.jsonl"
said = [TextDelta(run="r", t=t, part="1", delta=f"{t}") for t in (0, 400, 10**7)]
append(path, Take("p", "m", tuple(said)))
reply = Chat.replay(path, speed=4).send("go")
deltas = iter(reply)
next(deltas)
begun = time.monotonic()
next(deltas)
# Not before its time; later it may be, on a busy machine.
assert time.monotonic() - begun > 0.05
reply.stop()
assert reply.wait(20).state == "interrupted"
print("all well")
""",
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        ("", "is empty"),
        ("{}", "answer 1 is damaged"),
        ("no JSON", "answer 1 is damaged"),
        ('{"prompt":"\xff"}', "answer 1 is damaged"),
    ],
)
def test_a_file_that_is_no_cassette_is_refused(
    kernel: RunningKernel, content: str | None, words: str
) -> None:
    written = "" if content is None else f".write_bytes({content.encode('latin-1')!r})"
    name = "nothing.jsonl" if content is None else "bad.jsonl"
    outcome = kernel.run(f"path = where / {name!r}\npath{written}\nChat.replay(path)")
    assert outcome.error == "BadRequest"
    assert words in outcome.message


def test_a_cassette_plays_tool_calls_and_their_results_without_the_tools(
    kernel: RunningKernel,
) -> None:
    assert "all well" in run(
        kernel,
        """
runs = []
chat = Chat("demo/tools")
@chat.tool(approve=True)
def weather(city: str) -> dict:
    "The weather."
    runs.append(city)
    if city == "nowhere": raise LookupError("no such city")
    return {"city": city}
path = where / "tools.jsonl"
chat.record(path)
first = chat.send("weather in 'Oslo'").wait()
second = chat.send("weather in 'nowhere'").wait()
player = Chat.replay(path, speed=float("inf"))
for recorded in (first, second):
    played = player.send("whatever").wait()
    facts = [(c.name, c.input, c.output, c.error, c.state) for c in recorded.tool_calls]
    assert [(c.name, c.input, c.output, c.error, c.state) for c in played.tool_calls] == facts
    assert played.text == recorded.text
assert runs == ["Oslo", "nowhere"]
print("all well")
""",
    )
