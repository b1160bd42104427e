"""What the browser tests share: a chat in a cell, and an answer that comes when a test says so."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

from playwright.async_api import Locator, Page, WebSocket, expect

from tests.fakes.gate import Gate
from tests.fakes.lab import LabPage, NotebookPage
from tests.fakes.provider_server import Answer, ProviderServer

FINISHED = re.compile(r"tokens/s")
PACED = "paced/fake-1"
"""The model of `Paced`."""

RELAY = "streamchat/ws"
"""What the address of the relay's socket ends with."""

LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"
LEGIBLE = 4.5
"""WCAG 2.2, 1.4.3: the contrast of text at least."""

# Colours may be half transparent: a canvas lays them over each other as the page does.
CONTRAST = """
    (nodes, pseudo) => {
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
            over(getComputedStyle(node, pseudo).color);
            const ink = luminance();
            const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
            return {ink, ground, contrast, text: node.innerText};
        });
    }
"""


def chat_cell(model: str = "demo/fast", conversation: str | None = None) -> str:
    """A cell that shows a chat; `conversation` is for a test that follows it from elsewhere."""
    made = f"Chat({model!r}, conversation={conversation!r})"
    return f"from jupyter_streamchat import Chat\nchat = {made}\nchat"


async def ask(output: Locator, prompt: str) -> None:
    """Type a prompt into the widget and send it."""
    box = output.get_by_role("textbox", name="Prompt")
    await box.fill(prompt)
    await box.press("Enter")


async def finished(output: Locator, answers: int) -> None:
    """Wait until so many answers are complete: only then there is a rate."""
    figures = output.locator(".streamchat-figures").filter(has_text=FINISHED)
    await expect(figures).to_have_count(answers)


async def stop(output: Locator) -> None:
    """Click Stop, and wait until the answer has ended by it."""
    await output.get_by_role("button", name="Stop").first.click()
    await expect(output.locator(".streamchat-ending")).to_have_text("Stopped")


async def change_theme(lab: LabPage, name: str) -> None:
    """Choose one of Lab's themes, and wait until it is on."""
    await lab.command("apputils:change-theme", theme=name)
    await expect(lab.page.locator("body")).to_have_attribute("data-jp-theme-name", name)


def panel_of(page: Page) -> Locator:
    """The side panel."""
    return page.locator("#jupyter-streamchat-panel")


async def open_panel(lab: LabPage, model: str = "demo/fast") -> Locator:
    """Open the panel on a new conversation with this model."""
    # A notebook in JupyterLab takes the keyboard some time after it was opened.
    if not isinstance(lab, NotebookPage):
        focused = "() => window.panel.node.contains(document.activeElement)"
        await lab.page.wait_for_function(focused)
    await lab.command("streamchat:new")
    panel = panel_of(lab.page)
    await expect(panel.get_by_role("textbox", name="Prompt")).to_be_focused()
    await panel.get_by_role("combobox", name="Model").select_option(model)
    return panel


class Paced:
    """The answer to the next prompt for `PACED`: its deltas leave the provider on `say`.

    Without deltas of its own it says words in one paragraph, whose Markdown is their text.
    """

    def __init__(self, provider: ProviderServer, deltas: Iterable[str] = ()) -> None:
        self._deltas = list(deltas) or [f"word{number} " for number in range(1000)]
        self._said = 0
        # The wire has one write before the first delta.
        self._gate = Gate(1)
        # What a test that failed has left there is not for this one.
        provider.answers.clear()
        provider.answers.append(Answer(deltas=self._deltas, gate=self._gate))

    @property
    def text(self) -> str:
        """What was said."""
        return "".join(self._deltas[: self._said])

    @property
    def left(self) -> int:
        """How many deltas were not said."""
        return len(self._deltas) - self._said

    def say(self, count: int) -> None:
        """Say some more."""
        self._said += count
        assert self._said < len(self._deltas), "an answer that runs has something left to say"
        self._gate.release(count)

    def finish(self) -> None:
        """Say all that is left."""
        self._said = len(self._deltas)
        self._gate.open()


class Sockets:
    """The page's sockets to the relay, as the browser opened them."""

    def __init__(self, page: Page) -> None:
        self.opened: list[WebSocket] = []
        self.greeted: set[WebSocket] = set()
        self._changed = asyncio.Event()
        page.on("websocket", self._came)

    async def wait_greeted(self, count: int) -> None:
        """Wait until the relay has answered on so many of them."""
        while len(self.greeted) < count:
            self._changed.clear()
            await self._changed.wait()

    def _came(self, socket: WebSocket) -> None:
        if RELAY in socket.url:
            self.opened.append(socket)
            socket.on("framereceived", lambda _: self._heard(socket))

    def _heard(self, socket: WebSocket) -> None:
        self.greeted.add(socket)
        self._changed.set()
