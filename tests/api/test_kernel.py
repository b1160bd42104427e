"""The whole of the kernel's half in a real kernel of a real Jupyter server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth.security import passwd

from jupyter_streamchat.magic import PROVIDERS, STOPPED
from streamchat_relay.providers.registry import ProviderRegistry
from tests.api.kernel import Outcome, RunningKernel
from tests.fakes.jupyter import JupyterServer

VIEW = "application/vnd.jupyter.widget-view+json"
pytestmark = pytest.mark.timeout(90)


PASSWORD = "a password"


@pytest.fixture(scope="module")
def password_only(
    jupyter: JupyterServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JupyterServer]:
    """A server without a token, which keeps its files where `jupyter` does: they are one user's."""
    with JupyterServer(
        tmp_path_factory.mktemp("password"),
        token="",
        config={"PasswordIdentityProvider": {"hashed_password": passwd(PASSWORD, "sha1")}},
        environ={"JUPYTER_RUNTIME_DIR": str(jupyter.runtime_dir)},
    ) as server:
        yield server


@pytest.fixture(scope="module")
def shared(jupyter: JupyterServer) -> Iterator[RunningKernel]:
    with RunningKernel(jupyter) as kernel:
        assert (
            kernel.run("%load_ext jupyter_streamchat\nfrom jupyter_streamchat import *").error == ""
        )
        yield kernel


def test_a_reply_is_iterated_sync_and_async_in_a_cell(shared: RunningKernel) -> None:
    outcome = shared.run(
        "chat = Chat('demo/echo')\n"
        "for delta in chat.send('one'): print(delta, end='')\n"
        "async for delta in chat.send('two'): print(delta, end='')\n"
        "print((await chat.send('three')).text)\n"
        "print(len(chat.messages))"
    )
    assert outcome.error == ""
    for word in ("one", "two", "three"):
        assert f"\n\n{word}\n" in outcome.text
    assert outcome.text.endswith("6\n")


def test_an_interrupt_in_a_for_loop_stops_the_run_and_keeps_the_text(
    shared: RunningKernel,
) -> None:
    cell = shared.start(
        "reply = Chat('demo/fast').send('x')\nfor delta in reply: print('[delta]', flush=True)"
    )
    shared.until_text(cell, "[delta]")
    shared.interrupt()
    assert shared.result(cell).error == "KeyboardInterrupt"
    outcome = shared.run(
        "print(reply.wait(20).state, reply.finish_reason, len(reply.text) > 0, reply.done)"
    )
    assert outcome.text == "interrupted None True True\n"


def test_an_interrupt_in_an_async_for_loop_stops_the_run(shared: RunningKernel) -> None:
    cell = shared.start(
        "reply = Chat('demo/fast').send('x')\n"
        "async for delta in reply: print('[delta]', flush=True)"
    )
    shared.until_text(cell, "[delta]")
    shared.interrupt()
    assert shared.result(cell).error in {"CancelledError", "KeyboardInterrupt"}
    assert shared.run("print(reply.wait(20).state)").text == "interrupted\n"


def test_an_interrupt_on_a_silent_stream_is_noticed(shared: RunningKernel) -> None:
    # Nothing has come of the second prompt: it waits behind the first.
    cell = shared.start(
        "chat = Chat('demo/slow')\n"
        "first, reply = chat.send('x'), chat.send('y')\n"
        # Told from within the loop: the interrupt must not come before it.
        "def wait(position, timeout, wait=reply._recording.wait):\n"
        "    print('waiting', flush=True)\n"
        "    wait(position, timeout)\n"
        "reply._recording.wait = wait\n"
        "for delta in reply: pass"
    )
    shared.until_text(cell, "waiting")
    shared.interrupt()
    assert shared.result(cell).error == "KeyboardInterrupt"
    outcome = shared.run("print(reply.wait(20).state, first.done)\nfirst.stop()")
    assert outcome.text == "interrupted False\n"


