"""A conversation of a thousand messages: little is mounted, nothing moves, all can be reached."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from streamchat_relay.model import TextDelta
from tests.pictures.stage import Stage
from tests.pictures.staged import Staged
from tests.pictures.talk import Talk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MESSAGES = 1000
MOST_MOUNTED = 60
NATIVE = "auto"
OURS = "none"
"""Whether the browser keeps the reader's place, or cannot (as Safari)."""

AT = """
    list => {
        const edge = list.getBoundingClientRect().top;
        const rows = [...list.querySelectorAll('.streamchat-row')];
        const seen = rows.find(row => row.getBoundingClientRect().bottom > edge);
        return seen && [seen.dataset.entry, seen.getBoundingClientRect().top - edge];
    }
"""
WHERE = """
    (list, key) => [...list.querySelectorAll('.streamchat-row')]
        .filter(row => row.dataset.entry === key)
        .map(row => row.getBoundingClientRect().top - list.getBoundingClientRect().top)[0]
"""
# All frames until nothing has moved for a few.
REST = """
    list => new Promise(done => {
        let [still, last] = [0, null];
        const look = () => {
            const now = `${list.scrollTop} ${list.scrollHeight} ${list.childElementCount}`;
            still = now === last ? still + 1 : 0;
            last = now;
            if (still > 4) done();
            else requestAnimationFrame(look);
        };
        look();
    })
"""
# At each step of a walk: how far a row moved beyond what was scrolled, and what was empty.
WALK = """
    async (list, [by, steps]) => {
        // After the frame of a scroll: the stage's clock has animation frames of its own.
        const painted = () => new Promise(done => list.addEventListener('scroll', () => {
            const after = new MessageChannel();
            after.port1.onmessage = done;
            after.port2.postMessage(null);
        }, {once: true}));
        const found = {jumps: [], empty: 0};
        for (let step = 0; step < steps; step += 1) {
            const edge = list.getBoundingClientRect().top;
            const rows = [...list.querySelectorAll('.streamchat-row')];
            const seen = rows.find(row => row.getBoundingClientRect().bottom > edge);
            const before = seen.getBoundingClientRect().top;
            list.scrollBy(0, by);
            await painted();
            found.jumps.push(Math.abs(seen.getBoundingClientRect().top - before + by));
            const view = list.getBoundingClientRect();
            for (const gap of list.querySelectorAll('.streamchat-gap')) {
                const box = gap.getBoundingClientRect();
                if (box.bottom > view.top + 1 && box.top < view.bottom - 1) found.empty += 1;
            }
        }
        return found;
    }
"""


