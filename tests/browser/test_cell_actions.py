"""What a chat does with the notebook's cells: code below one, and in a cell's place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Locator, expect

from tests.browser.kit import PACED, Paced, ask, chat_cell, open_panel
from tests.fakes.lab import LabPage, lab_server
from tests.fakes.provider_server import ProviderServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

BEFORE = "total = sum(values)\nprint(total)"
AFTER = "total = max(values)\nprint(total)"
ANSWER = f"Rather this:\n\n```python\n{AFTER}\n```\n\nand in a shell\n\n```bash\nls\n```\n"


async def answered(chat: Locator, provider: ProviderServer) -> Locator:
    """Ask, and wait for the code of the answer; its first block."""
    answer = Paced(provider, [ANSWER[at : at + 12] for at in range(0, len(ANSWER), 12)])
    await ask(chat, "How do I mend it?")
    answer.finish()
    await expect(chat.get_by_role("button", name="Good answer")).to_have_count(1)
    return chat.locator(".streamchat-md-code").first


async def sources(lab: LabPage) -> list[str]:
    """The code of all cells."""
    found: list[str] = await lab.page.evaluate(
        "() => window.panel.content.widgets.map(cell => cell.model.sharedModel.getSource())"
    )
    return found


async def actions(block: Locator) -> list[str]:
    """The buttons of a block of code."""
    names: list[Any] = await block.get_by_role("button").evaluate_all(
        "nodes => nodes.map(node => node.getAttribute('aria-label'))"
    )
    return [name for name in names if name not in {"Fold", "Wrap"}]


async def test_code_is_inserted_below_the_selected_cell_and_selected(
    lab: LabPage, provider: ProviderServer
) -> None:
    await lab.open(["values = [1, 2]", "last = 3"])
    await lab.run_done(0)
    await lab.page.evaluate("() => { window.panel.content.activeCellIndex = 0; }")
    block = await answered(await open_panel(lab, PACED), provider)
    assert await actions(block) == ["Insert below", "Replace cell [1]", "Copy"]
    other = lab.page.locator("#jupyter-streamchat-panel .streamchat-md-code").nth(1)
    assert await actions(other) == ["Copy"]
    await block.get_by_role("button", name="Insert below").click()
    await expect(block.get_by_role("button", name="Inserted")).to_have_count(1)
    assert await sources(lab) == ["values = [1, 2]", AFTER, "last = 3"]
    active = await lab.page.evaluate("() => window.panel.content.activeCellIndex")
    assert active == 1
    # The words follow the selection.
    await expect(block.get_by_role("button", name="Replace cell no. 2")).to_have_count(1)


async def test_a_cell_is_replaced_after_a_look_at_the_changes_and_it_can_be_undone(
    lab: LabPage, provider: ProviderServer
) -> None:
    await lab.open([BEFORE])
    block = await answered(await open_panel(lab, PACED), provider)
    await block.get_by_role("button", name="Replace cell no. 1").click()
    dialog = lab.page.get_by_role("dialog", name="Replace cell no. 1?")
    await expect(dialog).to_have_accessible_description("1 line removed, 1 line added.")
    await expect(dialog.get_by_role("listitem")).to_have_text(
        ["Removed: total = sum(values)", "Added: total = max(values)", "print(total)"]
    )
    await expect(dialog.locator("mark")).to_have_text(["sum", "max"])
    assert await sources(lab) == [BEFORE]
    await lab.page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(block.get_by_role("button", name="Replaced")).to_be_focused()
    assert await sources(lab) == [AFTER]
    await lab.cell(0).locator(".cm-content").click()
    await lab.page.keyboard.press("Control+z")
    await expect(lab.cell(0).locator(".cm-content")).to_contain_text("sum(values)")
    assert await sources(lab) == [BEFORE]


async def test_escape_leaves_the_cell_and_the_keyboard_where_they_were(
    lab: LabPage, provider: ProviderServer
) -> None:
    await lab.open([BEFORE])
    block = await answered(await open_panel(lab, PACED), provider)
    replace = block.get_by_role("button", name="Replace cell no. 1")
    await replace.focus()
    await lab.page.keyboard.press("Enter")
    dialog = lab.page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="Replace cell no. 1")).to_be_focused()
    await lab.page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(replace).to_be_focused()
    assert await sources(lab) == [BEFORE]


async def test_a_chat_in_a_cell_says_that_it_is_that_cell(
    lab: LabPage, provider: ProviderServer
) -> None:
    chat = chat_cell(PACED)
    await lab.open([chat, "other = 1"])
    await lab.run_done(0)
    block = await answered(lab.output(0), provider)
    await block.get_by_role("button", name="Replace cell [1]").click()
    dialog = lab.page.get_by_role("dialog", name="Replace cell [1]?")
    await expect(dialog).to_contain_text("This chat stands in it.")
    await lab.page.keyboard.press("Escape")
    await block.get_by_role("button", name="Insert below").click()
    await expect(block.get_by_role("button", name="Inserted")).to_have_count(1)
    assert await sources(lab) == [chat, AFTER, "other = 1"]


async def test_without_the_plugin_code_is_copied_alone(
    context: BrowserContext, provider: ProviderServer, tmp_path: Path
) -> None:
    switched = tmp_path / "config" / "labconfig" / "page_config.json"
    switched.parent.mkdir(parents=True)
    switched.write_text(json.dumps({"disabledExtensions": {"jupyter-streamchat": True}}), "utf-8")
    providers = {"paced": {"base_url": provider.openai_url}}
    with lab_server(tmp_path, config={"StreamChat": {"providers": providers}}) as server:
        async with await context.new_page() as page:
            lab = await LabPage(server, page).start()
            await lab.open([chat_cell(PACED)])
            await lab.run_done(0)
            block = await answered(lab.output(0), provider)
            assert await actions(block) == ["Copy"]
            await lab.close()