def shown(kernel: RunningKernel, code: str) -> tuple[Outcome, Outcome]:
    """What a cell shows at first, and what becomes of it."""
    cell = kernel.start(code)
    first, later = Outcome(), Outcome()
    seen: list[str] = []

    def ended(kind: str, content: dict[str, object]) -> bool:
        seen.append("idle" if content.get("execution_state") == "idle" else kind)
        return "idle" in seen and "update_display_data" in seen

    kernel.follow(cell, first, until=lambda kind, _: kind == "display_data")
    kernel.follow(cell, later, until=ended)
    return first, later


def test_a_reply_as_the_last_line_streams_and_ends_as_markdown(shared: RunningKernel) -> None:
    first, later = shown(shared, "Chat('demo/fast').send('x', max_tokens=150)")
    [output] = first.outputs
    assert "was saved while the answer was written" in output["data"]["text/markdown"]
    final = later.updates[output["transient"]["display_id"]]
    assert set(final) == {"text/plain", "text/markdown"}
    assert "**built-in demo**" in final["text/markdown"]
    assert "demo/fast" in final["text/markdown"]


def test_an_answer_that_was_cut_off_still_says_so_when_it_is_saved(shared: RunningKernel) -> None:
    _, later = shown(shared, "Chat('demo/fast').send('x', max_tokens=150)")
    [final] = later.updates.values()
    assert "<small>Cut off at the model\u2019s length limit · demo/fast" in final["text/markdown"]
    assert final["text/plain"].endswith("[Cut off at the model\u2019s length limit]")


def test_a_reply_that_has_ended_is_shown_without_a_widget(shared: RunningKernel) -> None:
    outcome = shared.run("Chat('demo/echo').send('x').wait()")
    assert set(outcome.data[0]) == {"text/plain", "text/markdown"}
    outcome = shared.run("Chat('nope/none').send('x')")
    assert set(outcome.data[0]) == {"text/plain", "text/markdown"}
    assert "nope" in outcome.data[0]["text/markdown"]


def test_the_final_markdown_comes_while_the_kernel_is_busy(shared: RunningKernel) -> None:
    cell = shared.start(
        "from IPython.display import display\n"
        "import threading\n"
        "reply = Chat('demo/echo').send('busy')\n"
        "display(reply)\n"
        "threading.Event().wait()"
    )
    outcome = Outcome()
    shared.follow(cell, outcome, until=lambda kind, _: kind == "update_display_data")
    shared.interrupt()
    assert "busy" in next(iter(outcome.updates.values()))["text/markdown"]
    assert shared.result(cell).error == "KeyboardInterrupt"


def test_the_cell_magic_streams_waits_and_gives_the_reply(shared: RunningKernel) -> None:
    prompt = "Keep {this} and {0} and $HOME and { {that} }"
    outcome = shared.run(f"%%streamchat demo/echo\n{prompt}")
    assert outcome.error == ""
    assert len(outcome.outputs) == 1
    assert shared.run("print(_.text, _.done)").text.endswith(f"{prompt}\n True\n")


def test_the_line_magic_leaves_braces_and_question_marks_alone(shared: RunningKernel) -> None:
    shared.run("%%streamchat demo/echo\nfirst")
    outcome = shared.run("x = 1\n%streamchat What is {x} in $x?\nprint('after')")
    assert outcome.error == ""
    assert "after" in outcome.text
    assert (
        shared.run("reply = %streamchat Named {y}\nprint(reply.text)")
        .text.rstrip()
        .endswith("Named {y}")
    )
    chat = shared.run(
        "chat = %streamchat\nprint([m.text for m in chat.messages if m.role == 'user'])"
    )
    assert "'What is {x} in $x?', 'Named {y}'" in chat.text


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("%%streamchat\n", "is empty"),
        ("%%streamchat demo/echo\n  \n", "cell is empty"),
        ("%%streamchat please explain\nthis", "no model"),
        ("%%streamchat fast\nthis", "provider/model"),
        ("%streamchat demo/echo", "write `%%streamchat demo/echo` and the prompt below it"),
    ],
)
def test_a_magic_that_cannot_be_done_says_why(shared: RunningKernel, cell: str, says: str) -> None:
    outcome = shared.run(cell)
    assert outcome.text.startswith("UsageError: ")
    assert says in outcome.text


