"""The widget takes Jupyter's colours, and is legible in the dark as in the light."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.kit import ask, chat_cell, finished
from tests.fakes.lab import LabPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"
LEGIBLE = 4.5
"""WCAG 2.2, 1.4.3: the contrast of text at least."""

PROMPT = "# One\n\n**two** [three](https://jupyter.org) `four`\n\n| five |\n|--|\n| six |"
TEXTS = {
    "prompt": ".streamchat-prompt",
    "answer": ".streamchat-content :is(h1, p, strong, a, code, th, td)",
    "composer": "textarea",
    "model": ".streamchat-picker",
    "figures": ".streamchat-figures > span",
}
# Colours may be half transparent: a canvas lays them over each other as the page does.
MEASURE = """
    nodes => {
        const canvas = document.createElement('canvas');
        const paint = canvas.getContext('2d', {willReadFrequently: true});
        const over = colour => {
            paint.fillStyle = colour;
            paint.fillRect(0, 0, 1, 1);
        };
        const luminance = () => {
            const bytes = [...paint.getImageData(0, 0, 1, 1).data];
            const [red, green, blue] = bytes.map(byte => {
                const part = byte / 255;
                return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        };
        return nodes.map(node => {
            over('white');
            const grounds = [];
            for (let one = node; one !== null; one = one.parentElement) {
                grounds.unshift(getComputedStyle(one).backgroundColor);
            }
            grounds.forEach(over);
            const ground = luminance();
            over(getComputedStyle(node).color);
            const ink = luminance();
            const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
            return {ink, ground, contrast, text: node.innerText};
        });
    }
"""


@pytest_asyncio.fixture(loop_scope="session")
async def chat_page(lab: LabPage) -> AsyncIterator[LabPage]:
    """A page with a chat; the next test finds it in the light."""
    await lab.open([chat_cell("demo/echo")])
    await lab.run_done(0)
    yield lab
    await change_theme(lab, LIGHT)


async def change_theme(lab: LabPage, name: str) -> None:
    """Choose one of Lab's themes, and wait until it is on."""
    await lab.command("apputils:change-theme", theme=name)
    await expect(lab.page.locator("body")).to_have_attribute("data-jp-theme-name", name)


async def test_a_chat_follows_the_theme_and_its_text_stays_legible(chat_page: LabPage) -> None:
    chat = chat_page.output(0)
    await ask(chat, PROMPT)
    await finished(chat, 1)
    for theme in (LIGHT, DARK):
        await change_theme(chat_page, theme)
        for name, selector in TEXTS.items():
            measured = await chat.locator(selector).evaluate_all(MEASURE)
            assert measured, name
            for one in measured:
                assert one["contrast"] >= LEGIBLE, (theme, name, one)
                assert (one["ink"] < one["ground"]) == (theme == LIGHT), (theme, name, one)
