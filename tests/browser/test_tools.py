"""Tools in a real JupyterLab: what a person sees of a call, and decides."""

from __future__ import annotations

import os
import re

import pytest
from playwright.async_api import expect

from tests.browser.kit import ask, finished
from tests.fakes.lab import LabPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CHAT = """
from jupyter_streamchat import Chat
removed = []
chat = Chat("demo/tools")
@chat.tool
def remove(path: str) -> str:
    "Remove a file."
    removed.append(path)
    return "removed"
@chat.tool(approve=True)
def weather(city: str, days: int = 1) -> dict:
    "The weather in a city."
    return {"city": city, "days": days, "forecast": ["rain"] * days}
chat
"""


async def picture(lab: LabPage, name: str) -> None:
    """Keep a picture, for who wants to look."""
    where = os.environ.get("STREAMCHAT_PICTURES")
    if where:
        await lab.page.screenshot(path=f"{where}/{name}.png")


async def test_a_call_runs_only_after_somebody_has_seen_and_allowed_it(lab: LabPage) -> None:
    await lab.open([CHAT, "print(removed)", "print('still', removed)"])
    await lab.run_done(0)
    chat = lab.output(0)
    await ask(chat, "Please remove 'data/old.csv', and tell me the weather in 'Oslo'")
    asked = chat.locator(".streamchat-asked")
    await expect(asked).to_contain_text("Run remove in your kernel?")
    await expect(asked.locator("pre")).to_have_text('{\n  "path": "data/old.csv"\n}')
    await expect(chat.locator("summary")).to_contain_text("weather")
    await picture(lab, "asked")
    await lab.run_done(1)
    await expect(lab.output(1)).to_have_text("[]")
    await asked.get_by_role("button", name="Allow once").click()
    await finished(chat, 1)
    await expect(chat.locator(".streamchat-content")).to_contain_text("remove says removed")
    await lab.run_done(2)
    await expect(lab.output(2)).to_have_text("still ['data/old.csv']")
    await chat.locator("summary").last.click()
    await picture(lab, "allowed")


async def test_a_call_that_is_not_allowed_is_not_run_and_the_answer_goes_on(lab: LabPage) -> None:
    await lab.open([CHAT, "print(removed)"])
    await lab.run_done(0)
    chat = lab.output(0)
    await ask(chat, "Please remove 'everything'")
    await chat.get_by_role("button", name=re.compile("^Don.t allow")).click()
    await finished(chat, 1)
    await expect(chat.locator(".streamchat-failed")).to_contain_text("not allowed")
    await expect(chat.locator(".streamchat-content")).to_contain_text("did not allow")
    await lab.run_done(1)
    await expect(lab.output(1)).to_have_text("[]")
    await picture(lab, "denied")


async def test_a_cell_that_waits_for_an_answer_shows_what_it_is_asked(lab: LabPage) -> None:
    await lab.open(
        [
            CHAT.replace("\nchat\n", "\n"),
            "reply = chat.send(\"remove 'a'\").wait()",
            "print(removed)",
        ]
    )
    await lab.run_done(0)
    await lab.run(1)
    allow = lab.output(1).get_by_role("button", name="Allow once")
    await allow.click()
    await lab.ran(1)
    await lab.run_done(2)
    await expect(lab.output(2)).to_have_text("['a']")
    await picture(lab, "waited")
