"""Drives a client's session over WebSockets to the server: connects, writes, waits, reconnects."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from jupyter_streamchat.discovery import Address
from streamchat_relay.model import ErrorInfo
from streamchat_relay.protocol.client import ClientSession
from streamchat_relay.protocol.codec import encode
from streamchat_relay.protocol.frames import SUBPROTOCOL
from streamchat_relay.protocol.outcomes import Deliver, Drop, Ended, Live, Outcome, Retry, Write

CONNECT_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0
UNREADABLE_LIMIT = 3
"""The same frame comes again after a reconnect; so often it is tried."""

_OTHER_RELEASE = ErrorInfo(
    code="internal",
    message="The relay sends what this release of jupyter_streamchat cannot read. Install the same "
    "release in the environments of the kernel and of the Jupyter server, then restart both.",
    retryable=False,
)

Resolve = Callable[[], Awaitable["Address | None"]]
"""Says where the relay is now; None while it is nowhere. Asked before every connection."""

_log = logging.getLogger(__name__)


class WebSocketTransport:
    """Carries out what a `ClientSession` decides. Lives on one event loop and is not thread-safe.

    `on_outcome` gets what concerns the owner: `Live`, `Answer`, `Deliver`, `Replace`, `Retry` and
    `Ended`; the transport itself writes, closes and waits.
    """

    def __init__(
        self,
        session: ClientSession,
        resolve: Resolve,
        on_outcome: Callable[[Outcome], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._resolve = resolve
        self._on_outcome = on_outcome
        self._clock = clock
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._unreadable = 0
        self._timer: asyncio.TimerHandle | None = None
        self._dropped = asyncio.Event()

    async def run(self) -> None:
        """Stay connected until the session ends or this is cancelled."""
        while True:
            code = await self._connect_and_talk()
            if self._unreadable >= UNREADABLE_LIMIT:
                self._on_outcome(Ended(_OTHER_RELEASE))
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
                    self._outbox.put_nowait(encode(frame))
                case Drop(reason=reason):
                    _log.debug("Dropping the connection: %s", reason)
                    self._dropped.set()
                case Ended():
                    self._dropped.set()
                    self._on_outcome(outcome)
                case Live():
                    # The relay's heartbeat may be shorter than the wait for its welcome.
                    self._arm()
                    self._on_outcome(outcome)
                case Deliver():
                    self._unreadable = 0
                    self._on_outcome(outcome)
                case _:
                    self._on_outcome(outcome)

    async def _connect_and_talk(self) -> int | None:
        """One socket's whole life; returns its close code, None where there was no socket."""
        try:
            address = await self._resolve()
            if address is None:
                return None
            connection = await connect(
                address.url,
                additional_headers=address.headers,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                compression=None,
                max_size=None,
                proxy=None,
                open_timeout=CONNECT_TIMEOUT_S,
                close_timeout=CLOSE_TIMEOUT_S,
                # The protocol has a heartbeat of its own.
                ping_interval=None,
            )
        except (OSError, WebSocketException, asyncio.TimeoutError) as error:
            _log.debug("No connection to the relay: %s", error)
            return None
        self._outbox = asyncio.Queue()
        self._dropped = asyncio.Event()
        self.act(self._session.connected(self._clock()))
        self._arm()
        workers = [
            asyncio.ensure_future(self._read(connection)),
            asyncio.ensure_future(self._write(connection)),
            asyncio.ensure_future(self._dropped.wait()),
        ]
        try:
            await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            if self._timer is not None:
                self._timer.cancel()
            # Not waited for: a dead peer answers no closing handshake.
            connection.transport.abort() if self._dropped.is_set() else await connection.close()
        return connection.close_code

    async def _read(self, connection: ClientConnection) -> None:
        session, clock, act = self._session, self._clock, self.act
        try:
            while True:
                data = await connection.recv(decode=False)
                act(session.received(data, clock()))
        except ConnectionClosed:
            return
        except Exception:  # noqa: BLE001 - whatever it is, the frame could not be read
            # Perhaps it was damaged on its way; a reconnect brings it again.
            self._unreadable += 1
            _log.debug("A frame of the relay could not be read", exc_info=True)

    async def _write(self, connection: ClientConnection) -> None:
        try:
            while True:
                await connection.send(await self._outbox.get(), text=True)
        except ConnectionClosed:
            return

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._session.deadline()
        if deadline is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, deadline - self._clock()), self._tick)

    def _tick(self) -> None:
        self.act(self._session.tick(self._clock()))
        self._arm()
