"""Drives a client's session against the relay of this very process: no socket in between."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence

from typing_extensions import override

from jupyter_streamchat.transports.driver import Driver
from jupyter_streamchat.transports.relay import Relay
from streamchat_relay.protocol.client import ClientSession
from streamchat_relay.protocol.outcomes import Outcome

_log = logging.getLogger(__name__)


class MemoryTransport(Driver):
    """Lives on the relay's own event loop.

    There is no heartbeat: both ends live and die together.
    """

    def __init__(
        self,
        session: ClientSession,
        relay: Relay,
        on_outcome: Callable[[Outcome], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(session, on_outcome, clock)
        self._relay = relay
        # None is the end.
        self._outbox: asyncio.Queue[bytes | None] = asyncio.Queue()

    @override
    async def _talk(self) -> int | None:
        outbox = self._outbox = asyncio.Queue()
        wire = _Wire(self._receive, outbox)
        connection = self._relay.connect(wire)
        wire.on_drained = connection.drained
        try:
            self.act(self._session.connected(self._clock()))
            while (frame := await outbox.get()) is not None:
                await connection.receive(frame.decode())
        finally:
            wire.cut()
            connection.closed()
        return wire.code

    @override
    def _send(self, frame: bytes) -> None:
        self._outbox.put_nowait(frame)

    @override
    def _drop(self) -> None:
        self._outbox.put_nowait(None)

    def _receive(self, frame: bytes) -> None:
        self.act(self._session.received(frame, self._clock()))


class _Wire:
    """The relay's frames on their way to the session, in the loop's next turn."""

    def __init__(
        self, receive: Callable[[bytes], None], outbox: asyncio.Queue[bytes | None]
    ) -> None:
        self._receive = receive
        self._outbox = outbox
        self._way: deque[bytes] = deque()
        self._loop = asyncio.get_running_loop()
        self._cut = False
        self.code: int | None = None
        self.on_drained: Callable[[], None] = _nothing

    @property
    def busy(self) -> bool:
        """True until the session has what was written."""
        return bool(self._way)

    def write(self, frames: Sequence[bytes]) -> None:
        """Not at once: the relay is in the middle of something."""
        if not self._way:
            self._loop.call_soon(self._carry)
        self._way.extend(frames)

    def close(self, code: int, _reason: str) -> None:
        """Let the session come back later."""
        self.code = code
        self._outbox.put_nowait(None)

    def cut(self) -> None:
        """Carry nothing more."""
        self._cut = True

    def _carry(self) -> None:
        try:
            while self._way and not self._cut:
                self._receive(self._way.popleft())
        except Exception:  # noqa: BLE001 - the log has it still, and a new connection brings it
            _log.exception("A frame of the relay could not be read")
            self._cut = True
            self._outbox.put_nowait(None)
        if not self._cut:
            self.on_drained()


def _nothing() -> None:
    pass
