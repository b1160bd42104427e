"""The relay of this very process, as the kernel's half sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from streamchat_relay.model import Overview, Spendings
from streamchat_relay.protocol.frames import WINDOW_BYTES


class Wire(Protocol):
    """How the relay's frames reach one client."""

    @property
    def busy(self) -> bool:
        """True while earlier frames have not left."""
        ...

    def write(self, frames: Sequence[bytes], /) -> None:
        """Send each of these encoded frames; never blocks."""
        ...

    def close(self, code: int, reason: str, /) -> None:
        """Close after what was written; `code` is a WebSocket close code."""
        ...


class Connected(Protocol):
    """The relay's end of one client's connection."""

    async def receive(self, data: str, /) -> None:
        """Take one frame; wait for it before the next."""
        ...

    def drained(self) -> None:
        """What was written has left."""
        ...

    def closed(self) -> None:
        """The client is gone. Its runs go on."""
        ...


class Relay(Protocol):
    """A relay on this process's background loop."""

    def connect(self, transport: Wire, /, *, window: int = WINDOW_BYTES) -> Connected:
        """A connection for a client that was just found; on the loop."""
        ...

    async def spendings(self, conversation: str, /) -> Spendings:
        """What was used today, and in a conversation."""
        ...

    async def overview(
        self, limit: int, before: tuple[float, str] | None, search: str, /
    ) -> Overview:
        """The conversations, the one used last first; those after `before` that are searched."""
        ...

    async def close(self) -> None:
        """End every run, and leave nothing behind."""
        ...
