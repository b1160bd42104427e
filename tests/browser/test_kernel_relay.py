"""Where the server lacks the extension the chat goes on: its relay is in the kernel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, expect

from tests.browser.kit import Paced, ask, finished, stop
from tests.fakes.jupyter import JupyterServer
from tests.fakes.lab import LabPage, lab_server
from tests.fakes.pictures import png
from tests.fakes.provider_server import ProviderServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(240),
]

QUIET = "Runs without the server extension"


@pytest.fixture(scope="module")
def bare_jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """A JupyterLab without the relay."""
    off = {"ServerApp": {"jpserver_extensions": {"streamchat_relay": False}}}
    with lab_server(tmp_path_factory.mktemp("bare"), config=off) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bare_page(bare_jupyter: JupyterServer, context: BrowserContext) -> AsyncIterator[LabPage]:
    """The page that the tests take in turns."""
    page = await context.new_page()
    yield await LabPage(bare_jupyter, page).start()
    await page.close()


@pytest_asyncio.fixture(loop_scope="session")
async def lab(bare_page: LabPage) -> AsyncIterator[LabPage]:
    """The page, without what an earlier test opened."""
    yield bare_page
    await bare_page.close()


class Busy:
    """A cell that computes until a test lets it go."""

    def __init__(self, directory: Path) -> None:
        self._go = directory / "go"

    @property
    def cell(self) -> str:
        """Its source."""
        path = str(self._go)
        return f"""
            import os
            while not os.path.exists({path!r}):
                sum(range(1000))
        """

    def release(self) -> None:
        """Let it end."""
        self._go.touch()


def chat_cell(provider: ProviderServer) -> str:
    """A cell that finds a provider in the kernel's environment and shows a chat."""
    return f"""
        import os
        os.environ["VLLM_BASE_URL"] = {provider.openai_url!r}
        from jupyter_streamchat import Chat
        chat = Chat("vllm/fake-1")
        chat
    """


async def test_an_answer_streams_and_can_be_stopped_while_the_kernel_computes(
    lab: LabPage, provider: ProviderServer, tmp_path: Path
) -> None:
    busy = Busy(tmp_path)
    await lab.open([chat_cell(provider), busy.cell])
    await lab.run_done(0)
    chat = lab.output(0)
    await expect(chat.locator(".streamchat-hosted")).to_contain_text(QUIET)
    await lab.run(1)
    await lab.started(1)
    answer = Paced(provider)
    await ask(chat, "Go on and on")
    answer.say(30)
    await expect(chat.locator(".streamchat-content")).to_have_text(answer.text)
    await stop(chat)
    await expect(lab.cell(1).locator(".jp-InputPrompt")).to_have_text("[*]:")
    busy.release()
    await lab.ran(1)


async def test_a_file_as_large_as_a_prompt_takes_reaches_the_provider_within_it(
    lab: LabPage, provider: ProviderServer
) -> None:
    text = "x" * (7 * 2**20)
    await lab.open([chat_cell(provider)])
    await lab.run_done(0)
    chat = lab.output(0)
    await chat.locator("input[type=file]").set_input_files(
        [
            {"name": "long.txt", "mimeType": "text/plain", "buffer": text.encode()},
            {"name": "red.png", "mimeType": "image/png", "buffer": png(200, 30, 30)},
        ]
    )
    await expect(chat.locator(".streamchat-box li")).to_have_count(2)
    answer = Paced(provider)
    await expect(chat.locator("progress")).to_have_count(0)
    await chat.get_by_role("button", name="Send").click()
    answer.finish()
    await finished(chat, 1)
    told, picture = provider.calls[-1].json["messages"][-1]["content"]
    assert told["text"] == f"long.txt:\n{text}"
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")
    await expect(chat.locator(".streamchat-prompt img")).to_be_visible()


TOOL = """
from jupyter_streamchat import Chat
removed = []
chat = Chat("demo/tools")
@chat.tool
def remove(path: str) -> str:
    "Remove a file."
    removed.append(path)
    return "removed"
"""


async def test_a_call_is_allowed_in_the_page_also_while_a_cell_waits_for_its_answer(
    lab: LabPage,
) -> None:
    await lab.open([f"{TOOL}chat", "reply = chat.send(\"remove 'b'\").wait()", "print(removed)"])
    await lab.run_done(0)
    chat = lab.output(0)
    await ask(chat, "Please remove 'a'")
    await chat.get_by_role("button", name="Allow once").click()
    await finished(chat, 1)
    await lab.run(1)
    await lab.output(1).get_by_role("button", name="Allow once").click()
    await lab.ran(1)
    await lab.run_done(2)
    await expect(lab.output(2)).to_have_text("['a', 'b']")


