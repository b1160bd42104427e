"""Variables and cells that a prompt mentions with an `@`, in a chat and in the panel."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from tests.browser.kit import (
    DARK,
    LIGHT,
    PACED,
    Paced,
    change_theme,
    chat_cell,
    open_panel,
)
from tests.browser.test_accessibility import violations
from tests.fakes.lab import LabPage
from tests.fakes.provider_server import ProviderServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SIZE = "DataFrame, 2 \N{MULTIPLICATION SIGN} 2"
DATA = """
import pandas as pd
frame = pd.DataFrame({"height": [1.5, 2.5], "name": ["ann", "bob"]})
api_key = "sk-none"
_private = 1
"""


def options(lab: LabPage) -> Locator:
    """What the open list offers."""
    return lab.page.get_by_role("listbox", name="What can be mentioned").get_by_role("option")


def told(provider: ProviderServer) -> str:
    """The last prompt, as its provider got it."""
    content = provider.calls[-1].json["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(one["text"] for one in content)


async def test_a_variable_of_the_widgets_kernel_goes_along_and_is_shown(
    lab: LabPage, provider: ProviderServer
) -> None:
    await lab.open([DATA, chat_cell(PACED)])
    await lab.run_done(0)
    await lab.run_done(1)
    chat = lab.output(1)
    answer = Paced(provider, ["It is ", "not odd."])
    box = chat.get_by_role("textbox", name="Prompt")
    await box.press_sequentially("What is odd in @fr")
    await expect(options(lab)).to_have_text([f"@frame{SIZE}"])
    await box.press("Enter")
    await expect(box).to_have_value("What is odd in @frame ")
    await expect(chat.locator(".streamchat-contexts")).to_contain_text(f"frame — {SIZE}")
    # As typing can be undone.
    await box.press("Control+z")
    await expect(box).to_have_value("What is odd in @fr")
    await box.press_sequentially("ame")
    await box.press("Enter")
    answer.finish()
    await expect(chat.get_by_role("button", name="Good answer")).to_have_count(1)
    folded = chat.get_by_role("article", name="Your prompt").locator("summary")
    await expect(folded).to_have_text(f"frame — {SIZE}")
    await folded.click()
    await expect(chat.locator(".streamchat-sent pre")).to_contain_text("| ann |")
    assert "What is odd in @frame" in told(provider)
    assert "| height | float64 | 0 |" in told(provider)
    await box.press_sequentially("@")
    names = await options(lab).locator("b").all_inner_texts()
    assert "@frame" in names
    assert not {"@api_key", "@_private", "@pd", "@In", "@exit"} & set(names)


async def test_variables_and_cells_of_the_notebook_are_mentioned_in_the_panel(
    lab: LabPage, provider: ProviderServer
) -> None:
    await lab.open([DATA, "print('seen')"])
    await lab.run_done(0)
    await lab.run_done(1)
    chat = await open_panel(lab, PACED)
    answer = Paced(provider, ["It is ", "not odd."])
    box = chat.get_by_role("textbox", name="Prompt")
    await box.press_sequentially("Explain @cell:2")
    await expect(options(lab)).to_have_count(1)
    await box.press("Tab")
    await box.press_sequentially("and @frame")
    await expect(options(lab)).to_have_count(1)
    await box.press("Enter")
    answer.finish()
    await expect(chat.get_by_role("button", name="Good answer")).to_have_count(1)
    folded = chat.get_by_role("article", name="Your prompt").locator("summary")
    await expect(folded).to_have_text([f"frame — {SIZE}", "Cell [2]"])
    assert "print('seen')" in told(provider)
    assert "seen" in told(provider).split("Output:")[1]
    assert "| height |" in told(provider)
    # The kernel and the notebook know nothing of it.
    await expect(lab.cell(1).locator(".jp-InputPrompt")).to_have_text("[2]:")


async def test_a_busy_kernel_is_said_and_holds_nothing_up(
    lab: LabPage, provider: ProviderServer
) -> None:
    await lab.open(["import threading\nthreading.Event().wait(600)"])
    await lab.run(0)
    await lab.started(0)
    chat = await open_panel(lab, PACED)
    box = chat.get_by_role("textbox", name="Prompt")
    await box.press_sequentially("@")
    busy = lab.page.locator(".streamchat-mentions p")
    await expect(busy).to_contain_text("The kernel is busy")
    await box.press("Escape")
    await expect(busy).to_have_count(0)
    answer = Paced(provider, ["It is ", "not odd."])
    await box.press_sequentially("nobody, go")
    await box.press("Enter")
    answer.finish()
    await expect(chat.get_by_role("button", name="Good answer")).to_have_count(1)
    await lab.interrupt()
    await lab.ran(0)


async def test_a_chat_in_a_cell_knows_its_kernels_variables_while_another_cell_runs(
    lab: LabPage,
) -> None:
    await lab.open([chat_cell(PACED), "size = 3\nimport threading\nthreading.Event().wait(600)"])
    await lab.run_done(0)
    await lab.run(1)
    await lab.started(1)
    await lab.output(0).get_by_role("textbox", name="Prompt").press_sequentially("@si")
    await expect(options(lab)).to_have_text(["@sizeint"])
    await lab.interrupt()
    await lab.ran(1)


async def test_the_list_has_no_barriers(lab: LabPage) -> None:
    await lab.open([DATA, chat_cell(PACED)])
    await lab.run_done(0)
    await lab.run_done(1)
    chat = lab.output(1)
    for theme in (LIGHT, DARK):
        await change_theme(lab, theme)
        await chat.get_by_role("textbox", name="Prompt").fill("@fr")
        await expect(options(lab)).to_have_count(1)
        assert await violations(chat) == [], theme
        await chat.get_by_role("textbox", name="Prompt").fill("")
    await change_theme(lab, LIGHT)
