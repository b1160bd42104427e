"""The side panel of the JupyterLab plugin, in JupyterLab and in Notebook 7."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import BrowserContext, Locator, Page, Request, expect

from tests.browser.kit import ask, finished
from tests.fakes.jupyter import JupyterServer
from tests.fakes.lab import LabPage, NotebookPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def panel_of(page: Page) -> Locator:
    """The side panel."""
    return page.locator("#jupyter-streamchat-panel")


async def open_panel(lab: LabPage, model: str = "demo/fast") -> Locator:
    """Open the panel on a new conversation with this model."""
    await lab.command("streamchat:new")
    panel = panel_of(lab.page)
    await expect(panel.get_by_role("textbox", name="Prompt")).to_be_focused()
    await panel.get_by_role("combobox", name="Model").select_option(model)
    return panel


def remembered(request: Request) -> bool:
    """Whether JupyterLab keeps its state, with the panel's conversation, at the server."""
    return request.method == "PUT" and "streamchat" in (request.post_data or "")


async def test_a_prompt_streams_in_the_panel(lab: LabPage) -> None:
    await lab.open(["1"])
    panel = await open_panel(lab)
    await ask(panel, "Hello, panel")
    await finished(panel, 1)


async def test_the_conversation_of_the_panel_comes_back_after_a_reload(lab: LabPage) -> None:
    await lab.open(["1"])
    # JupyterLab keeps what it remembers a moment after it has changed.
    async with lab.page.expect_request(remembered):
        panel = await open_panel(lab, "demo/echo")
    await ask(panel, "Stay with me")
    await finished(panel, 1)
    await lab.page.goto(lab.page.url.split("?")[0])
    await lab.page.wait_for_function("() => window.jupyterapp !== undefined")
    # Open as it was left, without a click.
    await expect(panel.get_by_role("article", name="Your prompt")).to_have_text("Stay with me")
    await lab.reopen()
    await panel.get_by_role("button", name="New chat").click()
    await expect(panel.get_by_role("article", name="Your prompt")).to_have_count(0)
    await expect(panel.get_by_role("textbox", name="Prompt")).to_be_focused()


async def test_a_panel_that_was_never_looked_at_opens_no_socket(lab: LabPage) -> None:
    opened: list[Any] = []
    lab.page.on("websocket", lambda socket: opened.append(socket.url))
    await lab.page.goto(lab._home)
    await lab._ready()
    await lab.open(["1"])
    await lab.run_done(0)
    assert opened
    assert not [url for url in opened if "streamchat" in url]


async def test_keys_in_the_panel_do_nothing_to_the_notebook(lab: LabPage) -> None:
    await lab.open(["first = 1", "second = 2"])
    panel = await open_panel(lab)
    box = panel.get_by_role("textbox", name="Prompt")
    await box.press_sequentially("ddabxjj")
    await box.press("Shift+Enter")
    await box.press_sequentially("end")
    await expect(box).to_have_value("ddabxjj\nend")
    count, active = await lab.page.evaluate(
        "() => [window.panel.content.widgets.length, window.panel.content.activeCellIndex]"
    )
    assert (count, active) == (2, 0)
    await expect(lab.cell(0).locator(".jp-InputPrompt")).to_have_text("[ ]:")


async def test_the_panel_streams_in_notebook_7(
    lab_jupyter: JupyterServer, context: BrowserContext
) -> None:
    async with await context.new_page() as page:
        notebook = NotebookPage(lab_jupyter, page)
        await notebook.open(["1"])
        panel = await open_panel(notebook, "demo/echo")
        await ask(panel, "Hello, Notebook")
        await finished(panel, 1)
        await expect(panel.get_by_role("article", name="Answer")).to_contain_text("Hello, Notebook")
        await notebook.close()
