"""Which relay a process uses: its server's, or one of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from jupyter_streamchat import (
    Chat,
    ModelUnknown,
    ProviderAuth,
    RelayNotFound,
    connect,
    discovery,
    openai_client,
    openai_settings,
)
from jupyter_streamchat.loop import background
from tests.api.conftest import KERNEL
from tests.api.fake_relay import FakeRelay
from tests.api.kernel import RunningKernel
from tests.api.test_discovery import write_door
from tests.fakes.jupyter import JupyterServer
from tests.fakes.provider_server import Answer, running_provider_server

VIEW = "application/vnd.jupyter.widget-view+json"


def test_a_kernel_whose_server_has_no_relay_uses_one_of_its_own(kernel: Path) -> None:
    reply = Chat("demo/echo").send("Hello!").wait()
    assert reply.text.endswith("Hello!\n")
    assert connect.own_relay() is not None


def test_a_server_with_a_relay_comes_first(relay: FakeRelay) -> None:
    Chat().send("hi")
    assert relay.next_send().message is not None
    assert connect.own_relay() is None


def test_outside_of_a_kernel_the_relay_is_in_the_process() -> None:
    # A process of its own: this one's modules are loaded.
    code = (
        "import sys\n"
        "from jupyter_streamchat import Chat\n"
        "print(Chat('demo/echo').send('Hello!').wait().text)\n"
        "print({'jupyter_server', 'tornado', 'ipywidgets'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "Hello!" in done.stdout
    assert done.stdout.endswith("set()\n")
    assert done.stderr == ""


def test_keys_and_addresses_are_those_of_the_environment_at_each_use(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = Chat("openai/fake-1")
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    reply = chat.send("hi")
    with pytest.raises(ProviderAuth, match=r"Set OPENAI_API_KEY\.$"):
        reply.wait()
    with running_provider_server() as provider:
        provider.answers.append(Answer(deltas=["It ", "works"]))
        monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-kernel")
        monkeypatch.setenv("OPENAI_BASE_URL", provider.openai_url)
        assert chat.send("hi").wait().text == "It works"
        assert provider.calls[-1].headers["authorization"] == "Bearer sk-from-the-kernel"


def test_chats_share_their_conversation_and_what_was_used(kernel: Path) -> None:
    chat = Chat("demo/echo")
    chat.send("one").wait()
    again = Chat("demo/echo", conversation=chat.conversation)
    assert [message.role for message in again.messages] == ["user", "assistant"]
    used = again.usage().spendings
    assert used.tokens_in_conversation is not None
    assert used.tokens_in_conversation.used == used.tokens_today.used > 0


def test_a_function_answers(kernel: Path) -> None:
    assert Chat(lambda messages: messages[-1].text.upper()).send("loud").wait().text == "LOUD"


def test_an_error_of_the_relay_is_the_replys(kernel: Path) -> None:
    with pytest.raises(ModelUnknown):
        Chat("nobody/none").send("hi").wait()


def test_the_magic_works_in_a_terminal(
    kernel: Path, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell("%%streamchat demo/echo\nAre you there?")
    assert "Are you there?" in capsys.readouterr().out


def test_openais_client_says_that_it_needs_a_server(kernel: Path) -> None:
    for ask in (openai_client, openai_settings):
        with pytest.raises(RelayNotFound, match=r"runs in this kernel.*openai\.OpenAI\(\)"):
            ask()


def test_a_server_that_is_only_away_is_not_replaced(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = kernel / f"streamchat-{os.getppid()}.json"
    monkeypatch.setenv(discovery.DOOR_VARIABLE, str(gone))
    with pytest.raises(RelayNotFound, match="does not answer"):
        Chat().send("hi")


def test_a_server_that_was_there_is_not_replaced(relay: FakeRelay) -> None:
    client = connect.connect()
    assert client.catalog().default == "fake/model"
    relay.path.unlink()
    client.close()
    background().run(asyncio.sleep(0))
    assert not client.usable
    with pytest.raises(RelayNotFound, match="does not answer"):
        Chat().send("hi")


def test_a_door_that_was_inherited_from_elsewhere_is_nobodys(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probes: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            probes.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as other:
        threading.Thread(target=other.serve_forever).start()
        url = f"http://127.0.0.1:{other.server_port}"
        path = write_door(kernel / f"streamchat-{os.getppid()}.json", url=url)
        monkeypatch.setenv(discovery.DOOR_VARIABLE, str(path))
        assert "hi" in Chat("demo/echo").send("hi").wait().text
        other.shutdown()
    assert set(probes) == {f"/streamchat/kernel/{KERNEL}"}


def test_the_environment_can_ask_for_the_servers_relay_or_for_ones_own(
    relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(connect.PLACE_VARIABLE, "kernel")
    assert "hi" in Chat("demo/echo").send("hi").wait().text
    assert not relay.frames
    connect.disconnect()
    monkeypatch.setenv(connect.PLACE_VARIABLE, "server")
    Chat().send("hi")
    assert relay.next_send()


def test_a_real_kernel_shows_the_widget_and_its_interrupt_stops_an_answer(tmp_path: Path) -> None:
    off = {"ServerApp": {"jpserver_extensions": {"streamchat_relay": False}}}
    with JupyterServer(tmp_path, config=off) as server, RunningKernel(server) as kernel:
        outcome = kernel.run("from jupyter_streamchat import Chat\nchat = Chat('demo/slow')\nchat")
        # A kernel without a session's name has another host than Jupyter's pages.
        (shown,) = outcome.data
        assert VIEW in shown
        assert "text/markdown" in shown
        told = kernel.run(
            "import json\n"
            "widget = chat._widget\n"
            "comm = widget.comm\n"
            "comm._reply_subshell_id = 'of-a-cell'\n"
            # An older ipykernel leaves every message where it is addressed to.
            "route = getattr(comm, '_reply_subshell_for', lambda message, address: address)\n"
            "print(json.dumps([widget.relay, len(widget.link) > 20,\n"
            "    route({'content': {'id': 'x'}}, 'as-addressed')]))"
        )
        assert json.loads(told.text) == ["kernel", True, "as-addressed"]
        # A page's message is no cell: figures of one that still runs must not be drawn by it.
        hooked = kernel.run(
            "hits = []\n"
            "get_ipython().events.register('pre_execute', lambda: hits.append(1))\n"
            "link = {'type': 'link', 'link': 'x', 'closed': True}\n"
            "told = {'method': 'custom', 'content': link}\n"
            "comm.handle_msg({'content': {'data': told}, 'buffers': []})\n"
            "print(hits)"
        )
        assert (hooked.error, hooked.text) == ("", "[]\n")
        cell = kernel.start(
            "reply = chat.send('x')\nfor delta in reply: print('[delta]', flush=True)"
        )
        kernel.until_text(cell, "[delta]")
        kernel.interrupt()
        assert kernel.result(cell).error == "KeyboardInterrupt"
        assert kernel.run("print(reply.wait(20).state)").text == "interrupted\n"


@pytest.mark.parametrize(("said", "ran"), [("y", "['a']"), ("", "[]")])
def test_a_cell_asks_by_itself_where_no_click_would_reach_the_kernel_that_waits(
    jupyter: JupyterServer, said: str, ran: str
) -> None:
    with RunningKernel(jupyter) as kernel:
        cell = kernel.start(
            """
