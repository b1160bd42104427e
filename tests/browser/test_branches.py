"""Branches and the queue in a real JupyterLab: edit, regenerate, go back, and take back."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, expect

from tests.browser.kit import PACED, Paced, ask, chat_cell, finished, stop
from tests.fakes.lab import LabPage
from tests.fakes.provider_server import ProviderServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LONG = "\n\n".join(f"Paragraph {number}." for number in range(60))


async def test_an_edited_prompt_is_a_branch_and_what_is_typed_follows_the_one_that_is_shown(
    lab: LabPage,
) -> None:
    await lab.open([chat_cell("demo/echo"), "print([m.text for m in chat.messages][::2])"])
    await lab.run_done(0)
    chat = lab.output(0)
    prompts = chat.locator(".streamchat-prompt")
    await ask(chat, "one")
    await finished(chat, 1)
    await ask(chat, "two")
    await finished(chat, 2)
    await chat.locator(".streamchat-line").first.hover()
    await chat.get_by_role("button", name="Edit prompt").first.click()
    await lab.page.keyboard.type(" better")
    await lab.page.keyboard.press("Enter")
    await expect(prompts).to_have_text(["one better"])
    await finished(chat, 1)
    await chat.get_by_role("button", name="Previous version").click()
    await expect(prompts).to_have_text(["one", "two"])
    # The new branch is the newest one: what is typed goes on with the one that is read.
    await ask(chat, "three")
    await finished(chat, 3)
    await expect(prompts).to_have_text(["one", "two", "three"])
    await lab.run_done(1)
    await expect(lab.output(1)).to_contain_text("['one', 'two', 'three']")


async def test_an_arrow_stays_where_it_is_however_much_follows(lab: LabPage) -> None:
    await lab.open([chat_cell("demo/echo")])
    await lab.run_done(0)
    chat = lab.output(0)
    await ask(chat, "one")
    await finished(chat, 1)
    await ask(chat, LONG)
    await finished(chat, 2)
    await chat.get_by_role("button", name="Edit prompt").first.click()
    await lab.page.keyboard.type(" better")
    await lab.page.keyboard.press("Enter")
    await finished(chat, 1)
    back = chat.get_by_role("button", name="Previous version")
    before = await _top(back)
    await back.click()
    await finished(chat, 2)
    assert abs(await _top(back) - before) <= 1


async def test_another_model_answers_again_and_the_focus_stays_at_the_arrow(lab: LabPage) -> None:
    await lab.open([chat_cell("demo/echo")])
    await lab.run_done(0)
    chat = lab.output(0)
    answer = chat.get_by_role("article", name="Answer").last
    await ask(chat, LONG)
    await finished(chat, 1)
    await chat.get_by_role("button", name="Choose another model").click()
    await chat.get_by_role("menuitem", name="fast").click()
    await finished(chat, 1)
    await expect(answer).to_have_accessible_name("Answer of demo/fast")
    back = chat.get_by_role("button", name="Previous version")
    forth = chat.get_by_role("button", name="Next version")
    before = await _top(back)
    await back.click()
    await expect(answer).to_have_accessible_name("Answer of demo/echo")
    # A long answer takes the place of a short one above it.
    assert abs(await _top(back) - before) <= 1
    await expect(back).to_be_focused()
    await forth.click()
    await expect(answer).to_have_accessible_name("Answer of demo/fast")
    await expect(forth).to_be_focused()
    good = chat.get_by_role("button", name="Good answer")
    await good.click()
    await expect(good).to_have_attribute("aria-pressed", "true")
    assert await chat.locator(".streamchat-md-tail").count() == 0


async def test_a_follow_up_stands_in_the_queue_and_can_be_taken_back(
    lab: LabPage, provider: ProviderServer
) -> None:
    await lab.open([chat_cell(PACED)])
    await lab.run_done(0)
    chat = lab.output(0)
    box = chat.get_by_role("textbox", name="Prompt")
    answer = Paced(provider)
    await ask(chat, "Go on and on")
    answer.say(20)
    await expect(chat.locator(".streamchat-content")).to_have_text(answer.text)
    await ask(chat, "and then?")
    await expect(chat.locator(".streamchat-queued")).to_have_text("and then?Queued")
    await chat.get_by_role("button", name="Remove from the queue").click()
    await expect(box).to_have_value("and then?")
    await expect(chat.locator(".streamchat-prompt")).to_have_text("Go on and on")
    answer.say(20)
    await expect(chat.locator(".streamchat-content")).to_have_text(answer.text)
    await lab.save()
    await lab.reload()
    chat = lab.output(0)
    await expect(chat.locator(".streamchat-content")).to_have_text(answer.text)
    await expect(chat.locator(".streamchat-prompt")).to_have_text("Go on and on")
    answer.finish()
    await finished(chat, 1)


async def test_a_name_is_shown_at_the_top_in_every_page(lab: LabPage) -> None:
    await lab.open([chat_cell("demo/echo")])
    await lab.run_done(0)
    chat = lab.output(0)
    await ask(chat, "Hello")
    await finished(chat, 1)
    await chat.get_by_role("button", name="Name this conversation").click()
    await lab.page.keyboard.type("About dd and aa")
    await lab.page.keyboard.press("Enter")
    heading = chat.get_by_role("heading", name="About dd and aa")
    await expect(heading).to_be_visible()
    await lab.save()
    await lab.reload()
    await expect(heading).to_be_visible()


async def test_a_stopped_answer_is_gone_on_with(lab: LabPage) -> None:
    await lab.open([chat_cell("demo/slow"), "print([m.role for m in chat.messages])"])
    await lab.run_done(0)
    chat = lab.output(0)
    await ask(chat, "Explain tides")
    content = chat.locator(".streamchat-answer > .streamchat-content")
    await expect(content).to_contain_text("demo")
    await expect(chat.locator("summary")).to_have_text(re.compile(r"^Thought for \d+ s$"))
    await stop(chat)
    await chat.get_by_role("combobox", name="Model").select_option("demo/fast")
    await chat.get_by_role("button", name="Continue").click()
    await finished(chat, 1)
    await expect(content).to_have_count(2)
    # The demo goes on to its end, and does not begin again.
    await expect(content.last).not_to_contain_text("A demo, not a model")
    await expect(chat.locator(".streamchat-prompt")).to_have_text("Explain tides")
    await lab.run_done(1)
    await expect(lab.output(1)).to_contain_text("['user', 'assistant', 'assistant']")


async def _top(locator: Locator) -> float:
    box = await locator.bounding_box()
    assert box is not None
    return box["y"]
