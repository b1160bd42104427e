"""The answer to one HTTP request: status, headers, and a body that is consumed as it comes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from streamchat_relay.providers.failures import BodyCut, HttpFailure, ReadTimedOut

LINGER = 0.5
"""Seconds for a body's formal end after the consumer had all that it wants.

Nobody waits for it but the connection, which can be used again when it comes."""

Receiver = Callable[[bytes], bool]
"""Takes the bytes of one read; True says that it needs no more of this body."""


class Closing(Protocol):
    """What an answer may do to its connection."""

    @property
    def closed(self) -> bool:
        """True once the connection is gone or going."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...

    async def gone(self) -> None:
        """Close at once, and return when the socket is closed."""
        ...

    def pause_reading(self) -> None:
        """Take nothing from the socket for now."""
        ...

    def resume_reading(self) -> None:
        """Go on."""
        ...


class Answer:
    """The response to one request: status and headers, then the body, consumed once.

    Bytes that came before a consumer attached are kept and handed to it first.
    """

    __slots__ = (
        "_connection", "_deadline", "_done", "_error", "_held", "_over", "_paused",
        "_read_timeout", "_receiver", "_satisfied", "_timer", "asked", "complete", "headers",
        "headers_ready", "resumed", "status", "touched", "until_close",
    )  # fmt: skip

    def __init__(self, connection: Closing, read_timeout: float | None) -> None:
        loop = asyncio.get_running_loop()
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False
        self.until_close = False
        self.touched = 0.0
        self.asked = loop.time()
        self.resumed = 0.0
        """When it was read from again after a pause, by the loop's time."""
        self.headers_ready: asyncio.Future[None] = loop.create_future()
        self._connection = connection
        self._done: asyncio.Future[None] = loop.create_future()
        self._error: Exception | None = None
        self._held: list[bytes] = []
        self._over = False
        self._paused = False
        self._receiver: Receiver = self._hold
        self._satisfied = False
        self._timer: asyncio.TimerHandle | None = None
        self._deadline: Callable[[], float] | None = None
        self._read_timeout = read_timeout
        if read_timeout is not None:
            # Who sends a head byte by byte has not begun to answer.
            self._watch(lambda: (self.touched if self.status else self.asked) + read_timeout)

    @property
    def touched_ever(self) -> bool:
        """True once any byte of the answer came."""
        return self.touched > 0.0

    @property
    def due(self) -> float:
        """The loop's time by which an answer that is no stream should be there."""
        return self.asked + (math.inf if self._read_timeout is None else self._read_timeout)

    @property
    def lingering(self) -> bool:
        """True while the consumer has all that it wants and the body has not ended."""
        return self._satisfied and not self._over

    @property
    def failed(self) -> bool:
        """True when the consumer raised."""
        return self._error is not None

    async def consume(
        self, receiver: Receiver, deadline: Callable[[], float] | None = None
    ) -> None:
        """Give every read's body bytes to `receiver`; return when the body is complete.

        Returns early when the receiver returns True; the connection then waits for the body's
        end by itself, for `LINGER` seconds at most. Raises what the receiver raised, `BodyCut`
        for a body that ended too soon, `ReadTimedOut` for silence: by the loop's time that
        `deadline` tells, else for no byte within the read timeout. `deadline` is asked again only
        at the time that it told before. Cancelling closes the connection.
        """
        try:
            if deadline is not None and not self._over:
                self._watch(deadline)
            self._receiver = receiver
            held, self._held = b"".join(self._held), []
            if held:
                self.receive(held)
            await self._done
        except BaseException:
            await self.close()
            raise
        if not self.lingering:
            await self.close()
        if self._error is not None:
            raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The body piece by piece, for those who do not stream; `ReadTimedOut` when it is `due`."""
        arrived = asyncio.Event()

        def receive(data: bytes) -> bool:
            self._held.append(data)
            arrived.set()
            return False

        self._receiver = receive
        self._done.add_done_callback(lambda _: arrived.set())
        try:
            if self._read_timeout is not None and not self._over:
                self._watch(lambda: self.due)
            while True:
                if self._held:
                    held, self._held = b"".join(self._held), []
                    yield held
                elif self._over:
                    break
                else:
                    arrived.clear()
                    await arrived.wait()
        finally:
            await self.close()
        if self._error is not None:
            raise self._error

    def pause(self) -> None:
        """Read no more for now; the time until `resume` is not the sender's silence."""
        if not (self._paused or self._satisfied or self._over):
            self._paused = True
            self._connection.pause_reading()
            self.forget_timer()

    def resume(self) -> None:
        """Read on."""
        if self._paused:
            self._paused = False
            self.resumed = asyncio.get_running_loop().time()
            self._connection.resume_reading()
            if self._deadline is not None:
                self._check()

    async def close(self) -> None:
        """Close the connection unless the body came to its end."""
        self.forget_timer()
        if not self._over or self._connection.closed:
            await self._connection.gone()

    # called by the connection

    def head_done(self, status: int) -> None:
        """The head is complete."""
        self.status = status
        names = {name.lower() for name, _ in self.headers}
        self.until_close = not (
            b"content-length" in names or b"transfer-encoding" in names or status in {204, 304}
        )
        if not self.headers_ready.done():
            self.headers_ready.set_result(None)

    def receive(self, data: bytes) -> None:
        """Body bytes of one read."""
        if self._satisfied:
            return
        try:
            if self._receiver(data):
                self._satisfied = True
                self.resume()
                self.forget_timer()
                if self._over:
                    return
                self._timer = asyncio.get_running_loop().call_later(LINGER, self._give_up)
                self._let_go()
        except Exception as error:  # noqa: BLE001 - whatever the consumer raises is its own answer
            self._receiver = _ignore
            self._error = error
            # A body that was complete before it was consumed has given its connection back.
            if not self._over:
                self._connection.abort()
            self._finish()

    def ended(self, failure: HttpFailure | None) -> None:
        """The exchange is over, well or not."""
        if failure is not None and not self._satisfied and self._error is None:
            self._error = failure
        if not self.headers_ready.done():
            self.headers_ready.set_exception(failure or BodyCut("no answer"))
        self._finish()

    def forget_timer(self) -> None:
        """Wait for nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _finish(self) -> None:
        # Whoever uses the connection next must find it reading.
        self.resume()
        self.forget_timer()
        self._over = True
        self._let_go()

    def _let_go(self) -> None:
        # Done already where the consumer was cancelled while it waited.
        if not self._done.done():
            self._done.set_result(None)

    def _give_up(self) -> None:
        self._connection.abort()
        self._finish()

    def _hold(self, data: bytes) -> bool:
        self._held.append(data)
        return False

    def _watch(self, deadline: Callable[[], float]) -> None:
        self.forget_timer()
        self._deadline = deadline
        self._check()

    def _check(self) -> None:
        # One timer that looks back, instead of one that every read re-arms.
        assert self._deadline is not None
        loop = asyncio.get_running_loop()
        at = self._deadline()
        if at > loop.time():
            self._timer = loop.call_at(at, self._check)
            return
        self._timer = None
        self._connection.abort()
        self.ended(ReadTimedOut("no byte came in time"))


def _ignore(_: bytes) -> bool:
    return True