import os
os.environ["JUPYTER_STREAMCHAT_RELAY"] = "kernel"
os.environ.pop("JPY_SESSION_NAME", None)  # as in VS Code
from jupyter_streamchat import Chat
removed = []
chat = Chat("demo/tools")
@chat.tool
def remove(path: str) -> str:
    "Remove a file."
    removed.append(path)
    return "removed"
reply = chat.send("remove 'a'").wait()
print(removed)
"""
        )
        asked = kernel._client.get_stdin_msg(timeout=60)["content"]["prompt"]
        assert 'Run remove({"path": "a"})?' in asked
        kernel._client.input(said)
        outcome = kernel.result(cell)
        assert (outcome.error, outcome.text.strip()) == ("", ran)


def test_an_answer_among_many_asks_also_when_later_ones_have_ended(jupyter: JupyterServer) -> None:
    with RunningKernel(jupyter) as kernel:
        cell = kernel.start(
            """
import os
os.environ["JUPYTER_STREAMCHAT_RELAY"] = "kernel"
os.environ.pop("JPY_SESSION_NAME", None)
from jupyter_streamchat import Chat, ToolCall
def model(messages, context):
    last = messages[-1]
    if last.role == "assistant":
        yield last.parts[0].output
    elif last.text == "quick":
        yield "quick"
    else:
        while "done" not in {run.state for run in chat._following.state.runs.values()}:
            context.wait(0.05)
        yield ToolCall("remove", {"path": "a"})
chat = Chat(model)
@chat.tool
def remove(path: str) -> str:
    "Remove a file."
    return "removed " + path
chat.messages
print([reply.text for reply in chat.map(["slow", "quick"], progress=False)])
"""
        )
        assert "Run remove" in kernel._client.get_stdin_msg(timeout=30)["content"]["prompt"]
        kernel._client.input("y")
        outcome = kernel.result(cell)
        assert (outcome.error, outcome.text.strip()) == ("", "['removed a', 'quick']")