def failed(kernel: RunningKernel, cell: str, outcome: Outcome) -> list[str]:
    """Wait until a cell is done; returns the traceback that it shows."""
    traceback: list[str] = []

    def idle(_kind: str, content: dict[str, Any]) -> bool:
        traceback.extend(content.get("traceback", ()))
        return content.get("execution_state") == "idle"

    kernel.follow(cell, outcome, until=idle)
    return traceback


def test_what_goes_wrong_in_a_magic_is_said_once_in_one_line(shared: RunningKernel) -> None:
    outcome = Outcome()
    traceback = failed(shared, shared.start("%%streamchat nope/none\nthis"), outcome)
    assert outcome.error == "ModelUnknown"
    assert traceback == [f"ModelUnknown: {outcome.message}"]
    told = json.dumps([outcome.data, list(outcome.updates.values()), outcome.text])
    assert "nope" not in told


def test_words_with_a_slash_are_a_prompt_unless_they_name_a_model(shared: RunningKernel) -> None:
    shared.run("%%streamchat demo/echo\nfirst")
    for prompt in ("and/or", "demo/echo is a model", "demo/"):
        assert shared.run(f"reply = %streamchat {prompt}\nprint(reply.text)").error == ""
    registry = ProviderRegistry(environ={})
    for provider in PROVIDERS:
        assert registry.resolve(f"{provider}/x")[1] == "x"


def test_an_interrupt_stops_the_magics_run(shared: RunningKernel) -> None:
    cell = shared.start("%%streamchat demo/slow\nx")
    outcome = Outcome()
    shared.follow(cell, outcome, until=lambda kind, _: kind == "display_data")
    shared.interrupt()
    traceback = failed(shared, cell, outcome)
    assert (outcome.error, traceback) == ("KeyboardInterrupt", [STOPPED])
    state = shared.run("chat = %streamchat\nchat.send('z', model='demo/echo').wait(20).state")
    assert state.data[0]["text/plain"] == "'done'"


def test_the_chat_shows_itself(shared: RunningKernel) -> None:
    outcome = shared.run("%streamchat")
    assert outcome.error == ""
    assert "text/markdown" in outcome.data[0]


@pytest.fixture
def bundled(shared: RunningKernel, tmp_path: Path) -> None:
    """Any bundle, since the kernel only hands it on."""
    (tmp_path / "widget.js").write_text("export default { render() {} }", "utf-8")
    (tmp_path / "widget.css").write_text("", "utf-8")
    outcome = shared.run(
        "import pathlib, jupyter_streamchat.widget as widget_module\n"
        f"widget_module.STATIC = pathlib.Path({str(tmp_path)!r})\n"
        "widget_module._bundle.cache_clear()"
    )
    assert outcome.error == ""


def test_the_conversations_are_listed_opened_and_paged(shared: RunningKernel) -> None:
    outcome = shared.run(
        """
chats = [Chat("demo/echo") for _ in range(3)]
for number, chat in enumerate(chats):
    chat.send(f"**Number** {number} | of\\n three").wait()
chats[0].send("once more").wait()
listed = Chat.list(limit=2)
print([one.title for one in listed], [one.messages for one in listed], listed.more)
print(listed[0].open().messages == chats[0].messages, listed[0].model)
older = Chat.list(limit=2, before=listed[-1])
print(older[0].title, older[0].id == chats[1].conversation)
print(repr(listed))
listed
"""
    )
    assert outcome.error == "", outcome.message
    titles = "['**Number** 0 | of', '**Number** 2 | of'] [4, 2] True"
    lines = outcome.text.splitlines()
    assert lines[:3] == [titles, "True demo/echo", "**Number** 1 | of True"]
    assert lines[3].split() == ["last", "used", "messages", "model", "title"]
    assert lines[4].endswith("demo/echo  **Number** 0 | of")
    (data,) = outcome.data
    first = data["text/markdown"].splitlines()[2]
    assert first.startswith("| 0 | &#42;&#42;Number&#42;&#42; 0 &#124; of | ")
    assert "Chat.list(before=" in data["text/markdown"]
    assert "Chat.list(before=" in data["text/plain"]


