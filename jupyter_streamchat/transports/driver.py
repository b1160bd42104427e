"""The driver: carries out what a client's session decides, whatever way leads to the relay."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from streamchat_relay.protocol.client import ClientSession
from streamchat_relay.protocol.codec import encode
from streamchat_relay.protocol.outcomes import Drop, Ended, Outcome, Retry, Write

_log = logging.getLogger(__name__)


class Driver(ABC):
    """Keeps a `ClientSession` connected. Lives on one event loop and is not thread-safe.

    `on_outcome` gets what concerns the owner: `Live`, `Answer`, `Deliver`, `Replace`, `Retry` and
    `Ended`; the driver itself writes, closes and waits.
    """

    def __init__(
        self,
        session: ClientSession,
        on_outcome: Callable[[Outcome], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._on_outcome = on_outcome
        self._clock = clock

    async def run(self) -> None:
        """Stay connected until the session ends or this is cancelled."""
        while True:
            code = await self._talk()
            if not self._goes_on():
                return
            outcomes = self._session.disconnected(code)
            self.act(outcomes)
            delay = next((one.delay_s for one in outcomes if isinstance(one, Retry)), None)
            if delay is None:
                return
            await asyncio.sleep(delay)

    def act(self, outcomes: Sequence[Outcome]) -> None:
        """Carry out outcomes in order; for those of requests, too."""
        for outcome in outcomes:
            match outcome:
                case Write(frame=frame):
                    self._send(encode(frame))
                case Drop(reason=reason):
                    _log.debug("Dropping the connection: %s", reason)
                    self._drop()
                case Ended():
                    self._drop()
                    self._on_outcome(outcome)
                case _:
                    self._on_outcome(outcome)

    @abstractmethod
    async def _talk(self) -> int | None:
        """One connection's whole life; returns its close code, None where there was none."""

    @abstractmethod
    def _send(self, frame: bytes) -> None:
        """Write a frame soon."""

    @abstractmethod
    def _drop(self) -> None:
        """End the connection."""

    def _goes_on(self) -> bool:
        """Whether another connection may be tried."""
        return True
