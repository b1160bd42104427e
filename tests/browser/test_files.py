"""Files in the chat of a real JupyterLab: from a person's hands to the provider, and back."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.browser.kit import PACED, Paced, ask, chat_cell, finished
from tests.fakes.lab import LabPage
from tests.fakes.pictures import png
from tests.fakes.provider_server import ProviderServer
from tests.fakes.recordings import wav

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

RED, BLUE = png(200, 30, 30, side=64), png(30, 30, 200, side=64)

# A clipboard and a drag can only be filled by the page itself.
GIVE = """
    (node, [type, encoded, name]) => {
        const bytes = Uint8Array.from(atob(encoded), letter => letter.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([bytes], name, {type: 'image/png'}));
        const all = {bubbles: true, cancelable: true};
        const event = type === 'paste'
            ? new ClipboardEvent(type, {...all, clipboardData: data})
            : new DragEvent(type, {...all, dataTransfer: data});
        node.dispatchEvent(event);
        return event.defaultPrevented;
    }
"""


async def give(node: Locator, kind: str, data: bytes, name: str) -> None:
    """Paste a file, or hold it over the node, or drop it there."""
    assert await node.evaluate(GIVE, [kind, base64.b64encode(data).decode(), name])


def pictures(provider: ProviderServer) -> list[Any]:
    """What the last call told of pictures."""
    content = provider.calls[-1].json["messages"][-1]["content"]
    return [piece["image_url"]["url"] for piece in content if piece["type"] == "image_url"]


async def test_pictures_that_are_pasted_dropped_and_picked_reach_the_provider(
    lab: LabPage, provider: ProviderServer
) -> None:
    await lab.open([chat_cell(PACED)])
    await lab.run_done(0)
    chat = lab.output(0)
    answer = Paced(provider)
    await give(chat.get_by_role("textbox", name="Prompt"), "paste", RED, "pasted.png")
    await give(chat.locator(".streamchat-chat"), "dragenter", BLUE, "dropped.png")
    await expect(chat.locator(".streamchat-drop")).to_be_visible()
    await give(chat.locator(".streamchat-chat"), "drop", BLUE, "dropped.png")
    await expect(chat.locator(".streamchat-drop")).to_have_count(0)
    await chat.locator("input[type=file]").set_input_files(
        [{"name": "notes.txt", "mimeType": "text/plain", "buffer": "größer".encode()}]
    )
    waiting = chat.locator(".streamchat-box li")
    await expect(waiting).to_have_count(3)
    await expect(waiting.locator("progress")).to_have_count(0)
    await ask(chat, "Compare these")
    await expect(waiting).to_have_count(0)
    answer.finish()
    await finished(chat, 1)
    encoded = [base64.b64encode(data).decode() for data in (RED, BLUE)]
    assert pictures(provider) == [f"data:image/png;base64,{one}" for one in encoded]
    told = provider.calls[-1].json["messages"][-1]["content"]
    assert [piece["text"] for piece in told if piece["type"] == "text"] == [
        "notes.txt:\ngrößer",
        "Compare these",
    ]
    await lab.save()
    await lab.reload()
    prompt = lab.output(0).locator(".streamchat-prompt")
    await expect(prompt.locator("img")).to_have_count(2)
    await expect(prompt).to_contain_text("notes.txt")
    # Not only there: seen.
    sizes = "nodes => nodes.map(node => node.decode().then(() => node.naturalWidth))"
    shown = await prompt.locator("img").evaluate_all(
        f"async nodes => Promise.all(({sizes})(nodes))"
    )
    assert shown == [64, 64]


async def test_audio_is_played_before_it_is_sent_and_after_and_reaches_the_provider(
    lab: LabPage, provider: ProviderServer
) -> None:
    await lab.open([chat_cell(PACED)])
    await lab.run_done(0)
    chat = lab.output(0)
    answer = Paced(provider)
    tone = wav(2.0)
    await chat.locator("input[type=file]").set_input_files(
        [{"name": "tone.wav", "mimeType": "", "buffer": tone}]
    )
    waiting = chat.locator(".streamchat-box .streamchat-recording")
    await expect(waiting).to_contain_text("tone.wav")
    await expect(waiting).to_contain_text("0:02")
    await expect(waiting.locator("progress")).to_have_count(0)
    await ask(chat, "What is this tone?")
    answer.finish()
    await finished(chat, 1)
    heard = provider.calls[-1].json["messages"][-1]["content"][0]["input_audio"]
    assert heard == {"data": base64.b64encode(tone).decode(), "format": "wav"}
    player = chat.locator(".streamchat-prompt audio")
    # From the server, and at another place than its beginning.
    played = await player.evaluate(
        """async player => {
            player.muted = true;
            player.currentTime = 1.5;
            await player.play();
            await new Promise(done => { player.onended = done; });
            return player.currentTime;
        }"""
    )
    assert played == pytest.approx(2.0, abs=0.1)