def test_a_conversation_is_named_rated_searched_deleted_and_restored(
    shared: RunningKernel,
) -> None:
    outcome = shared.run(
        """
from streamchat_relay.model import NotFound
chat = Chat("demo/echo")
reply = chat.send("Of the Xylophône").wait()
reply.rate("down")
chat.title = " Some  music "
(found,) = Chat.list("xylophone")
print(found.id == chat.conversation, found.title, found.found, chat.title)
print(chat._state().runs[reply.run].feedback)
other = found.open()
print(len(other.messages))
long = chat.send("And more, at length", model="demo/slow")
next(iter(long))
chat.delete()
try:
    long.wait()
except NotFound as error:
    print(error)
print(Chat.list("xylophone"))
for use in (lambda: other.messages, lambda: chat.send("x").wait(), lambda: found.open().messages):
    try:
        use()
        print("nothing happened")
    except NotFound as error:
        print(error.code)
found.restore()
print(len(chat.messages), len(other.messages), chat.messages[-1].role)
print(chat.send("Goes on").wait().state)
"""
    )
    assert outcome.error == "", outcome.message
    assert outcome.text.splitlines() == [
        "True Some music Of the Xylophône Some music",
        "down",
        "2",
        "This conversation was deleted. Begin a new one: `chat.clear()`.",
        "No conversations yet.",
        "not_found",
        "not_found",
        "not_found",
        "4 4 assistant",
        "done",
    ]


def test_a_chat_keeps_to_its_own_budget_and_goes_on_when_it_is_raised(
    shared: RunningKernel,
) -> None:
    outcome = shared.run(
        """
from jupyter_streamchat.widget import StreamChatWidget
chat = Chat("demo/fast", budget=200)
reply = chat.send("Explain")
try:
    reply.wait()
except BudgetExhausted as error:
    print(error.message)
print(reply.state, reply.abort_reason, len(reply.text) > 100)
used = chat.usage()
print(used)
try:
    chat.send("More").wait()
except BudgetExhausted as error:
    print(error.message)
view, plain = chat._repr_mimebundle_(), repr(chat)
print(chat._widget.params, chat.fork().budget, Chat.from_dict(chat.to_dict()).budget)
chat.budget = 50_000
print(chat._widget.params, chat.send("Go on", max_tokens=100).wait().state)
chat.budget = None
print(chat._widget.params, chat.usage().left)
"""
    )
    assert outcome.error == "", outcome.message
    lines = outcome.text.splitlines()
    assert "`chat.budget = …` raises the chat's own" in lines[0]
    assert lines[1] == "interrupted budget True"
    told = [line for line in lines if line.endswith("tokens left of this chat's own budget")]
    assert re.fullmatch(r"\d+ of 200 tokens left of this chat's own budget", told[0])
    assert any("of the 200 tokens of its own budget" in line for line in lines)
    assert lines[-3:] == [
        "{'budget_tokens': 200} 200 200",
        "{'budget_tokens': 50000} done",
        "{} None",
    ]


@pytest.mark.parametrize("wrong", ["-1", "'20'", "1.5", "True"])
def test_a_budget_that_is_no_number_of_tokens_is_refused(shared: RunningKernel, wrong: str) -> None:
    outcome = shared.run(f"Chat(budget={wrong})")
    assert outcome.error == "BadRequest"
    assert "whole number of tokens" in outcome.message


