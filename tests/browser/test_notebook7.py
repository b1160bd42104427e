"""The same widget in Notebook 7."""

from __future__ import annotations

import nbformat
import pytest
from playwright.async_api import BrowserContext, expect

from tests.fakes.jupyter import JupyterServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_prompt_streams_in_notebook_7(
    lab_jupyter: JupyterServer, context: BrowserContext
) -> None:
    cell = "from jupyter_streamchat import Chat\nchat = Chat('demo/echo')\nchat"
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(book, lab_jupyter.directory / "work" / "seven.ipynb")
    page = await context.new_page()
    await page.goto(f"{lab_jupyter.url}notebooks/seven.ipynb?token={lab_jupyter.token}")
    await expect(page.locator(".jp-Notebook-ExecutionIndicator")).to_have_attribute(
        "data-status", "idle"
    )
    await page.locator(".jp-CodeCell .cm-content").first.click()
    await page.keyboard.press("Control+Enter")
    box = page.get_by_role("textbox", name="Prompt")
    await box.fill("Hello, Notebook")
    await box.press("Enter")
    await expect(page.get_by_role("article", name="Answer")).to_contain_text("Hello, Notebook")
    await expect(page.locator(".streamchat-figures")).to_contain_text("tokens/s")
    await page.close()
