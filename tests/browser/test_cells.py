"""A notebook's cells and errors in the chat, by the JupyterLab plugin."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Locator, expect

from tests.browser.kit import chat_cell, finished, open_panel, panel_of
from tests.fakes.jupyter import JupyterServer
from tests.fakes.lab import LabPage, NotebookPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PLUGIN = "jupyter-streamchat:plugin"
FAILS = "def ratio(a, b):\n    return a / b\nratio(1, 0)"


def explain(output: Locator) -> Locator:
    """The button below an error."""
    return output.get_by_role("button", name="Explain this error")


async def test_an_error_is_explained_by_one_click(lab: LabPage) -> None:
    await lab.open(["before = 1", FAILS])
    await open_panel(lab, "demo/echo")
    await lab.run_done(0)
    await lab.run_done(1)
    await explain(lab.output(1)).click()
    panel = panel_of(lab.page)
    await finished(panel, 1)
    prompt = panel.get_by_role("article", name="Your prompt")
    await expect(prompt).to_contain_text(
        "Explain this error in Cell [2], and how to mend it: ZeroDivisionError: division by zero"
    )
    await prompt.get_by_text("Cell [2]", exact=True).click()
    sent = prompt.locator("pre")
    await expect(sent).to_contain_text("return a / b")
    await expect(sent).to_contain_text("Traceback (most recent call last)")
    await expect(sent).not_to_contain_text("\x1b")
    # The model was told what is shown.
    await expect(panel.get_by_role("article", name="Answer")).to_contain_text("return a / b")


async def test_cells_are_chosen_for_an_error_before_it_is_sent(lab: LabPage) -> None:
    await lab.open(["values = [1, 2]", FAILS])
    panel = await open_panel(lab, "demo/echo")
    await lab.run_done(0)
    await lab.run_done(1)
    await lab.output(1).get_by_role("button", name="With cells…").click()
    cells = panel.get_by_role("dialog")
    await expect(cells.get_by_role("checkbox", name="def ratio")).to_be_checked()
    await cells.get_by_role("checkbox", name="values = ").check()
    await lab.page.keyboard.press("Escape")
    await expect(cells).to_have_count(0)
    chips = panel.get_by_role("list", name="Goes with the prompt").get_by_role("listitem")
    await expect(chips).to_have_text(["Cell [2]", "Cell [1]"])
    await panel.get_by_role("button", name="Send").click()
    await finished(panel, 1)
    await expect(panel.get_by_role("article", name="Answer")).to_contain_text("values = [1, 2]")
    await expect(chips).to_have_count(0)


async def test_the_button_below_an_error_can_be_turned_off_and_on(lab: LabPage) -> None:
    await lab.open([FAILS])
    await lab.run_done(0)
    await expect(explain(lab.output(0))).to_be_visible()
    await lab.set_setting(PLUGIN, "explainErrors", False)
    await expect(explain(lab.output(0))).to_have_count(0)
    await lab.set_setting(PLUGIN, "explainErrors", True)
    await expect(explain(lab.output(0))).to_have_count(1)
    # Drawn anew, it has one again.
    await lab.run_done(0)
    await expect(explain(lab.output(0))).to_have_count(1)


async def test_what_was_written_to_stderr_has_no_such_button(lab: LabPage) -> None:
    await lab.open(["import sys\nprint('careful', file=sys.stderr)", FAILS])
    await lab.run_done(0)
    await lab.run_done(1)
    await expect(explain(lab.output(1))).to_be_visible()
    await expect(explain(lab.output(0))).to_have_count(0)


async def test_the_keys_e_e_explain_the_error_of_the_selected_cell(lab: LabPage) -> None:
    await lab.open([FAILS])
    await open_panel(lab, "demo/echo")
    await lab.run_done(0)
    await lab.cell(0).locator(".jp-InputPrompt").click()
    await lab.page.keyboard.press("e")
    await lab.page.keyboard.press("e")
    prompt = panel_of(lab.page).get_by_role("article", name="Your prompt")
    await expect(prompt).to_contain_text("ZeroDivisionError: division by zero")


async def test_the_selected_cell_goes_with_the_prompt_as_it_is_when_it_leaves(
    lab: LabPage,
) -> None:
    await lab.open(["colour = 'red'"])
    panel = await open_panel(lab, "demo/echo")
    await lab.command("streamchat:add-cell")
    await expect(panel.get_by_role("textbox", name="Prompt")).to_be_focused()
    await expect(panel.get_by_title("colour = 'red'")).to_contain_text("Cell 1, not run")
    await lab.page.evaluate(
        "() => window.panel.content.activeCell.model.sharedModel.setSource(\"colour = 'blue'\")"
    )
    await lab.page.keyboard.type("Which colour?")
    await lab.page.keyboard.press("Enter")
    await finished(panel, 1)
    answer = panel.get_by_role("article", name="Answer")
    await expect(answer).to_contain_text("colour = 'blue'")
    await expect(answer).not_to_contain_text("red")


async def test_only_the_selection_goes_along_where_there_is_one(lab: LabPage) -> None:
    await lab.open(["other = 1\nsecond = 2"])
    panel = await open_panel(lab, "demo/echo")
    await lab.page.evaluate(
        """() => {
            const {content} = window.panel;
            content.mode = 'edit';
            content.activeCell.editor.setSelection(
                {start: {line: 1, column: 10}, end: {line: 1, column: 0}});
        }"""
    )
    await lab.command("streamchat:add-cell")
    await panel.get_by_role("button", name="Send").click()
    await finished(panel, 1)
    prompt = panel.get_by_role("article", name="Your prompt")
    await expect(prompt).to_have_text("Selection in Cell 1, not run")
    answer = panel.get_by_role("article", name="Answer")
    await expect(answer).to_contain_text("second = 2")
    await expect(answer).not_to_contain_text("other = 1")


async def test_a_prompt_that_is_edited_keeps_its_cells(lab: LabPage) -> None:
    await lab.open(["kept = 7"])
    panel = await open_panel(lab, "demo/echo")
    await lab.command("streamchat:add-cell")
    await lab.page.keyboard.type("Before")
    await lab.page.keyboard.press("Enter")
    await finished(panel, 1)
    prompt = panel.get_by_role("article", name="Your prompt")
    await prompt.hover()
    await panel.get_by_role("button", name="Edit prompt").click()
    box = panel.get_by_role("textbox", name="Edit prompt")
    # The cell is not in the field, and yet is seen to go along.
    await expect(box).to_have_value("Before")
    await expect(panel.locator(".streamchat-editor summary")).to_have_text("Cell 1, not run")
    await box.fill("After")
    await box.press("Enter")
    await expect(panel.get_by_role("article", name="Answer")).to_contain_text("kept = 7")
    await expect(prompt).to_contain_text("After")
    await expect(prompt).to_contain_text("Cell 1, not run")


async def test_a_widget_in_a_cell_takes_cells_of_its_own_notebook(lab: LabPage) -> None:
    await lab.open(["mine = 'here'", chat_cell("demo/echo")])
    await lab.run_done(1)
    chat = lab.output(1)
    await chat.get_by_role("button", name="Add cells").click()
    cells = chat.get_by_role("dialog")
    await cells.get_by_role("checkbox", name="mine = 'here'").check()
    await cells.press("Escape")
    await chat.get_by_role("textbox", name="Prompt").fill("What?")
    await chat.get_by_role("button", name="Send").click()
    await finished(chat, 1)
    await expect(chat.get_by_role("article", name="Answer")).to_contain_text("mine = 'here'")


async def test_an_error_is_explained_in_notebook_7(
    lab_jupyter: JupyterServer, context: BrowserContext
) -> None:
    async with await context.new_page() as page:
        notebook = NotebookPage(lab_jupyter, page)
        await notebook.open([FAILS])
        panel = await open_panel(notebook, "demo/echo")
        await notebook.run_done(0)
        await explain(notebook.output(0)).click()
        await finished(panel, 1)
        await expect(panel.get_by_role("article", name="Answer")).to_contain_text("return a / b")
        await notebook.close()