def long_talk() -> Talk:
    """Answers of every height."""
    talk = Talk()
    for number in range(MESSAGES // 2):
        lines = "\n\n".join(f"Line {line} of {number}." for line in range(1 + number * 7 % 23))
        code = "\n```python\n" + "x = 1\n" * (number % 40) + "```\n" if number % 3 == 0 else ""
        talk.asks(f"Question {number} " + "and more " * (number % 60)).answers(lines + code)
    return talk


@pytest.fixture(params=[NATIVE, OURS])
def anchoring(request: pytest.FixtureRequest) -> str:
    """Both ways to keep the reader's place."""
    chosen: str = request.param
    return chosen


async def shown(stage: Stage, anchoring: str = NATIVE, talk: Talk | None = None) -> Locator:
    """The list of a thousand messages, at its end and at rest."""
    chat = await stage.show(Staged(tuple((talk or long_talk()).events)))
    list_ = chat.locator(".streamchat-list")
    await expect(chat.locator(".streamchat-row").last).to_contain_text(f"of {MESSAGES // 2 - 1}.")
    await list_.evaluate("(list, way) => { list.style.overflowAnchor = way; }", anchoring)
    await list_.evaluate(REST)
    return list_


async def scroll(list_: Locator, to: str) -> None:
    """Jump, as with the scrollbar, and wait until nothing moves."""
    await list_.evaluate(f"list => {{ list.scrollTop = {to}; }}")
    await list_.evaluate(REST)


async def test_of_a_thousand_messages_only_what_is_near_is_mounted(stage: Stage) -> None:
    list_ = await shown(stage)
    rows = list_.locator(".streamchat-row")
    for place in ("list.scrollHeight", "list.scrollHeight / 2", "list.scrollHeight / 3", "0"):
        await scroll(list_, place)
        assert 2 <= await rows.count() <= MOST_MOUNTED
        assert await list_.evaluate(AT) is not None
    await expect(rows.first).to_contain_text("Question 0")
    sizes = await rows.locator("[aria-setsize]").evaluate_all(
        "rows => rows.map(row => [+row.ariaPosInSet, +row.ariaSetSize])"
    )
    assert [place for place, _ in sizes] == list(range(1, len(sizes) + 1))
    assert {size for _, size in sizes} == {MESSAGES}


async def test_a_walk_through_it_shows_no_jump_and_nothing_empty(
    stage: Stage, anchoring: str
) -> None:
    list_ = await shown(stage, anchoring)
    await scroll(list_, "list.scrollHeight / 2")
    found = await list_.evaluate(WALK, [-180, 120])
    assert found["empty"] == 0
    assert max(found["jumps"]) <= 1
    found = await list_.evaluate(WALK, [240, 60])
    assert found["empty"] == 0
    assert max(found["jumps"]) <= 1


async def test_a_jump_into_the_middle_stays_there_and_so_does_what_is_read_while_an_answer_grows(
    stage: Stage, anchoring: str
) -> None:
    talk = long_talk()
    list_ = await shown(stage, anchoring, talk)
    told = len(talk.events)
    talk.asks("One more").stands("running").says("It goes on.", open=True)
    stage.relay.tell(stage.conversation, talk.events[told:])
    await expect(list_.locator(".streamchat-row").last).to_contain_text("It goes on.")
    await scroll(list_, "list.scrollHeight * 0.4")
    key, top = await list_.evaluate(AT)
    run = talk.events[-1].run
    for number in range(20):
        more = TextDelta(t=500, run=run, part="1", delta=f"\n\nParagraph {number}.")
        stage.relay.tell(stage.conversation, [more])
    await list_.evaluate(REST)
    assert abs(await list_.evaluate(WHERE, key) - top) <= 1
    await stage.page.get_by_role("button", name="Jump to latest").click()
    await expect(list_.locator(".streamchat-row").last).to_contain_text("Paragraph 19.")
    await list_.evaluate(REST)
    assert (
        await list_.evaluate("list => list.scrollHeight - list.clientHeight - list.scrollTop") < 2
    )


async def test_the_keyboard_walks_through_all_of_it_message_by_message(stage: Stage) -> None:
    list_ = await shown(stage)
    await list_.locator("article, [role=article]").last.focus()
    focused = "() => document.activeElement.getAttribute('aria-posinset')"
    await stage.page.keyboard.press("Control+Home")
    await stage.page.wait_for_function(f"({focused})() === '1'")
    for number in range(2, 60):
        for _ in range(8):
            await stage.page.keyboard.press("PageDown")
            if await stage.page.evaluate(focused) == str(number):
                break
        assert await stage.page.evaluate(focused) == str(number)
    await stage.page.keyboard.press("Control+End")
    await stage.page.wait_for_function(f"({focused})() === '{MESSAGES}'")


async def test_what_is_in_use_stays_mounted_far_away(stage: Stage) -> None:
    list_ = await shown(stage)
    await list_.locator(".streamchat-turn").last.hover()
    await list_.get_by_role("button", name="Edit prompt").last.click()
    editor = list_.get_by_role("textbox", name="Edit prompt")
    await editor.fill("Half written")
    await scroll(list_, "0")
    await expect(list_.locator(".streamchat-row").first).to_contain_text("Question 0")
    await expect(editor).to_have_value("Half written")
    await editor.press("Escape")
    await scroll(list_, "list.scrollHeight / 2")
    paragraph = list_.locator(".streamchat-content p").nth(8)
    text = await paragraph.inner_text()
    await paragraph.evaluate("one => getSelection().selectAllChildren(one)")
    await scroll(list_, "list.scrollHeight")
    assert await stage.page.evaluate("getSelection().toString()") == text


async def test_all_of_it_is_printed_copied_and_found(stage: Stage) -> None:
    list_ = await shown(stage)
    rows = list_.locator(".streamchat-row")
    page = stage.page
    await page.emulate_media(media="print")
    await expect(rows).to_have_count(MESSAGES)
    await page.emulate_media(media="screen")
    await expect(rows.nth(MOST_MOUNTED)).not_to_be_attached()
    await list_.press("Control+a")
    copied: str = await page.evaluate("getSelection().toString()")
    assert len(re.findall(r"Question \d+", copied)) == MESSAGES // 2
    await page.evaluate("getSelection().removeAllRanges()")
    await expect(rows.first).not_to_contain_text("Question 0 ")
    found: dict[str, Any] = await list_.evaluate(
        """list => {
            const hidden = [...list.querySelectorAll('[hidden=until-found]')];
            const one = hidden.find(row => row.textContent.startsWith('Question 17 '));
            one.dispatchEvent(new Event('beforematch', {bubbles: true}));
            return {all: hidden.length, shown: hidden.some(row => row.offsetHeight > 0)};
        }"""
    )
    assert found["all"] > MESSAGES - MOST_MOUNTED
    assert not found["shown"]
    await expect(rows.filter(has_text="Question 17 ")).to_be_in_viewport()


async def test_what_a_person_did_in_a_message_is_there_when_it_comes_back(stage: Stage) -> None:
    list_ = await shown(stage)
    row = list_.locator(".streamchat-row:has(.streamchat-md-code)").last
    key = await row.get_attribute("data-entry")
    await row.get_by_role("button", name="Wrap").click()
    await stage.page.get_by_role("textbox", name="Prompt").focus()
    await scroll(list_, "0")
    back = list_.locator(f"[data-entry={key}]")
    await expect(back).to_have_count(0)
    await scroll(list_, "list.scrollHeight")
    await expect(back.locator(".streamchat-md-wrapped")).to_have_count(1)


FRAMES = """
    () => new Promise(done => {
        const area = document.querySelector('#stage textarea');
        area.addEventListener('keydown', () => {
            const text = area.value;
            let frames = 0;
            const look = () => {
                frames += 1;
                const rows = [...document.querySelectorAll('#stage .streamchat-prompt')];
                if (rows.some(row => row.textContent === text)) done(frames);
                else requestAnimationFrame(look);
            };
            requestAnimationFrame(look);
        }, {capture: true, once: true});
    })
"""


async def test_a_prompt_is_on_the_screen_with_the_next_frame(stage: Stage) -> None:
    await shown(stage)
    box = stage.page.get_by_role("textbox", name="Prompt")
    await box.fill("At once")
    frames = asyncio.ensure_future(stage.page.evaluate(FRAMES))
    # What is asked of the page is carried out in order.
    await stage.page.evaluate("1")
    await box.press("Enter")
    assert await frames == 1
