"""The widget's rules of access: WCAG 2.2 AA as far as axe-core can look, in every state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.browser.kit import DARK, LIGHT, PACED, Paced, ask, change_theme, chat_cell, finished
from tests.fakes.lab import LabPage
from tests.fakes.provider_server import Answer, ProviderServer
from tests.fakes.recordings import wav

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

AXE = (Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js").read_text(
    "utf-8"
)
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOK = """
    async (chat, tags) => {
        const found = await axe.run(chat, {
            runOnly: {type: 'tag', values: tags},
            // Of whole pages, of which a widget is a part.
            rules: {region: {enabled: false}},
        });
        return found.violations.map(one => ({
            rule: one.id,
            nodes: one.nodes.map(node => [node.html, node.failureSummary]),
        }));
    }
"""

SETTLED = """
    () => Promise.all(document.getAnimations()
        .filter(one => one.effect.getTiming().iterations !== Infinity)
        .map(one => one.finished.catch(() => null)))
"""

TOOLS = """
from jupyter_streamchat import Chat
chat = Chat("demo/tools")
@chat.tool
def remove(path: str) -> str:
    "Remove a file."
    return "removed"
chat
"""


async def violations(chat: Locator) -> list[Any]:
    """What axe-core finds in a chat, in the light and in the dark theme."""
    page = chat.page
    if not await page.evaluate("'axe' in window"):
        await page.add_script_tag(content=AXE)
    # In an output stands more than the chat; the side panel is all ours.
    panel = await chat.evaluate("one => one.matches('.streamchat-panel')")
    widget = chat if panel else chat.locator(".streamchat").first
    # Colours on their way to another theme are none of either.
    await page.evaluate(SETTLED)
    found: list[Any] = await widget.evaluate(LOOK, TAGS)
    return found


async def clean_in_both_themes(lab: LabPage, chat: Locator) -> None:
    """Fail with what axe-core finds."""
    for theme in (LIGHT, DARK):
        await change_theme(lab, theme)
        assert await violations(chat) == [], theme
    await change_theme(lab, LIGHT)


async def test_an_empty_and_a_finished_chat_have_no_barriers(lab: LabPage) -> None:
    await lab.open([chat_cell("demo/fast")])
    await lab.run_done(0)
    chat = lab.output(0)
    await clean_in_both_themes(lab, chat)
    # Headings, lists, tables, code, links: the demo shows them all.
    await ask(chat, "Show me everything")
    await finished(chat, 1)
    await clean_in_both_themes(lab, chat)


async def test_a_streaming_chat_has_no_barriers(lab: LabPage, provider: ProviderServer) -> None:
    paced = Paced(provider)
    await lab.open([chat_cell(PACED)])
    await lab.run_done(0)
    chat = lab.output(0)
    await ask(chat, "Go")
    paced.say(20)
    await expect(chat.locator(".streamchat-content")).to_contain_text("word19")
    await clean_in_both_themes(lab, chat)
    paced.finish()
    await finished(chat, 1)


async def test_a_failed_answer_and_a_call_that_asks_have_no_barriers(
    lab: LabPage, provider: ProviderServer
) -> None:
    provider.answers.clear()
    provider.answers.append(Answer(status=401, body={"error": {"code": "invalid_api_key"}}))
    await lab.open([chat_cell(PACED), TOOLS])
    await lab.run_done(0)
    failed = lab.output(0)
    await ask(failed, "Go")
    await expect(failed.locator(".streamchat-bad")).to_contain_text("refused the API key")
    await clean_in_both_themes(lab, failed)
    await lab.run_done(1)
    asking = lab.output(1)
    await ask(asking, "Please remove 'a.csv'")
    await expect(asking.locator(".streamchat-asked")).to_be_visible()
    await clean_in_both_themes(lab, asking)
    await asking.get_by_role("button", name="Allow once").click()
    await finished(asking, 1)
    await clean_in_both_themes(lab, asking)


async def test_audio_and_the_look_at_a_cells_changes_have_no_barriers(
    lab: LabPage, provider: ProviderServer
) -> None:
    paced = Paced(provider, ["```python\n", "b = 1\n", "```\n"])
    await lab.open([chat_cell(PACED)])
    await lab.run_done(0)
    chat = lab.output(0)
    await chat.locator("input[type=file]").set_input_files(
        [{"name": "tone.wav", "mimeType": "", "buffer": wav()}]
    )
    await expect(chat.locator(".streamchat-recording")).to_contain_text("0:01")
    await clean_in_both_themes(lab, chat)
    await ask(chat, "Go")
    paced.finish()
    for theme in (LIGHT, DARK):
        await change_theme(lab, theme)
        await chat.get_by_role("button", name="Replace cell [1]").click()
        assert await violations(chat) == [], theme
        await lab.page.keyboard.press("Escape")
    await change_theme(lab, LIGHT)
