"""A chat in a notebook's file: what is said later is saved too, and nothing is shown twice."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter, MarkdownExporter
from playwright.async_api import BrowserContext, expect

from tests.browser.kit import ask, chat_cell, finished
from tests.fakes.jupyter import JupyterServer
from tests.fakes.lab import LabPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

STATE = "application/vnd.jupyter.widget-state+json"


async def noted(lab: LabPage, text: str) -> None:
    """Wait until the page's notebook holds this text as Markdown."""
    await lab.page.wait_for_function(
        """text => JSON.stringify(window.panel.model.toJSON().cells[0].outputs.map(
            output => output.data['text/markdown'] ?? '')).includes(text)""",
        arg=text,
    )


def converted(book: Any) -> list[str]:
    """The notebook as nbconvert makes HTML and Markdown of it."""
    return [
        exporter.from_notebook_node(book)[0] for exporter in (HTMLExporter(), MarkdownExporter())
    ]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_what_is_said_after_the_cell_has_run_is_saved_and_read_by_nbconvert(
    lab: LabPage,
) -> None:
    await lab.open(
        [
            chat_cell("demo/echo"),
            "reply = chat.send('asked by a cell').wait()",
            "import time\ntime.sleep(60)",
        ]
    )
    await lab.run_done(0)
    chat = lab.output(0)
    await ask(chat, "asked in the widget")
    await finished(chat, 1)
    await lab.run_done(1)
    await finished(chat, 2)
    # Also while the kernel computes.
    await lab.run(2)
    await lab.started(2)
    await ask(chat, "asked while it slept")
    await finished(chat, 3)
    await noted(lab, "repeats what it was told:\\n\\nasked while it slept")
    assert await lab.page.evaluate("() => window.panel.model.dirty")
    await lab.save()
    await lab.interrupt()
    await lab.ran(2)
    book = lab.saved()
    for text in converted(book):
        for words in ("asked in the widget", "asked by a cell", "asked while it slept"):
            assert text.count(words) >= 2, words
        assert "model not found" not in text


async def test_the_widget_stays_as_it_is_and_its_markdown_is_not_seen(lab: LabPage) -> None:
    await lab.open([chat_cell("demo/echo"), "reply = chat.send('asked by a cell').wait()"])
    await lab.run_done(0)
    chat = lab.output(0)
    box = chat.get_by_role("textbox", name="Prompt")
    await box.fill("a draft")
    root = chat.locator(".streamchat")
    await root.evaluate("node => { node.dataset.kept = 'yes'; }")
    await lab.run_done(1)
    await finished(chat, 1)
    await noted(lab, "asked by a cell")
    await expect(box).to_have_value("a draft")
    await expect(root).to_have_attribute("data-kept", "yes")
    await expect(chat.locator(".jp-RenderedMarkdown")).to_contain_text("asked by a cell")
    await expect(chat.locator(".jp-RenderedMarkdown")).to_be_hidden()
    # Beside what is read to who cannot see it.
    seen = chat.locator(".streamchat-messages").get_by_text("asked by a cell")
    await expect(seen.locator("visible=true")).to_have_count(2)


async def test_a_notebook_reads_without_its_kernel_and_lives_with_it(
    lab_jupyter: JupyterServer, context: BrowserContext
) -> None:
    # In a page of its own: what Lab opens again by itself comes in front of other tests' notebooks.
    async with await context.new_page() as page:
        lab = await LabPage(lab_jupyter, page).start("saved")
        await lab.open([chat_cell("demo/echo")])
        await lab.run_done(0)
        chat = lab.output(0)
        await ask(chat, "for the record")
        await finished(chat, 1)
        await noted(lab, "told:\\n\\nfor the record")
        await lab.save()
        # A page that is loaded anew has the widget, for its kernel lives.
        await lab.reload()
        await finished(chat, 1)
        transcript = chat.locator(".jp-RenderedMarkdown")
        await expect(transcript).to_be_hidden()
        await page.evaluate("() => window.panel.sessionContext.shutdown()")
        await lab.reload()
        await expect(transcript).to_be_visible()
        await expect(transcript).to_contain_text("for the record")
        await expect(chat.locator(".streamchat")).to_have_count(0)
        await lab.close()


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_is_said_when_the_kernel_cannot_tell_the_page_is_saved_too(
    lab_jupyter: JupyterServer, context: BrowserContext, restarted: bool
) -> None:
    async with await context.new_page() as page:
        lab = await LabPage(lab_jupyter, page).start(f"told-{restarted}")
        await lab.open([chat_cell("demo/echo")])
        await lab.run_done(0)
        chat = lab.output(0)
        await ask(chat, "before")
        await finished(chat, 1)
        await noted(lab, "told:\\n\\nbefore")
        await lab.save()
        if restarted:
            await lab.restart_kernel()
        else:
            await lab.reload()
        await finished(chat, 1)
        await ask(chat, "afterwards")
        await finished(chat, 2)
        await lab.save()
        data = lab.saved().cells[0].outputs[0].data
        assert data["text/markdown"].count("afterwards") == 2
        assert data["text/plain"].count("afterwards") == 2
        assert data["text/markdown"].count("before") == 2
        await lab.close()


async def test_stored_widgets_hide_no_transcript(lab: LabPage) -> None:
    await lab.open([chat_cell("demo/echo")])
    await lab.run_done(0)
    await ask(lab.output(0), "for the record")
    await finished(lab.output(0), 1)
    await noted(lab, "told:\\n\\nfor the record")
    await lab.save()
    book = lab.saved()
    (widget,) = [output for output in book.cells[0].outputs if len(output.data["text/plain"]) == 0]
    model = widget.data["application/vnd.jupyter.widget-view+json"]["model_id"]
    state = {"model_name": "AnyModel", "model_module": "anywidget", "state": {}}
    book.metadata["widgets"] = nbformat.from_dict({STATE: {"state": {model: state}}})
    for text in converted(book):
        assert text.count("for the record") >= 2
