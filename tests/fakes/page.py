"""Pages that show a widget, at the other end of its comm, which loses what a test wants lost.

`Comm(relay)` is a widget's comm with the kernel's end of it; `Comm.page(conversation)` is a page
that follows a conversation over it, as `js/src/transport/comm.ts` does: it numbers what it sends,
and begins another link where a number is missing or nothing is heard. `Comm.loses` decides for each
message on its way, up or down, whether it is lost; `Comm.messages` has those of the kernel.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from typing import Any

from jupyter_streamchat.transports import comm as carriage
from jupyter_streamchat.transports.relay import Relay
from streamchat_relay.model import Conversation, TextPart, fold
from streamchat_relay.protocol.client import ClientSession
from streamchat_relay.protocol.codec import encode
from streamchat_relay.protocol.frames import Prompt
from streamchat_relay.protocol.outcomes import Deliver, Outcome, Replace, Retry, Write

SILENT_S = 16.0
SIGN_S = 30.0
"""Those of a page; a test that waits for them makes them shorter."""


class Comm:
    """A widget's comm: what the kernel sends reaches all pages."""

    def __init__(self, relay: Relay) -> None:
        self.messages: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.loses: Callable[[dict[str, Any]], bool] = lambda _message: False
        self.pages: list[Page] = []
        loop = asyncio.get_running_loop()
        self.links = carriage.WidgetLinks(relay, self._down, call=loop.call_soon)

    def page(self, conversation: str) -> Page:
        """Another page that shows the widget."""
        made = Page(self, conversation)
        self.pages.append(made)
        made.begin()
        return made

    def up(self, message: dict[str, Any]) -> None:
        """A page sends."""
        message = json.loads(json.dumps({"type": "link", **message}))
        if not self.loses(message):
            self.links.received(message)

    async def rest(self) -> None:
        """Wait until the next message may leave at once."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self.times[-1] + 3 * carriage.PACE_S - loop.time()))

    def close(self) -> None:
        """Close the widget and all pages."""
        self.links.close()
        for page in self.pages:
            page.gone()

    def _down(self, message: dict[str, Any]) -> None:
        # As JSON, which is how it travels.
        message = json.loads(json.dumps(message))
        self.messages.append(message)
        self.times.append(asyncio.get_running_loop().time())
        for page in self.pages:
            if not self.loses(message):
                asyncio.get_running_loop().call_soon(page.heard, message)


class Page:
    """One page, with a client's session of its own."""

    def __init__(self, comm: Comm, conversation: str) -> None:
        self.state = Conversation()
        self.links = 0
        self.link = ""
        self._comm = comm
        self._conversation = conversation
        self._session = ClientSession("page/1", jitter=lambda: 0.0)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        self._sent = self._last = 0
        self._opened = False
        self._act(self._session.open(conversation)[1])

    @property
    def text(self) -> str:
        """What it shows of answers."""
        return "".join(
            part.text
            for message in self.state.messages
            if message.role == "assistant"
            for part in message.parts
            if isinstance(part, TextPart)
        )

    def send(self, run: str, text: str = "Go on", model: str = "fake/one") -> None:
        """Ask."""
        message = Prompt(parts=(TextPart(text=text),))
        self._act(
            self._session.send(self._conversation, run, model=model, message=message)[1],
        )

    def stop(self, run: str) -> None:
        """End a run early."""
        self._act(self._session.stop(run)[1])

    async def until(self, wanted: Callable[[Page], bool]) -> None:
        """Wait until it shows what is wanted."""
        while not wanted(self):
            self._changed.clear()
            await self._changed.wait()

    def begin(self) -> None:
        """Begin another link."""
        self.link = secrets.token_hex(8)
        self.links += 1
        self._sent = self._last = 0
        self._opened = False
        self._say([])
        self._watch()

    def gone(self) -> None:
        """It was closed, and nobody is told."""
        if self._timer is not None:
            self._timer.cancel()
        if self in self._comm.pages:
            self._comm.pages.remove(self)

    def heard(self, message: dict[str, Any]) -> None:
        """The kernel sends."""
        if message["link"] != self.link:
            return
        if "closed" in message:
            self._lost()
        elif message["n"] > self._last + 1:
            self._comm.up({"link": self.link, "closed": True})
            self._lost()
        elif message["n"] == self._last + 1:
            self._last += 1
            self._watch()
            if not self._opened:
                self._opened = True
                self._act(self._session.connected(0.0))
            for frame in message["frames"]:
                self._act(self._session.received(json.dumps(frame), 0.0))

    def _lost(self) -> None:
        outcomes = self._session.disconnected()
        assert any(isinstance(one, Retry) for one in outcomes)
        self.begin()

    def _watch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        until = self._loop.time() + SILENT_S
        self._timer = self._loop.call_later(min(SIGN_S, SILENT_S), self._sign, until)

    def _sign(self, until: float) -> None:
        if self._loop.time() > until:
            self._comm.up({"link": self.link, "closed": True})
            self._lost()
            return
        self._say([])
        self._timer = self._loop.call_later(min(SIGN_S, SILENT_S), self._sign, until)

    def _say(self, frames: list[Any]) -> None:
        self._sent += 1
        self._comm.up({"link": self.link, "n": self._sent, "frames": frames})

    def _act(self, outcomes: list[Outcome]) -> None:
        frames = [json.loads(encode(one.frame)) for one in outcomes if isinstance(one, Write)]
        for outcome in outcomes:
            if isinstance(outcome, Deliver):
                self.state = fold(self.state, outcome.events)
            elif isinstance(outcome, Replace):
                self.state = outcome.state
        self._changed.set()
        if frames:
            self._say(frames)
