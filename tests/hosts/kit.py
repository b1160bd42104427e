"""What the tests of providers behind a real server share: a relay's socket as a run sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from tests.fakes.jupyter import JupyterServer, RelaySocket
from tests.fakes.provider_server import ProviderServer, Request

TERMINAL = ("finish", "abort", "error")
T = TypeVar("T")


class Run:
    """One prompt of one socket, in a conversation of its own unless one is named."""

    _made = 0

    def __init__(self, socket: RelaySocket, model: str, conversation: str = "") -> None:
        Run._made += 1
        self.id = f"run-{Run._made}"
        self.conversation = conversation or f"conversation-{Run._made}"
        self.model = model
        self._socket = socket

    async def send(self, text: str = "Hi", **fields: Any) -> dict[str, Any]:
        """Open the conversation and send; returns the answer to `send`."""
        await self._socket.ask(type="open", conversation=self.conversation)
        return await self._socket.prompt(
            self.conversation, self.id, text, model=self.model, **fields
        )

    @property
    def events(self) -> list[dict[str, Any]]:
        """What came of it on this socket."""
        return [
            event
            for frame in self._socket.frames
            if frame["type"] == "events"
            for event in frame["events"]
            if event.get("run") == self.id
        ]

    def text(self, kind: str = "text-delta") -> str:
        """Its deltas together."""
        return "".join(event["delta"] for event in self.events if event["type"] == kind)

    async def until(self, *kinds: str, count: int = 1) -> dict[str, Any]:
        """Read until so many events of these types came; returns the last of them."""
        while True:
            found = [event for event in self.events if event["type"] in kinds]
            if len(found) >= count:
                return found[count - 1]
            await soon(self._socket.until(lambda _: True))

    async def end(self) -> dict[str, Any]:
        """Read until it ended; returns the terminal event."""
        return await self.until(*TERMINAL)

    async def answer(self, text: str = "Hi") -> dict[str, Any]:
        """Send, and read until it ended."""
        sent = await self.send(text)
        assert sent["type"] == "ok", sent
        return await self.end()


async def soon(waited: Coroutine[Any, Any, T], seconds: float = 20) -> T:
    """The result; a test must not hang where an event never comes."""
    return await asyncio.wait_for(waited, seconds)


async def next_call(provider: ProviderServer, before: int) -> Request:
    """The first generation asked for after the provider had seen `before` of them."""
    while len(provider.calls) <= before:
        await soon(provider.wait_requests(len(provider.requests) + 1))
    return provider.calls[before]


def written_by(server: JupyterServer) -> bytes:
    """Everything that the server wrote: its log, its database, all its files but its keys'."""
    kept = {"jupyter_config.json", "streamchat_keys.json"}
    return b"".join(
        path.read_bytes()
        for path in server.directory.rglob("*")
        if path.is_file() and path.name not in kept
    )