async def test_a_page_that_is_loaded_anew_goes_on_where_the_answer_is(
    bare_jupyter: JupyterServer, context: BrowserContext, provider: ProviderServer
) -> None:
    async with await context.new_page() as page:
        lab = await LabPage(bare_jupyter, page).start("anew")
        await lab.open([chat_cell(provider)])
        await lab.run_done(0)
        answer = Paced(provider)
        await ask(lab.output(0), "Go on and on")
        answer.say(20)
        content = lab.output(0).locator(".streamchat-content")
        await expect(content).to_have_text(answer.text)
        await lab.save()
        await lab.reload()
        answer.say(20)
        await expect(content).to_have_text(answer.text)
        answer.finish()
        await finished(lab.output(0), 1)
        assert await content.inner_text() == answer.text.strip()
        await lab.close()


async def test_a_kernel_that_hears_nothing_is_said_to_be_busy_and_its_interrupt_stops_the_answer(
    lab: LabPage, provider: ProviderServer, tmp_path: Path
) -> None:
    busy = Busy(tmp_path)
    await lab.page.evaluate(
        "() => { window.jupyterapp.serviceManager.kernels.commsOverSubshells = 'disabled' }"
    )
    await lab.open([chat_cell(provider), busy.cell])
    await lab.run_done(0)
    chat = lab.output(0)
    answer = Paced(provider)
    await ask(chat, "Go on and on")
    answer.say(5)
    await expect(chat.locator(".streamchat-content")).to_have_text(answer.text)
    await lab.run(1)
    await lab.started(1)
    answer.say(5)
    await expect(chat.locator(".streamchat-content")).to_have_text(answer.text)
    await chat.get_by_role("button", name="Stop").first.click()
    await expect(chat).to_contain_text("interrupt button")
    await lab.interrupt()
    await expect(chat.locator(".streamchat-ending")).to_have_text("Stopped")
    await expect(chat).not_to_contain_text("interrupt button")


async def test_messages_that_jupyter_drops_are_made_up_for(
    lab: LabPage, provider: ProviderServer
) -> None:
    noise = """
        kernel = get_ipython().kernel
        for number in range(20_000):
            kernel.session.send(kernel.iopub_socket, "noise", {})
    """
    await lab.open([chat_cell(provider), noise])
    await lab.run_done(0)
    chat = lab.output(0)
    answer = Paced(provider)
    await ask(chat, "Go on and on")
    answer.say(5)
    content = chat.locator(".streamchat-content")
    await expect(content).to_have_text(answer.text)
    await lab.run(1)
    over = asyncio.ensure_future(lab.ran(1))
    while not (await asyncio.wait({over}, timeout=0.05))[0]:
        # The noise may take long; something of the answer is left for after it.
        if answer.left > 100:
            answer.say(3)
    assert "IOPub message rate exceeded" in lab.server.log
    answer.finish()
    await finished(chat, 1)
    assert await content.inner_text() == answer.text.strip()


async def test_a_reply_streams_below_its_cell_and_becomes_markdown(
    lab: LabPage, provider: ProviderServer
) -> None:
    await lab.open([chat_cell(provider), "chat.send('Go on')"])
    await lab.run_done(0)
    answer = Paced(provider)
    await lab.run_done(1)
    answer.say(10)
    content = lab.output(1).locator(".streamchat-reply .streamchat-content")
    await expect(content).to_have_text(answer.text)
    answer.finish()
    await expect(lab.output(1).locator(".streamchat-reply")).to_have_count(0)
    await expect(lab.output(1)).to_contain_text("word999")


async def test_a_restarted_kernel_leaves_what_came_and_a_line_that_says_what_to_do(
    lab: LabPage, provider: ProviderServer
) -> None:
    await lab.open([chat_cell(provider)])
    await lab.run_done(0)
    chat = lab.output(0)
    answer = Paced(provider)
    await ask(chat, "Go on and on")
    answer.say(10)
    content = chat.locator(".streamchat-content")
    await expect(content).to_have_text(answer.text)
    await lab.restart_kernel()
    await expect(chat).to_contain_text("Run the cell again")
    await expect(chat.locator(".streamchat-pulse")).to_have_count(0)
    assert await content.inner_text() == answer.text.strip()
    await lab.run_done(0)
    await ask(lab.output(0), "Hello")
    answer.finish()
