"""The same widget in Notebook 7."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.kit import ask, chat_cell, finished
from tests.fakes.jupyter import JupyterServer
from tests.fakes.lab import NotebookPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_prompt_streams_in_notebook_7(
    lab_jupyter: JupyterServer, context: BrowserContext
) -> None:
    async with await context.new_page() as page:
        notebook = NotebookPage(lab_jupyter, page)
        await notebook.open([chat_cell("demo/echo")])
        await notebook.run_done(0)
        chat = notebook.output(0)
        await ask(chat, "Hello, Notebook")
        await expect(chat.get_by_role("article", name="Answer")).to_contain_text("Hello, Notebook")
        await finished(chat, 1)
        # The transcript that the file keeps is not seen beside the widget.
        await expect(chat.locator(".jp-RenderedMarkdown")).to_contain_text("Hello, Notebook")
        await expect(chat.locator(".jp-RenderedMarkdown")).to_be_hidden()
        await notebook.close()
