"""The page comes back by itself when the network or the server was away."""

from __future__ import annotations

import asyncio
import re
import secrets
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.kit import PACED, Paced, Sockets, ask, chat_cell, finished, stop
from tests.fakes.jupyter import JupyterServer
from tests.fakes.lab import LabPage, lab_server
from tests.fakes.network import Network
from tests.fakes.provider_server import ProviderServer

# The page tries again after up to 20 s, and a busy machine starts no server in less than 10 s.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(240),
]

RECONNECTING = re.compile("reconnect", re.IGNORECASE)


async def test_a_network_lost_in_mid_answer_loses_nothing_and_stop_works_again(
    lab_jupyter: JupyterServer, context: BrowserContext, provider: ProviderServer
) -> None:
    async with (
        Network(lab_jupyter.port) as network,
        await lab_jupyter.socket() as elsewhere,
        await context.new_page() as page,
    ):
        lab = LabPage(lab_jupyter, page, url=f"http://127.0.0.1:{network.port}/")
        await lab.start("network")
        name = secrets.token_hex(8)
        await lab.open([chat_cell(PACED, name)])
        await lab.run_done(0)
        chat = lab.output(0)
        content = chat.locator(".streamchat-content")
        answer, before = Paced(provider), len(provider.calls)
        async with lab.without_dialogs():
            await ask(chat, "Go on and on")
            answer.say(20)
            await expect(content).to_have_text(answer.text)
            seen = answer.text
            network.cut()
            await expect(chat.locator(".streamchat-status")).to_contain_text(RECONNECTING)
            answer.say(20)
            await elsewhere.ask(type="open", conversation=name, after=0)
            while elsewhere.text != answer.text:
                await elsewhere.until_event("text-delta")
            assert network.refused
            await expect(content).to_have_text(seen)
            network.mend()
            await expect(content).to_have_text(answer.text)
            answer.say(20)
            await expect(content).to_have_text(answer.text)
            await stop(chat)
            await provider.calls[before].wait_closed()
            await elsewhere.until_event("abort")
            assert elsewhere.text == answer.text
            assert await content.inner_text() == answer.text.strip()


async def test_a_restarted_server_is_met_again(context: BrowserContext, tmp_path: Path) -> None:
    # A server and a page of their own: others do not come back after it as they were.
    with lab_server(tmp_path) as server:
        async with await context.new_page() as page:
            sockets = Sockets(page)
            lab = await LabPage(server, page).start()
            await lab.open([chat_cell("demo/echo")])
            await lab.run_done(0)
            chat = lab.output(0)
            await ask(chat, "before")
            await finished(chat, 1)
            async with lab.without_dialogs():
                await asyncio.to_thread(server.stop)
                await expect(chat.locator(".streamchat-status")).to_contain_text(RECONNECTING)
                await asyncio.to_thread(server.start)
                await expect(chat.locator(".streamchat-dot")).to_have_count(0, timeout=60_000)
                await chat.get_by_role("textbox", name="Prompt").fill("after")
                # By a click, which waits until no dialog is in its way, not by a key.
                await chat.get_by_role("button", name="Send").click()
                await finished(chat, 2)
                await expect(chat.locator(".streamchat-prompt")).to_have_text(["before", "after"])
                # Some were refused meanwhile.
                assert len(sockets.greeted) == 2
