"""What the server writes into a notebook that it saves, and what it leaves alone."""

from __future__ import annotations

import asyncio
import copy
import getpass
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from streamchat_relay.hosts.saving import Saving
from streamchat_relay.model import Conversation, Message, TextPart
from streamchat_relay.model.transcript import NOTED
from tests.fakes.jupyter import JupyterServer

PROMPT = Message(id="1", role="user", parts=(TextPart(id="1", text="the newest"),))


def output(metadata: Any) -> dict[str, Any]:
    return {
        "output_type": "display_data",
        "data": {"text/markdown": "old", "text/plain": "old"},
        "metadata": metadata,
    }


def notebook(*outputs: dict[str, Any], trusted: bool = True, kind: str = "code") -> dict[str, Any]:
    metadata = {"trusted": True} if trusted else {}
    cell = {"cell_type": kind, "metadata": metadata, "source": "", "outputs": list(outputs)}
    if kind == "code":
        cell["execution_count"] = 1
    return {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}


def known(conversation: str) -> Conversation | None:
    return Conversation(messages=(PROMPT,)) if conversation == "c1" else None


MINE = output({NOTED: {"conversation": "c1"}, "other": 1})


def test_a_chat_in_a_trusted_cell_is_brought_up_to_date() -> None:
    content = notebook(copy.deepcopy(MINE))
    Saving(known).write(model={"type": "notebook", "content": content}, path="x")
    (written,) = content["cells"][0]["outputs"]
    assert "the newest" in written["data"]["text/markdown"]
    assert "the newest" in written["data"]["text/plain"]
    assert written["metadata"] == MINE["metadata"]


@pytest.mark.parametrize(
    "content",
    [
        notebook(MINE, trusted=False),
        notebook(output({NOTED: {"conversation": "c2"}})),
        notebook(output({NOTED: {"conversation": ["c1"]}})),
        notebook(output({NOTED: "c1"})),
        notebook(output({})),
        notebook({"output_type": "stream", "name": "stdout", "text": "x"}),
        notebook(MINE, kind="markdown"),
        None,
        "a chunk",
        {"worksheets": [{"cells": [{"cell_type": "code", "outputs": [MINE]}]}], "nbformat": 3},
        {"cells": None},
        {"cells": ["x", None, {"cell_type": "code", "metadata": [1], "outputs": [MINE]}]},
        {"cells": [{"cell_type": "code", "metadata": {"trusted": True}, "outputs": None}]},
        notebook({"metadata": None}, {"metadata": {NOTED: {"conversation": "c1"}}}),
        notebook({**MINE, "data": "x"}),
    ],
    ids=[
        "untrusted",
        "unknown",
        "no id",
        "no object",
        "unmarked",
        "stream",
        "text",
        "none",
        "raw",
        "nbformat 3",
        "no cells",
        "odd cells",
        "no outputs",
        "no data",
        "odd data",
    ],
)
def test_nothing_else_is_touched(content: Any) -> None:
    before = copy.deepcopy(content)
    Saving(known).write(model={"type": "notebook", "content": content}, path="x")
    assert content == before


def test_a_chat_that_is_shown_often_is_written_out_once() -> None:
    asked: list[str] = []

    def counted(conversation: str) -> Conversation | None:
        asked.append(conversation)
        return known(conversation)

    content = notebook(*(copy.deepcopy(MINE) for _ in range(100)))
    Saving(counted).write(model={"type": "notebook", "content": content}, path="x")
    assert asked == ["c1"]
    outputs = content["cells"][0]["outputs"]
    assert all("the newest" in written["data"]["text/plain"] for written in outputs)


async def saved(server: JupyterServer, content: dict[str, Any]) -> dict[str, Any]:
    """The notebook as it is read after it was written."""
    request = urllib.request.Request(
        f"{server.url}api/contents/saving.ipynb",
        data=json.dumps({"type": "notebook", "content": content}).encode(),
        headers={"Authorization": f"token {server.token}"},
        method="PUT",
    )
    (await asyncio.to_thread(urllib.request.urlopen, request)).close()
    read: dict[str, Any] = server.get("api/contents/saving.ipynb?content=1")["content"]
    return read


def transcript(content: dict[str, Any]) -> str:
    return str(content["cells"][0]["outputs"][0]["data"]["text/markdown"])


async def test_the_server_writes_what_is_open_and_not_what_a_stranger_names(
    jupyter: JupyterServer,
) -> None:
    async with await jupyter.socket() as socket:
        await socket.ask(type="open", conversation="saving1")
        await socket.prompt("saving1", "saving1-r", "what was said", model="demo/echo")
        await socket.until_event("finish", run="saving1-r")
        for trusted in (True, False):
            content = notebook(output({NOTED: {"conversation": "saving1"}}), trusted=trusted)
            written = await saved(jupyter, content)
            assert ("what was said" in transcript(written)) is trusted


CLASSES = """
from jupyter_server.auth import IdentityProvider, User
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

class Names(IdentityProvider):
    def get_user(self, handler):
        handler._token_authenticated = True
        return User(self.get_token(handler))

class Contents(AsyncLargeFileManager):
    def __init__(self, **options):
        super().__init__(**options)
        self.pre_save_hook = hook

def hook(model, **_):
    if model["type"] == "notebook":
        model["content"]["metadata"]["hooked"] = True
"""


async def test_who_saves_gets_what_is_theirs_and_other_hooks_go_on(tmp_path: Path) -> None:
    (tmp_path / "classes.py").write_text(CLASSES)
    owner = getpass.getuser()
    config = {
        "ServerApp": {
            "identity_provider_class": "classes.Names",
            "contents_manager_class": "classes.Contents",
        },
        "Names": {"token": "unused"},
    }
    environ = {"PYTHONPATH": str(tmp_path)}
    with JupyterServer(tmp_path, token=owner, config=config, environ=environ) as server:
        sockets = []
        for name in (owner, "bob"):
            headers = {"Authorization": f"token {name}"}
            socket = await server.socket(additional_headers=headers)
            sockets.append(socket)
            await socket.ask(type="open", conversation="c1")
            await socket.prompt("c1", f"{name}-r", f"said by {name}", model="demo/echo")
            await socket.until_event("finish", run=f"{name}-r")
        for name, expected in ((owner, f"said by {owner}"), ("bob", "said by bob"), ("eve", "old")):
            server.token = name
            written = await saved(server, notebook(output({NOTED: {"conversation": "c1"}})))
            assert expected in transcript(written)
            assert {word for word in (owner, "bob") if f"said by {word}" in str(written)} <= {name}
            assert written["metadata"]["hooked"]
        for socket in sockets:
            await socket.close()
