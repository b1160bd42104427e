"""On paper an answer is whole: what is not laid out on a screen, folded or scrolled there, too."""

from __future__ import annotations

import re
import zlib

import pytest
from playwright.async_api import Browser, expect

from tests.browser.kit import PACED, Paced, ask, chat_cell
from tests.browser.test_markdown import LOAD, MODULE
from tests.fakes.lab import LabPage
from tests.fakes.provider_server import ProviderServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LINES = 300
LONG = (
    "".join(f"- item {number}\n" for number in range(LINES))
    + f"\n```python\nx = '{'wide' * 100}'\n"
    + "".join(f"x = {number}\n" for number in range(1, LINES))
    + "```\n"
)
LAID_OUT = """content => [...content.querySelectorAll('li, code span')].map(
    one => one.checkVisibility({contentVisibilityAuto: true}))"""
# How much more there is than is seen, of each thing that scrolls on the screen.
UNSEEN = """content => [content.closest('.streamchat-list'), content.querySelector('pre')].flatMap(
    one => [one.scrollHeight - one.clientHeight, one.scrollWidth - one.clientWidth])"""
SHOW = """text => {
    const stream = markdown.createMarkdownStream(document.getElementById('content'));
    stream.push(text);
    stream.end();
}"""


async def test_a_printed_chat_shows_all_of_a_long_list_and_of_folded_code(
    lab: LabPage, provider: ProviderServer
) -> None:
    await lab.open([chat_cell(PACED)])
    await lab.run_done(0)
    Paced(provider, [LONG]).finish()
    await ask(lab.output(0), "A long one")
    content = lab.output(0).locator(".streamchat-content")
    await expect(content.locator(".streamchat-md-folded")).to_have_count(1)
    shown = await content.evaluate(LAID_OUT)
    assert len(shown) >= 2 * LINES
    assert not all(shown)
    assert max(await content.evaluate(UNSEEN)) > 0
    await lab.page.emulate_media(media="print")
    try:
        assert all(await content.evaluate(LAID_OUT))
        assert max(await content.evaluate(UNSEEN)) <= 0
    finally:
        await lab.page.emulate_media(media="screen")


async def test_a_pdf_draws_every_line_of_a_long_list_and_of_long_code(browser: Browser) -> None:
    page = await browser.new_page()
    await page.set_content("<!doctype html><div id='content'></div>")
    await page.evaluate(LOAD, MODULE.read_text("utf-8"))
    await page.evaluate(SHOW, LONG)
    pdf = await page.pdf()
    await page.close()
    packed = re.findall(rb"/FlateDecode.*?>>\s*stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    drawn = b"".join(zlib.decompressobj().decompress(one) for one in packed)
    # An item is its mark and its words at least, a line its name, its sign and its number.
    assert len(re.findall(rb"\bT[jJ]\b", drawn)) >= 5 * LINES
