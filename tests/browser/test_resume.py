"""In a real browser the screen equals the log, over as few sockets as can be."""

from __future__ import annotations

import random
import secrets

import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.kit import PACED, RELAY, Paced, Sockets, ask, chat_cell, finished
from tests.fakes.faults import Fault
from tests.fakes.jupyter import JupyterServer
from tests.fakes.lab import LabPage
from tests.fakes.network import Link, Network
from tests.fakes.provider_server import ProviderServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(240),
]

CUTS = 15


def carrying(network: Network) -> Link:
    """The link that carries the page's socket to the relay."""
    return next(
        link for link in reversed(network.links) if RELAY.encode() in link.head and not link.struck
    )


async def test_an_answer_cut_fifteen_times_shows_exactly_what_the_provider_sent(
    lab_jupyter: JupyterServer, context: BrowserContext, provider: ProviderServer
) -> None:
    rng = random.Random(4)
    async with Network(lab_jupyter.port) as network, await context.new_page() as page:
        sockets = Sockets(page)
        lab = LabPage(lab_jupyter, page, url=f"http://127.0.0.1:{network.port}/")
        await lab.start("resume")
        name = secrets.token_hex(8)
        await lab.open([chat_cell(PACED, name)])
        await lab.run_done(0)
        chat = lab.output(0)
        content = chat.locator(".streamchat-content")
        answer, before = Paced(provider), len(provider.calls)
        await ask(chat, "Go on and on")
        answer.say(5)
        await expect(content).to_have_text(answer.text)
        for cuts in range(1, CUTS + 1):
            # In the middle of what is about to come.
            carrying(network).befall(Fault(after=rng.randrange(100)))
            answer.say(rng.randint(15, 30))
            await sockets.wait_greeted(cuts + 1)
            await expect(content).to_have_text(answer.text)
        answer.finish()
        await finished(chat, 1)
        assert await content.inner_text() == answer.text.strip()
        assert await chat.locator(".streamchat-prompt").all_inner_texts() == ["Go on and on"]
        assert len(provider.calls) == before + 1
        assert len(sockets.opened) == len(sockets.greeted) == CUTS + 1


async def test_a_page_that_was_frozen_while_its_network_went_opens_one_socket(
    lab_jupyter: JupyterServer, context: BrowserContext, provider: ProviderServer
) -> None:
    async with (
        Network(lab_jupyter.port) as network,
        await lab_jupyter.socket() as elsewhere,
        await context.new_page() as page,
    ):
        sockets = Sockets(page)
        lab = LabPage(lab_jupyter, page, url=f"http://127.0.0.1:{network.port}/")
        await lab.start("frozen")
        name = secrets.token_hex(8)
        await lab.open([chat_cell(PACED, name)])
        await lab.run_done(0)
        chat = lab.output(0)
        content = chat.locator(".streamchat-content")
        answer = Paced(provider)
        await ask(chat, "Go on and on")
        answer.say(5)
        await expect(content).to_have_text(answer.text)
        browser = await context.new_cdp_session(page)
        await browser.send("Page.setWebLifecycleState", {"state": "frozen"})
        answer.say(20)
        await elsewhere.ask(type="open", conversation=name, after=0)
        while elsewhere.text != answer.text:
            await elsewhere.until_event("text-delta")
        carrying(network).reset()
        answer.say(20)
        while elsewhere.text != answer.text:
            await elsewhere.until_event("text-delta")
        assert len(sockets.opened) == 1
        await browser.send("Page.setWebLifecycleState", {"state": "active"})
        await expect(content).to_have_text(answer.text)
        answer.finish()
        await finished(chat, 1)
        assert await content.inner_text() == answer.text.strip()
        assert len(sockets.opened) == len(sockets.greeted) == 2
