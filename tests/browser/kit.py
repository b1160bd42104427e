"""What the browser tests share: a chat in a cell, and an answer that comes when a test says so."""

from __future__ import annotations

import re
from collections.abc import Iterable

from playwright.async_api import Locator, expect

from tests.fakes.gate import Gate
from tests.fakes.provider_server import Answer, ProviderServer

FINISHED = re.compile(r"tokens/s")
PACED = "paced/fake-1"
"""The model of `Paced`."""


def chat_cell(model: str = "demo/fast") -> str:
    """A cell that shows a chat."""
    return f"from jupyter_streamchat import Chat\nchat = Chat({model!r})\nchat"


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

    def say(self, count: int) -> None:
        """Say some more."""
        self._said += count
        assert self._said < len(self._deltas), "an answer that runs has something left to say"
        self._gate.release(count)

    def finish(self) -> None:
        """Say all that is left."""
        self._said = len(self._deltas)
        self._gate.open()
