"""The list of past conversations in the side panel: by keyboard, and as others change it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.browser.kit import ask, finished, open_panel
from tests.browser.test_accessibility import clean_in_both_themes, violations
from tests.fakes.jupyter import JupyterServer
from tests.fakes.lab import LabPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def listed(lab: LabPage, *prompts: str) -> tuple[Locator, Locator]:
    """The panel with a conversation for each of these, the last one open, and its list."""
    await lab.open(["1"])
    panel = await open_panel(lab, "demo/echo")
    for number, prompt in enumerate(prompts):
        if number:
            await panel.get_by_role("button", name="New chat").click()
            await panel.get_by_role("combobox", name="Model").select_option("demo/echo")
        await ask(panel, prompt)
        await finished(panel, 1)
    await panel.get_by_role("button", name="Conversations").click()
    return panel, panel.get_by_role("navigation", name="Conversations")


def row(past: Locator, name: str) -> Locator:
    return past.locator("[data-conversation]").filter(has_text=name)


async def only(past: Locator, *names: str) -> None:
    """Search what this test has made: others have made more."""
    await past.get_by_role("searchbox").fill("quince")
    await expect(past.locator(".streamchat-past-title")).to_have_text(list(names))


async def test_the_list_is_used_by_keyboard_alone(lab: LabPage) -> None:
    panel, past = await listed(lab, "Quince jam", "Quincé trees")
    keyboard = lab.page.keyboard
    await only(past, "Quincé trees", "Quince jam")
    await expect(row(past, "trees")).to_have_attribute("aria-current", "true")
    await keyboard.press("ArrowDown")
    await keyboard.press("ArrowDown")
    await expect(row(past, "jam")).to_be_focused()
    await keyboard.press("F2")
    await expect(past.get_by_role("textbox", name="Name of this conversation")).to_be_focused()
    # JupyterLab may move the keyboard when its theme changes, and the name is then taken as it is.
    assert await violations(panel) == []
    await keyboard.type("About quinces")
    await keyboard.press("Enter")
    await expect(row(past, "About quinces")).to_be_focused()
    await keyboard.press("Delete")
    await expect(past.locator(".streamchat-past-title")).to_have_text(["Quincé trees"])
    await expect(row(past, "trees")).to_be_focused()
    # It is not offered for long.
    assert await violations(panel) == []
    await past.get_by_role("button", name="Undo").focus()
    await keyboard.press("Enter")
    await expect(row(past, "About quinces")).to_be_focused()
    await keyboard.press("Tab")
    await keyboard.press("Enter")
    await expect(past.get_by_role("menuitem", name="Rename")).to_be_focused()
    await clean_in_both_themes(lab, panel)
    await row(past, "About quinces").focus()
    await keyboard.press("Enter")
    await expect(past).to_have_count(0)
    await expect(panel.get_by_role("heading", name="About quinces")).to_be_visible()


async def test_what_others_do_is_in_the_list_without_a_click(
    lab: LabPage, lab_jupyter: JupyterServer
) -> None:
    _, past = await listed(lab, "Medlar jelly")
    await past.get_by_role("searchbox").fill("medlar")
    await expect(past.locator(".streamchat-past-title")).to_have_text(["Medlar jelly"])
    other = await lab_jupyter.socket()

    async def done(frame: str, **fields: Any) -> None:
        await other.say(type=frame, id="x", conversation="medlars-elsewhere", **fields)
        await other.until(lambda one: one.get("id") == "x" and one["type"] == "ok")

    message = {"parts": [{"type": "text", "text": "Medlars, elsewhere"}]}
    await done("send", run="medlar-run", model="demo/slow", message=message)
    there = row(past, "elsewhere")
    await expect(there.get_by_role("img", name="Answering now")).to_be_visible()
    await other.say(type="stop", id="s", run="medlar-run")
    await expect(there.get_by_role("img")).to_have_count(0)
    await done("rename", title="Medlars renamed")
    await expect(row(past, "renamed")).to_be_visible()
    await done("delete")
    await expect(past.locator(".streamchat-past-title")).to_have_text(["Medlar jelly"])
    await done("restore")
    await expect(row(past, "renamed")).to_be_visible()
    await other.close()


async def test_a_long_list_is_fetched_as_one_scrolls(
    lab: LabPage, lab_jupyter: JupyterServer
) -> None:
    other = await lab_jupyter.socket()
    for number in range(80):
        await other.say(
            type="send",
            id=f"s{number}",
            conversation=f"many-{number}",
            run=f"many-run-{number}",
            model="demo/echo",
            message={"parts": [{"type": "text", "text": f"Sorb {number:03}"}]},
        )
        await other.until(lambda one, number=number: one.get("id") == f"s{number}")
    await other.close()
    _, past = await listed(lab, "Sorb last")
    await past.get_by_role("searchbox").fill("sorb")
    rows = past.locator("[data-conversation]")
    await expect(rows).to_have_count(50)
    await rows.last.scroll_into_view_if_needed()
    await expect(rows).to_have_count(81)
    await expect(rows.last).to_contain_text("Sorb 000")
