"""The widget takes Jupyter's colours, and is legible in the dark as in the light."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.kit import (
    CONTRAST,
    DARK,
    LEGIBLE,
    LIGHT,
    ask,
    change_theme,
    chat_cell,
    finished,
)
from tests.fakes.lab import LabPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PROMPT = "# One\n\n**two** [three](https://jupyter.org) `four`\n\n| five |\n|--|\n| six |"
TEXTS = {
    "prompt": ".streamchat-prompt",
    "answer": ".streamchat-content :is(h1, p, strong, a, code, th, td)",
    "composer": "textarea",
    "model": ".streamchat-picker",
    "figures": ".streamchat-figures > span",
}


@pytest_asyncio.fixture(loop_scope="session")
async def chat_page(lab: LabPage) -> AsyncIterator[LabPage]:
    """A page with a chat; the next test finds it in the light."""
    await lab.open([chat_cell("demo/echo")])
    await lab.run_done(0)
    yield lab
    await change_theme(lab, LIGHT)


async def test_a_chat_follows_the_theme_and_its_text_stays_legible(chat_page: LabPage) -> None:
    chat = chat_page.output(0)
    await ask(chat, PROMPT)
    await finished(chat, 1)
    for theme in (LIGHT, DARK):
        await change_theme(chat_page, theme)
        for name, selector in TEXTS.items():
            measured = await chat.locator(selector).evaluate_all(CONTRAST)
            assert measured, name
            for one in measured:
                assert one["contrast"] >= LEGIBLE, (theme, name, one)
                assert (one["ink"] < one["ground"]) == (theme == LIGHT), (theme, name, one)
