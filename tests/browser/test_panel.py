"""The side panel of the JupyterLab plugin, in JupyterLab and in Notebook 7."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Request, expect

from tests.browser.kit import PACED, Paced, ask, finished, open_panel, panel_of
from tests.browser.test_accessibility import clean_in_both_themes
from tests.fakes.jupyter import JupyterServer
from tests.fakes.lab import LabPage, NotebookPage
from tests.fakes.provider_server import ProviderServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PLUGIN = "jupyter-streamchat:plugin"


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
    opened: set[str] = set()
    lab.page.on("websocket", lambda socket: socket.on("framesent", opening))

    def opening(text: str | bytes) -> None:
        frame = json.loads(text) if isinstance(text, str) else {}
        if frame.get("type") == "open":
            opened.add(frame["conversation"])

    await lab.page.goto(lab.page.url.split("?")[0])
    await lab.page.wait_for_function("() => window.jupyterapp !== undefined")
    # Open as it was left, without a click.
    await expect(panel.get_by_role("article", name="Your prompt")).to_have_text("Stay with me")
    # And no other one before it, which would be seen for a moment.
    assert len(opened) == 1
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


async def test_what_is_set_goes_with_every_prompt_of_the_panel(
    lab: LabPage, provider: ProviderServer
) -> None:
    await lab.open(["1"])
    panel = await open_panel(lab, PACED)
    for name, value in {"systemPrompt": "You are a lighthouse.", "temperature": 0.25}.items():
        await lab.set_setting(PLUGIN, name, value)
    paced = Paced(provider)
    before = len(provider.calls)
    await ask(panel, "Who are you?")
    paced.say(1)
    await expect(panel.locator(".streamchat-content")).to_contain_text("word0")
    paced.finish()
    body = provider.calls[before].json
    assert body["messages"][0] == {"role": "system", "content": "You are a lighthouse."}
    assert body["temperature"] == 0.25
    await lab.set_setting(PLUGIN, "systemPrompt", "")
    await lab.set_setting(PLUGIN, "temperature", None)


async def test_settings_work_at_once(lab: LabPage) -> None:
    await lab.open(["1"])
    await lab.command("streamchat:new")
    panel = panel_of(lab.page)
    await lab.set_setting(PLUGIN, "model", "demo/echo")
    await expect(panel.get_by_role("combobox", name="Model")).to_have_value("demo/echo")
    await lab.set_setting(PLUGIN, "enter", "breaks")
    box = panel.get_by_role("textbox", name="Prompt")
    await box.press_sequentially("one")
    await box.press("Enter")
    await box.press_sequentially("two")
    await expect(box).to_have_value("one\ntwo")
    await box.press("Control+Enter")
    await finished(panel, 1)
    await expect(panel.get_by_role("article", name="Your prompt")).to_have_text("one\ntwo")
    for name, value in {"model": "", "enter": "sends"}.items():
        await lab.set_setting(PLUGIN, name, value)
    await box.fill("three")
    await box.press("Enter")
    await finished(panel, 2)


async def test_past_conversations_are_found_in_the_panel_and_go_on(lab: LabPage) -> None:
    await lab.open(["1"])
    panel = await open_panel(lab, "demo/echo")
    await ask(panel, "Where is the lighthouse?")
    await finished(panel, 1)
    await panel.get_by_role("button", name="New chat").click()
    await panel.get_by_role("textbox", name="Prompt").fill("not sent yet")
    await panel.get_by_role("button", name="Conversations").click()
    past = panel.get_by_role("navigation", name="Conversations")
    await expect(past.get_by_role("searchbox")).to_be_focused()
    await clean_in_both_themes(lab, panel)
    # Back and forth: what was being written is there.
    await panel.get_by_role("button", name="Conversations").first.click()
    await expect(panel.get_by_role("textbox", name="Prompt")).to_have_value("not sent yet")
    await panel.get_by_role("button", name="Conversations").click()
    await past.get_by_role("searchbox").fill("lighthouse")
    await past.get_by_text("Where is the lighthouse?").first.click()
    await expect(past).to_have_count(0)
    await expect(panel.get_by_role("article", name="Your prompt")).to_have_text(
        "Where is the lighthouse?"
    )
    await ask(panel, "And now?")
    await finished(panel, 2)


async def test_an_answer_is_stopped_by_command(lab: LabPage, provider: ProviderServer) -> None:
    paced = Paced(provider)
    await lab.open(["1"])
    panel = await open_panel(lab, PACED)
    await ask(panel, "Go")
    paced.say(5)
    await expect(panel.locator(".streamchat-content")).to_contain_text("word4")
    await lab.command("streamchat:stop")
    await expect(panel.locator(".streamchat-ending")).to_have_text("Stopped")


async def test_the_palette_and_the_view_menu_open_the_panel(lab: LabPage) -> None:
    await lab.open(["1"])
    await lab.page.get_by_role("menuitem", name="View", exact=True).click()
    await lab.page.get_by_role("menuitem", name="Open Chat").click()
    await expect(panel_of(lab.page).get_by_role("textbox", name="Prompt")).to_be_focused()
    await lab.page.keyboard.press("Control+Shift+C")
    palette = lab.page.locator(".lm-CommandPalette")
    await lab.page.keyboard.type("streamchat")
    await expect(palette.get_by_text("New Chat", exact=True)).to_be_visible()
    await lab.page.keyboard.press("Escape")


async def test_the_panel_has_no_barriers(lab: LabPage) -> None:
    await lab.open(["x = 1"])
    panel = await open_panel(lab)
    await clean_in_both_themes(lab, panel)
    await lab.command("streamchat:add-cell")
    await panel.get_by_role("button", name="Add cells").click()
    await clean_in_both_themes(lab, panel)
    await lab.page.keyboard.press("Escape")
    await ask(panel, "Show me everything")
    await finished(panel, 1)
    await panel.get_by_role("article", name="Your prompt").get_by_text("Cell 1, not run").click()
    await clean_in_both_themes(lab, panel)
