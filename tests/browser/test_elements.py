"""One answer with every element of Markdown, drawn well: in the light, in the dark, narrow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.kit import (
    CONTRAST,
    DARK,
    LEGIBLE,
    LIGHT,
    PACED,
    Paced,
    ask,
    change_theme,
    chat_cell,
    finished,
)
from tests.browser.test_markdown import MODULE
from tests.fakes.lab import LabPage
from tests.fakes.provider_server import ProviderServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ALERTS = ("note", "tip", "important", "warning", "caution")
CODE = 'def f(x: int = 1) -> str:\n    """Words."""\n    return f"{x}"  # why\n'
ANSWER = (
    "# First\n\nSome *emphasis*, **strong words**, ~~struck ones~~, `code`, a [link]"
    "(https://jupyter.org) and <https://example.com/auto>, with $e^{i\\pi} = -1$ among them and a "
    "hard break  \nbefore these. <b>Raw</b> HTML is text.\n\n"
    "## Second\n\n- tight\n- list, whose second item is so long that it must go on in a second "
    "line, even where the page is as wide as this one is\n  - nested\n    1. deeper\n- last\n\n"
    "* loose\n\n* list\n\n  with a second paragraph\n\n"
    "98. ninety-eight\n99. ninety-nine\n100. a hundred\n\n"
    "- [x] done\n- [ ] open\n  - [ ] nested\n\n"
    "### Third\n\n> quoted *words* and `code`\n>\n> > nested quote\n\n"
    + "".join(f"> [!{kind.upper()}]\n> This is a {kind}, `code`.\n\n" for kind in ALERTS)
    + f"```python\n{CODE}```\n\n```\nno language {'and long ' * 20}\n```\n\n"
    "```mermaid\ngraph TD; A-->B;\n```\n\n```html\n<p class='a'>one</p>\n```\n\n"
    "| left | middle | right |\n|:--|:-:|--:|\n| `one` | **two** | 3.14 |\n| a | b | 42 |\n\n"
    "***\n\n$$\\int_0^1 \\frac{x^2}{\\sqrt{1 - x}} \\, dx = \\sum_{n=1}^{\\infty} a_n$$\n\n"
    '![A plot](https://example.com/plot.png "Title")\n\n<div>raw block</div>\n\n'
    "The end,[^a] twice.[^a]\n\n[^a]: A footnote with `code`.\n"
)
BLOCKS = ["h1", "p", "h2", "ul", "ul", "ol", "ul", "h3", "blockquote", *["alert"] * 5]
BLOCKS += [*["code"] * 4, "table", "hr", "p", "p", "html", "p", "footnotes"]

ORDER = """content => [...content.children].map(one =>
    (/streamchat-md-(\\w+)/.exec(one.className) || [, one.localName])[1])"""
# What scrolls by itself may be wider inside; what is not drawn is nowhere.
OUTSIDE = """content => {
    const {left, right} = content.getBoundingClientRect();
    const walk = node => [...node.children].flatMap(one => {
        const box = one.getBoundingClientRect();
        const out = box.width > 0 && (box.right > right + 1 || box.left < left - 1);
        const scrolls = /auto|scroll/.test(getComputedStyle(one).overflowX);
        return [...(out ? [one.outerHTML] : []), ...(scrolls ? [] : walk(one))];
    });
    return walk(content);
}"""
# How far a list's marks are from where the chat is cut. A number stands a space left of its item.
MARKS = """content => {
    const edge = content.closest('.streamchat-list').getBoundingClientRect().left;
    const paint = document.createElement('canvas').getContext('2d');
    return [...content.querySelectorAll('li')].map(item => {
        const list = item.parentElement;
        const number = (list.start || 1) + [...list.children].indexOf(item);
        paint.font = getComputedStyle(item).font;
        const box = item.querySelector(':scope > input');
        const left = box ? box.getBoundingClientRect().left
            : item.getBoundingClientRect().left - paint.measureText(`${number}. `).width;
        return left - edge;
    });
}"""
# The colours of code are Jupyter's own.
WORDS = (
    ":is(h1, h2, h3, p, li, td, th, a, em, strong, del, code, .streamchat-md-html,"
    " .streamchat-md-call, .streamchat-md-picture, .streamchat-md-picture-address)"
)
TITLES = ":is(.streamchat-md-alert, .streamchat-md-language, .streamchat-md-action)"
COLOURS = """alerts => alerts.flatMap(one =>
    [getComputedStyle(one).borderLeftColor, getComputedStyle(one, '::before').color])"""
UNCUT = ".streamchat-list { max-height: none !important }"
HEIGHTS = """async (content, [source, text, step]) => {
    const blob = new Blob([source], {type: 'text/javascript'});
    const markdown = await import(URL.createObjectURL(blob));
    const copy = content.cloneNode(false);
    content.after(copy);
    const stream = markdown.createMarkdownStream(copy, {math: true, relative: false});
    const heights = [];
    const look = at => heights.push([text.slice(0, at), copy.getBoundingClientRect().height]);
    for (let at = step; at < text.length + step; at += step) {
        stream.push(text.slice(at - step, at));
        stream.flush();
        look(at);
    }
    stream.end();
    look(text.length);
    copy.remove();
    return heights;
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chat(lab_page: LabPage, provider: ProviderServer) -> AsyncIterator[Locator]:
    """A chat whose first answer has everything."""
    await lab_page.open([chat_cell(PACED)])
    await lab_page.run_done(0)
    chat = lab_page.output(0).locator(".streamchat")
    answer = Paced(provider, [ANSWER[at : at + 7] for at in range(0, len(ANSWER), 7)])
    await ask(chat, "Everything")
    answer.finish()
    await finished(chat, 1)
    yield chat
    await lab_page.close()


@pytest.fixture
def content(chat: Locator) -> Locator:
    """That answer."""
    return chat.locator(".streamchat-content").first


async def test_every_element_is_shown_in_its_order(content: Locator) -> None:
    blocks = await content.evaluate(ORDER)
    assert blocks == BLOCKS
    for name in ("em", "strong", "del", "br", "p > code", "p > a[href]", "li li li", "ol[start]"):
        assert await content.locator(name).count() > 0, name
    assert await content.locator("math").count() == 2
    assert await content.locator("li > input").count() == 3
    assert await content.locator("code > span[class]").count() > 5
    assert await content.locator("b, img").count() == 0


async def test_the_lines_of_a_tight_list_stand_evenly(content: Locator) -> None:
    items = content.locator("ul").first.locator("li")
    tops = "items => items.map(one => one.getBoundingClientRect().top)"
    _, _, nested, deeper, last = await items.evaluate_all(tops)
    assert deeper - nested == pytest.approx(last - deeper, abs=1)


@pytest.mark.parametrize("width", ["100%", "320px"])
async def test_nothing_sticks_out_and_list_marks_are_seen(
    chat: Locator, content: Locator, width: str
) -> None:
    await chat.evaluate("(one, width) => { one.style.width = width; }", width)
    assert await content.evaluate(OUTSIDE) == []
    assert min(await content.evaluate(MARKS)) > 4
    await chat.evaluate("one => one.style.removeProperty('width')")


async def test_words_are_legible_and_alerts_differ_in_both_themes(
    lab_page: LabPage, chat: Locator, content: Locator, tmp_path: Path
) -> None:
    size = lab_page.page.viewport_size
    assert size is not None
    await lab_page.page.set_viewport_size({"width": size["width"], "height": 3000})
    alerts = set()
    for theme in (LIGHT, DARK):
        await change_theme(lab_page, theme)
        await chat.screenshot(path=tmp_path / f"{theme}.png", style=UNCUT)
        words = await content.locator(WORDS).evaluate_all(CONTRAST)
        words += await content.locator(TITLES).evaluate_all(CONTRAST, "::before")
        assert [word for word in words if word["contrast"] < LEGIBLE] == []
        assert {word["ink"] < word["ground"] for word in words} == {theme == LIGHT}
        alerts |= set(await content.locator(".streamchat-md-alert").evaluate_all(COLOURS))
    await change_theme(lab_page, LIGHT)
    await lab_page.page.set_viewport_size(size)
    assert len(alerts) == 2 * len(ALERTS)


@pytest.mark.parametrize("step", [1, 7])
async def test_an_answer_that_comes_by_few_characters_does_not_jump(
    content: Locator, step: int
) -> None:
    heights = await content.evaluate(HEIGHTS, [MODULE.read_text("utf-8"), ANSWER, step])
    line = await content.evaluate("one => parseFloat(getComputedStyle(one).lineHeight)")
    for (_, before), (text, after) in pairwise(heights):
        assert after >= before - line, text[-40:]
    assert heights[-1][1] == await content.evaluate("one => one.getBoundingClientRect().height")


async def test_the_mark_of_the_end_is_there_while_it_streams_and_gone_then(
    chat: Locator, provider: ProviderServer
) -> None:
    answer = Paced(provider, ["Some ", "words ", "and **bold", "** ones."])
    await ask(chat, "A mark")
    mark = chat.locator(".streamchat-content .streamchat-md-tail")
    answer.say(3)
    await expect(chat.locator(".streamchat-content strong").last).to_have_text("bold")
    await expect(mark).to_have_count(1)
    answer.finish()
    await expect(chat.get_by_role("button", name="Stop")).to_have_count(0)
    await expect(mark).to_have_count(0)
