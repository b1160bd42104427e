"""What is saved of a chat: by who executes notebooks, and as nbconvert and GitHub read it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import nbformat
import pytest
from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient import NotebookClient
from nbconvert import HTMLExporter, MarkdownExporter

from streamchat_relay.model.transcript import MARK, NOTED
from tests.api.kernel import RunningKernel
from tests.fakes.jupyter import JupyterServer

STATE = "application/vnd.jupyter.widget-state+json"
TRAITS = {
    *("conversation", "run", "model", "params", "relay", "link"),
    *("_esm", "_css", "_anywidget_id", "_dom_classes", "layout", "tabbable", "tooltip"),
    *(f"_{half}_{what}" for half in ("model", "view") for what in ("name", "module")),
    *("_model_module_version", "_view_module_version", "_view_count"),
}
CELLS = [
    "from jupyter_streamchat import Chat\nchat = Chat('demo/echo', system='Be brief.')",
    "chat",
    "first = chat.send('one <b>prompt</b>').wait()",
    "for number in range(3): last = chat.send(f'number {number}').wait()",
    "str(chat._widget.comm.comm_id), chat.conversation",
]


class _Alive:
    """As much of a kernel's manager as who executes asks for: the server has the real one."""

    async def is_alive(self) -> bool:
        return True


@pytest.fixture
async def executed(jupyter: JupyterServer) -> AsyncIterator[Any]:
    """A notebook that was executed from top to bottom, its widgets' state kept."""
    kernel = jupyter.post("api/kernels", {"name": "python3"})["id"]
    client = AsyncKernelClient()
    client.load_connection_file(str(jupyter.runtime_dir / f"kernel-{kernel}.json"))
    client.start_channels(hb=False)
    await client.wait_for_ready(timeout=30)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    runner = NotebookClient(book, km=_Alive(), timeout=30)
    runner.reset_execution_trackers()
    runner.kc = client
    for index, cell in enumerate(book.cells):
        await runner.async_execute_cell(cell, index)
    runner.set_widgets_metadata()
    yield book
    client.stop_channels()
    jupyter.delete(f"api/kernels/{kernel}")


def without_state(book: Any) -> Any:
    """As JupyterLab saves it: it keeps no state of widgets unless it is told to."""
    plain = nbformat.from_dict(json.loads(json.dumps(book)))
    del plain.metadata["widgets"]
    return plain


async def test_what_later_cells_ask_is_in_the_output_of_the_chat(executed: Any) -> None:
    transcript, widget = executed.cells[1].outputs
    for text in ("one &lt;b>prompt", "number 0", "number 1", "number 2"):
        assert text in transcript.data["text/markdown"]
    assert transcript.data["text/plain"].count("Answer: ") == 4
    assert set(widget.data) == {"application/vnd.jupyter.widget-view+json", "text/plain"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_it_is_read_as_html_and_as_markdown_with_and_without_stored_widgets(
    executed: Any,
) -> None:
    assert executed.metadata["widgets"][STATE]["state"]
    for book in (executed, without_state(executed)):
        for exporter in (HTMLExporter(), MarkdownExporter()):
            text, _ = exporter.from_notebook_node(book)
            # Twice: what was asked, and what the demo repeats.
            for words in ("number 0", "number 1", "number 2"):
                assert text.count(words) == 2, (type(exporter), words)
            assert "model not found" not in text


async def test_a_widgets_state_holds_names_and_settings_and_nothing_that_was_said(
    executed: Any,
) -> None:
    widget_id, conversation = (
        nbformat.from_dict(executed)
        .cells[-1]
        .outputs[0]
        .data["text/plain"]
        .strip("()")
        .replace("'", "")
        .split(", ")
    )
    states = executed.metadata["widgets"][STATE]["state"]
    state = states[widget_id]["state"]
    assert set(state) <= TRAITS, set(state) - TRAITS
    assert state["conversation"] == conversation
    assert (state["run"], state["model"]) == ("", "demo/echo")
    assert state["params"] == {"system": "Be brief."}
    assert (state["relay"], state["link"]) == ("server", "")
    said = {one: value for one, value in state.items() if one not in {"_esm", "_css"}}
    others = [states[one]["state"] for one in states if one != widget_id]
    assert "number" not in json.dumps([said, others])
    assert "streamchat " not in json.dumps([said, others])


async def test_a_chat_that_is_empty_leaves_nothing_but_its_mark(jupyter: JupyterServer) -> None:
    with RunningKernel(jupyter) as kernel:
        outcome = kernel.run("from jupyter_streamchat import Chat\nChat('demo/echo')")
    assert outcome.data[0] == {"text/markdown": MARK, "text/plain": ""}


async def test_after_a_clear_the_transcript_is_that_of_the_new_conversation(
    jupyter: JupyterServer,
) -> None:
    with RunningKernel(jupyter) as kernel:
        kernel.run(
            "from jupyter_streamchat import Chat\nchat = Chat('demo/echo')\n"
            "reply = chat.send('the old one').wait()"
        )
        shown = kernel.run("chat").outputs[0]
        assert "the old one" in shown["data"]["text/markdown"]
        assert set(shown["metadata"][NOTED]) == {"conversation"}
        outcome = kernel.run("chat.clear()\nreply = chat.send('the new one').wait()")
        (updated,) = outcome.updates.values()
        assert "the new one" in updated["text/markdown"]
        assert "the old one" not in updated["text/markdown"]