@pytest.mark.parametrize("wrong", ["limit=0", "limit=1001", "limit='x'", "before='x'"])
def test_a_list_that_cannot_be_says_what_can(shared: RunningKernel, wrong: str) -> None:
    outcome = shared.run(f"Chat.list({wrong})")
    assert outcome.error == "BadRequest"
    assert "must be" in outcome.message


@pytest.mark.usefixtures("bundled")
def test_the_widget_is_gone_from_the_final_output(shared: RunningKernel) -> None:
    first, later = shown(shared, "Chat('demo/fast').send('x', max_tokens=150)")
    [output] = first.outputs
    assert VIEW in output["data"]
    assert "text/markdown" in output["data"]
    final = later.updates[output["transient"]["display_id"]]
    assert set(final) == {"text/plain", "text/markdown"}


VIEWS = """
from jupyter_streamchat.widget import chat_widget
def told(*messages):
    widget = chat_widget("c", run="r")
    for message in messages:
        if message == "over":
            widget.release()
        else:
            widget._handle_custom_msg({"type": message}, [])
    return widget.comm is None
"""


@pytest.mark.usefixtures("bundled")
@pytest.mark.parametrize(
    ("messages", "closed"),
    [
        (["shown", "over", "gone"], True),
        (["shown", "gone", "over"], True),
        (["shown", "shown", "over", "gone"], False),
        (["shown", "shown", "over", "gone", "gone"], True),
        (["shown", "gone"], False),
        (["shown", "over", "else"], False),
        (["over"], False),
    ],
)
def test_the_widget_of_an_ended_reply_stays_while_a_page_shows_it(
    shared: RunningKernel, messages: list[str], closed: bool
) -> None:
    assert shared.run(f"{VIEWS}print(told(*{messages!r}))").text == f"{closed}\n"


@pytest.mark.usefixtures("bundled")
def test_the_widget_is_told_what_to_show_and_no_secret(shared: RunningKernel) -> None:
    outcome = shared.run(
        "import json\n"
        "chat = Chat('demo/echo', system='Be brief.', params={'temperature': 0})\n"
        "bundle = chat._repr_mimebundle_()\n"
        "again = chat._repr_mimebundle_()\n"
        "state = chat._widget.get_state()\n"
        "names = ('conversation', 'run', 'model', 'params')\n"
        "print(json.dumps([state[name] for name in names]))\n"
        f"print(bundle['{VIEW}'] == again['{VIEW}'], chat.conversation)"
    )
    told, facts = outcome.text.splitlines()
    same, conversation = facts.split()
    assert same == "True"
    params = {"temperature": 0, "system": "Be brief."}
    assert json.loads(told) == [conversation, "", "demo/echo", params]


def test_an_error_of_the_run_is_shown_in_words(shared: RunningKernel) -> None:
    outcome = shared.run("Chat('nope/none').send('x').wait()")
    assert outcome.error == "ModelUnknown"


SCRUB = """
import os
for name in list(os.environ):
    if name.startswith(("JUPYTER_STREAMCHAT", "JPY_")):
        del os.environ[name]
os.environ["HTTP_PROXY"] = os.environ["ALL_PROXY"] = "http://127.0.0.1:9"
"""
ASK = """
from jupyter_streamchat import Chat
print(Chat("demo/echo").send("found").wait().text)
"""


@pytest.mark.parametrize("before", ["", SCRUB], ids=["as it is", "scrubbed environment"])
def test_a_kernel_finds_its_server_among_two(
    jupyter: JupyterServer, password_only: JupyterServer, before: str
) -> None:
    assert len(list(jupyter.runtime_dir.glob("streamchat-*.json"))) >= 2
    for server, password in ((jupyter, ""), (password_only, PASSWORD)):
        with RunningKernel(server, password=password) as kernel:
            outcome = kernel.run(before + ASK)
            assert outcome.text.rstrip().endswith("found"), (outcome, server.log)
