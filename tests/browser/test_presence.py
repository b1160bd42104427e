"""Other views of a chat: who types there, what was seen there, and what they delete."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.browser.kit import ask, chat_cell, finished
from tests.fakes.jupyter import JupyterServer, RelaySocket
from tests.fakes.lab import LabPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def told(other: RelaySocket, **wanted: Any) -> None:
    """Wait until the other view is told of one that does this."""
    await other.until(
        lambda frame: (
            frame["type"] == "views"
            and any(wanted.items() <= view.items() for view in frame["views"])
        )
    )


async def height(chat: Locator) -> float:
    box = await chat.bounding_box()
    assert box is not None
    return box["height"]


async def test_two_views_tell_each_other_who_types_and_nothing_moves(
    lab: LabPage, lab_jupyter: JupyterServer
) -> None:
    await lab.open([chat_cell("demo/echo", conversation="two-views")])
    await lab.run_done(0)
    chat = lab.output(0).locator(".streamchat")
    await ask(chat, "Hello")
    await finished(chat, 1)
    still = await height(chat)
    other = await lab_jupyter.socket()
    await other.say(type="open", id="o1", conversation="two-views")
    await other.until(lambda frame: frame["type"] == "snapshot")
    await other.say(type="presence", conversation="two-views", typing=True, seen=10**6)
    await expect(chat.locator(".streamchat-elsewhere")).to_have_text("Typing in another tab…")
    await expect(chat.get_by_role("img", name="Seen in another tab")).to_be_visible()
    assert await height(chat) == still
    await chat.get_by_role("textbox", name="Prompt").press_sequentially("And")
    await told(other, typing=True)
    await chat.get_by_role("textbox", name="Prompt").fill("")
    await other.close()
    await expect(chat.locator(".streamchat-elsewhere")).to_have_count(0)
    await expect(chat.get_by_role("img", name="Seen in another tab")).to_have_count(0)


async def test_a_chat_that_another_view_deletes_says_so_and_can_be_restored(
    lab: LabPage, lab_jupyter: JupyterServer
) -> None:
    await lab.open([chat_cell("demo/echo", conversation="deleted-elsewhere"), "chat.messages"])
    await lab.run_done(0)
    chat = lab.output(0).locator(".streamchat")
    await ask(chat, "Hello")
    await finished(chat, 1)
    other = await lab_jupyter.socket()
    await other.say(type="delete", id="d1", conversation="deleted-elsewhere")
    await other.until(lambda frame: frame.get("id") == "d1")
    await other.close()
    await expect(chat).to_have_text("This conversation was deleted.Restore")
    await lab.run_done(1)
    await expect(lab.output(1)).to_contain_text("This conversation was deleted.")
    await chat.get_by_role("button", name="Restore").click()
    await finished(chat, 1)
    await lab.run_done(1)
    await expect(lab.output(1)).to_contain_text("Hello")


async def test_a_chat_is_exported_as_the_file_that_its_title_names(lab: LabPage) -> None:
    await lab.open([chat_cell("demo/echo")])
    await lab.run_done(0)
    chat = lab.output(0).locator(".streamchat")
    await ask(chat, "Hello")
    await finished(chat, 1)
    await chat.get_by_role("button", name="Export or delete this conversation").click()
    async with lab.page.expect_download() as coming:
        await chat.get_by_role("menuitem", name="Export as Markdown").click()
    saved = await coming.value
    assert saved.suggested_filename == "conversation.md"
    text = (await saved.path()).read_text("utf-8")
    assert text.startswith("# Conversation\n\n## You\n\nHello\n\n## demo/echo\n\n")
