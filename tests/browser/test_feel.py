"""What people ask of a chat: any width, keyboard alone, right to left, contrast, calm, paper."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.kit import CONTRAST, DARK, LIGHT, change_theme, open_panel
from tests.browser.test_accessibility import violations
from tests.fakes.lab import LabPage
from tests.pictures.stage import Stage
from tests.pictures.staged import Staged
from tests.pictures.states import MARKDOWN
from tests.pictures.talk import Talk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NARROW = 280
STAGE_PADDING = 24
ARABIC = """\
## عنوان

هذا نص مع `code` في الوسط.

- أولا
- ثانيا

> اقتباس

| اسم | value |
|---|---|
| علي | 3 |

English again.

```python
print('مرحبا')
```

- one
- two
"""
WIDER = """stage => [...stage.querySelectorAll('.streamchat, .streamchat *')].filter(one => {
    const box = one.getBoundingClientRect();
    const scrolls = one.closest('pre, .streamchat-md-table, .streamchat-unseen, [hidden]');
    const right = stage.querySelector('.streamchat').getBoundingClientRect().right;
    return !scrolls && box.width > 0 && box.right > right + 0.5;
}).map(one => one.outerHTML.slice(0, 120))"""


def busy() -> Talk:
    """A conversation with most of what there is."""
    return (
        Talk()
        .called("Gradients")
        .asks("Explain gradient descent")
        .answers("An older version.")
        .again()
        .thinks("Downhill.")
        .calls("search", {"query": "descent"}, result="found")
        .says(MARKDOWN)
        .ends("length")
        .asks("And more?")
        .stands("running")
        .calls("remove", {"path": "a.csv"}, asks="d1")
    )


async def show(stage: Stage, talk: Talk, **options: Any) -> Locator:
    """Draw it, complete."""
    shown = await stage.show(Staged(tuple(talk.events)), **options)
    await expect(shown.locator(".streamchat-row").first).to_be_attached()
    return shown


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def calm(stage: Stage) -> AsyncIterator[None]:
    """The next test finds the light and no wishes."""
    yield
    await stage.page.emulate_media(reduced_motion="no-preference")
    await change_theme(stage.lab, LIGHT)


async def test_a_chat_fits_into_280_pixels(stage: Stage) -> None:
    shown = await show(stage, busy(), width=NARROW + STAGE_PADDING)
    chat = shown.locator(".streamchat").first
    assert await chat.evaluate("chat => chat.offsetWidth") == NARROW
    assert await shown.evaluate(WIDER) == []
    assert await violations(shown) == []
    empty = await stage.show(Staged(), width=NARROW + STAGE_PADDING)
    await empty.get_by_role("textbox", name="Prompt").fill("A question " * 20)
    assert await empty.evaluate(WIDER) == []


async def test_every_control_is_reached_by_keyboard_is_seen_then_and_hidden_by_nothing(
    stage: Stage,
) -> None:
    shown = await show(stage, busy())
    await shown.evaluate(
        """stage => {
            const before = document.createElement('button');
            before.id = 'before';
            stage.prepend(before);
            before.focus();
        }"""
    )
    wanted = await shown.evaluate(
        """stage => {
            const all = stage.querySelectorAll(`.streamchat :is(button, a[href], textarea, select,
                input, summary, [tabindex="0"])`);
            const usable = [...all].filter(one => !one.disabled && one.tabIndex >= 0
                && !one.matches('[type=file]') && one.getClientRects().length > 0);
            usable.forEach((one, index) => one.dataset.number = index);
            return usable.length;
        }"""
    )
    assert wanted > 20
    seen = []
    for _ in range(wanted):
        await stage.page.keyboard.press("Tab")
        one = await stage.page.evaluate(
            """async () => {
                const one = document.activeElement;
                await new Promise(done => setTimeout(done, 0));
                await Promise.all(document.getAnimations()
                    .filter(one => one.effect.getTiming().iterations !== Infinity)
                    .map(one => one.finished.catch(() => null)));
                const style = getComputedStyle(one);
                const around = one.closest('.streamchat-box');
                let opacity = 1;
                for (let at = one; at; at = at.parentElement)
                    opacity *= getComputedStyle(at).opacity;
                const box = one.getBoundingClientRect();
                const inside = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5]].some(([x, y]) => {
                    const [left, top] = [box.width * x, Math.min(box.height * y, 300)];
                    const hit = document.elementFromPoint(box.x + left, box.y + top);
                    return hit && (one.contains(hit) || hit.contains(one));
                });
                return {
                    number: one.dataset.number,
                    name: one.ariaLabel ?? one.textContent.slice(0, 20),
                    marked: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2)
                        || (around && getComputedStyle(around).boxShadow !== 'none'),
                    opacity: one.ariaDisabled === 'true' ? 1 : opacity,
                    inside,
                };
            }"""
        )
        seen.append(one)
    assert sorted(int(one["number"]) for one in seen) == list(range(wanted))
    assert [one for one in seen if not one["marked"]] == []
    assert [one for one in seen if one["opacity"] < 0.99] == []
    assert [one for one in seen if not one["inside"]] == []


async def test_a_chat_fills_the_page_and_escape_brings_it_back_with_the_keyboard_where_it_was(
    stage: Stage,
) -> None:
    shown = await show(stage, Talk().asks("Hi").answers(MARKDOWN), width=400)
    chat = shown.locator(".streamchat").first
    before = await chat.bounding_box()
    button = shown.get_by_role("button", name="Fill the page")
    await button.focus()
    await stage.page.keyboard.press("Enter")
    size = stage.page.viewport_size
    assert size is not None
    whole = {"x": 0, "y": 0, "width": size["width"], "height": size["height"]}
    assert await chat.bounding_box() == whole
    assert (
        await stage.page.evaluate("document.activeElement.ariaLabel")
        == "Back to its place (Escape)"
    )
    assert await violations(shown) == []
    for _ in range(40):
        await stage.page.keyboard.press("Tab")
        assert await stage.page.evaluate(
            "[document.body, ...document.querySelectorAll('#stage .streamchat *')]"
            ".includes(document.activeElement)"
        )
    box = shown.get_by_role("textbox", name="Prompt")
    await box.fill("Half written")
    # A menu has its Escape first.
    await shown.get_by_role("button", name="Choose another model").click()
    await stage.page.keyboard.press("Escape")
    await expect(shown.get_by_role("menu")).to_have_count(0)
    assert await chat.bounding_box() == whole
    await box.focus()
    await stage.page.keyboard.press("Escape")
    assert await chat.bounding_box() == before
    await expect(box).to_be_focused()
    await expect(box).to_have_value("Half written")
    assert await stage.page.locator("[inert]").count() == 0


async def test_in_the_systems_colours_nothing_is_lost(stage: Stage) -> None:
    shown = await show(stage, busy(), media={"forced_colors": "active"})
    edges = await shown.locator(
        ".streamchat-prompt, .streamchat-round, .streamchat-allow, .streamchat-box,"
        ".streamchat-md-code"
    ).evaluate_all("all => all.map(one => getComputedStyle(one).borderTopWidth)")
    assert edges
    assert all(float(edge.removesuffix("px")) >= 1 for edge in edges)
    ground = await shown.locator(".streamchat-pulse i").first.evaluate(
        """one => [one, one.closest('.streamchat')].map(
            part => getComputedStyle(part).backgroundColor)"""
    )
    assert ground[0] != ground[1]
    assert await violations(shown) == []


async def test_who_wants_contrast_gets_quiet_words_in_full_ink_and_edges(stage: Stage) -> None:
    for theme in (LIGHT, DARK):
        await change_theme(stage.lab, theme)
        shown = await show(stage, busy(), media={"contrast": "more"})
        measured = await shown.locator(
            ".streamchat-figures > span, .streamchat-picker, summary, .streamchat-md-language"
        ).evaluate_all(CONTRAST)
        assert measured
        # WCAG 1.4.6: enhanced contrast.
        assert [one for one in measured if one["contrast"] < 7] == [], theme
        assert (
            await shown.locator(".streamchat-prompt").first.evaluate(
                "one => getComputedStyle(one).borderTopStyle"
            )
            == "solid"
        )
        assert await violations(shown) == []


async def test_who_wants_calm_sees_nothing_that_moves_by_itself(stage: Stage) -> None:
    talk = Talk().asks("Hi").stands("running").says("It goes", open=True)
    moving = """stage => document.getAnimations().filter(
        one => stage.contains(one.effect.target)).length"""
    shown = await show(stage, talk)
    await expect(shown.locator(".streamchat-md-tail")).to_be_visible()
    assert await shown.evaluate(moving) > 0
    await stage.page.emulate_media(reduced_motion="reduce")
    assert await shown.evaluate(moving) == 0


async def test_texts_run_as_their_letters_do_and_code_from_the_left(stage: Stage) -> None:
    shown = await show(stage, Talk().asks("ما هذا؟\nAnd this?").answers(ARABIC))
    content = shown.locator(".streamchat-content")
    await expect(content).to_contain_text("two")
    sides = await content.evaluate(
        """content => {
            const edge = content.getBoundingClientRect();
            const side = node => {
                const range = document.createRange();
                range.selectNodeContents(node);
                const box = range.getBoundingClientRect();
                return box.right - edge.left > edge.right - box.left ? 'right' : 'left';
            };
            const all = selector => [...content.querySelectorAll(selector)];
            return {
                heading: side(content.querySelector('h2')),
                paragraphs: all(':scope > p').map(side),
                lists: all('ul').map(one => {
                    const {direction, paddingRight, paddingLeft} = getComputedStyle(one);
                    return [direction, side(one.firstElementChild), paddingRight !== '0px',
                            paddingLeft !== '0px'];
                }),
                quote: [side(content.querySelector('blockquote p')),
                    getComputedStyle(content.querySelector('blockquote')).borderRightWidth],
                table: content.querySelector('th').getBoundingClientRect().x
                    > content.querySelectorAll('th')[1].getBoundingClientRect().x,
                code: all('code').map(one => getComputedStyle(one).direction),
            };
        }"""
    )
    assert sides == {
        "heading": "right",
        "paragraphs": ["right", "left"],
        "lists": [["rtl", "right", True, False], ["ltr", "left", False, True]],
        "quote": ["right", "3px"],
        "table": True,
        "code": ["ltr", "ltr"],
    }
    box = shown.get_by_role("textbox", name="Prompt")
    await box.fill("مرحبا")
    assert await box.evaluate("box => getComputedStyle(box).direction") == "rtl"
    await box.fill("Hello")
    assert await box.evaluate("box => getComputedStyle(box).direction") == "ltr"
    assert await violations(shown) == []


async def test_on_paper_there_is_the_conversation_and_none_of_its_controls(stage: Stage) -> None:
    shown = await show(stage, busy())
    await stage.page.emulate_media(media="print")
    try:
        visible = await shown.locator(
            "button:not(.streamchat-md-call), textarea, select"
        ).evaluate_all(
            "all => all.filter(one => one.checkVisibility()).map(one => one.outerHTML.slice(0, 80))"
        )
        assert visible == []
        for selector in (".streamchat-prompt", ".streamchat-content", ".streamchat-figures"):
            await expect(shown.locator(selector).first).to_be_visible()
    finally:
        await stage.page.emulate_media(media="screen")


async def test_a_long_chat_and_a_busy_one_have_no_barriers_in_either_theme(stage: Stage) -> None:
    long_one = Talk()
    for number in range(60):
        long_one.asks(f"Question {number}").answers("Line.\n\n" * 5)
    for talk in (long_one, busy()):
        shown = await show(stage, talk)
        for theme in (LIGHT, DARK):
            await change_theme(stage.lab, theme)
            assert await violations(shown) == [], theme


async def test_the_chat_of_the_side_panel_fills_the_page_too(lab: LabPage) -> None:
    await lab.open(["1"])
    panel = await open_panel(lab)
    chat = panel.locator(".streamchat-chat")
    before = await chat.bounding_box()
    await panel.get_by_role("button", name="Fill the page").click()
    box = await chat.bounding_box()
    size = lab.page.viewport_size
    assert box is not None
    assert size is not None
    assert (box["width"], box["height"]) == (size["width"], size["height"])
    await panel.get_by_role("textbox", name="Prompt").press("Escape")
    assert await chat.bounding_box() == before
    await expect(panel.get_by_role("textbox", name="Prompt")).to_be_focused()
