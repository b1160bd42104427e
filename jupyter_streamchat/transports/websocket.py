"""Drives a client's session over WebSockets to the server: connects, writes, waits, reconnects."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from typing_extensions import override
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from jupyter_streamchat.discovery import Address
from jupyter_streamchat.transports.driver import Driver
from streamchat_relay.model import ErrorInfo
from streamchat_relay.protocol.client import ClientSession
from streamchat_relay.protocol.frames import SUBPROTOCOL
from streamchat_relay.protocol.outcomes import Deliver, Ended, Live, Outcome

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


class WebSocketTransport(Driver):
    """Connects to wherever `resolve` says the relay is by then."""

    def __init__(
        self,
        session: ClientSession,
        resolve: Resolve,
        on_outcome: Callable[[Outcome], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(session, self._pass_on, clock)
        self._owner = on_outcome
        self._resolve = resolve
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._unreadable = 0
        self._timer: asyncio.TimerHandle | None = None
        self._dropped = asyncio.Event()

    @override
    async def _talk(self) -> int | None:
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

    @override
    def _send(self, frame: bytes) -> None:
        self._outbox.put_nowait(frame)

    @override
    def _drop(self) -> None:
        self._dropped.set()

    @override
    def _goes_on(self) -> bool:
        if self._unreadable < UNREADABLE_LIMIT:
            return True
        self._on_outcome(Ended(_OTHER_RELEASE))
        return False

    def _pass_on(self, outcome: Outcome) -> None:
        match outcome:
            case Live():
                # The relay's heartbeat may be shorter than the wait for its welcome.
                self._arm()
            case Deliver():
                self._unreadable = 0
            case _:
                pass
        self._owner(outcome)

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
