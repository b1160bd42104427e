"""What the server writes into a notebook that it saves, and what it leaves alone."""

from __future__ import annotations

import asyncio
import copy
import json
import urllib.request
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
    ],
    ids=["untrusted", "unknown", "no id", "no object", "unmarked", "stream", "text", "none", "raw"],
)
def test_nothing_else_is_touched(content: Any) -> None:
    before = copy.deepcopy(content)
    Saving(known).write(model={"type": "notebook", "content": content}, path="x")
    assert content == before


async def test_the_server_writes_what_is_open_and_not_what_a_stranger_names(
    jupyter: JupyterServer,
) -> None:
    async with await jupyter.socket() as socket:
        await socket.ask(type="open", conversation="saving1")
        await socket.prompt("saving1", "saving1-r", "what was said", model="demo/echo")
        await socket.until_event("finish", run="saving1-r")
        for trusted in (True, False):
            content = notebook(output({NOTED: {"conversation": "saving1"}}), trusted=trusted)
            request = urllib.request.Request(
                f"{jupyter.url}api/contents/saving.ipynb",
                data=json.dumps({"type": "notebook", "content": content}).encode(),
                headers={"Authorization": f"token {jupyter.token}"},
                method="PUT",
            )
            (await asyncio.to_thread(urllib.request.urlopen, request)).close()
            saved = jupyter.get("api/contents/saving.ipynb?content=1")["content"]
            data = saved["cells"][0]["outputs"][0]["data"]
            assert ("what was said" in data["text/markdown"]) is trusted
