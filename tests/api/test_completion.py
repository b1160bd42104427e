"""The Tab key finds what a notebook's objects offer, with jedi as notebooks have it."""

from __future__ import annotations

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

from jupyter_streamchat import Chat, Message, Reply, Usage
from jupyter_streamchat.client import RelayClient
from jupyter_streamchat.following import Following
from jupyter_streamchat.recording import Recording


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def completions(shell: InteractiveShell, code: str) -> set[str]:
    shell.Completer.use_jedi = True
    with provisionalcompleter():
        found = list(shell.Completer.completions(code, len(code)))
    return {one.text for one in found if one._origin == "jedi" and not one.text.startswith("_")}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("reply.", Reply),
        ("for delta in reply.", Reply),
        ("await reply.", Reply),
        ("chat.", Chat),
        ("chat.send('x').", Reply),
        ("message.", Message),
        ("usage.", Usage),
    ],
)
def test_everything_public_is_completed(shell: InteractiveShell, code: str, kind: type) -> None:
    client = RelayClient.__new__(RelayClient)
    shell.push(
        {
            "Chat": Chat,
            "chat": Chat(),
            "reply": Reply(client, Following("c"), "r", Recording()),
            "message": Message(id="m", role="user"),
            "usage": Usage(input=1, output=2),
        }
    )
    assert completions(shell, code) >= public(kind)


def test_what_a_person_completes_of_a_reply_is_what_the_guide_names() -> None:
    assert public(Reply) == {
        *("abort_reason", "conversation", "done", "error", "finish_reason", "model", "reasoning"),
        *("run", "state", "stop", "text", "timing", "usage", "wait"),
        *("code", "events", "json", "plot", "to_dataframe", "parts", "rate", "tool_calls"),
    }
