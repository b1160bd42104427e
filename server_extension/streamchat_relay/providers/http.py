"""One HTTP/1.1 connection whose body bytes reach their consumer within the loop's own read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httptools

from streamchat_relay.providers.answer import Answer
from streamchat_relay.providers.failures import BodyCut, Dropped, HttpFailure, NotHttp

MAX_HEAD = 64 * 1024
"""Bytes of status line and headers together."""

READ_SIZE = 32 * 1024
"""Bytes of one read."""


class HttpConnection(asyncio.BufferedProtocol):
    """A connection that carries one exchange at a time.

    `request` sends and returns the `Answer` once its headers are there. The connection can be
    used again when `reusable` is true. `abort` closes it in any phase.

    It reads into a buffer of its own: where a protocol has none, asyncio makes 256 KiB for each
    read, which the allocator maps and unmaps. That costs several times as much as the read.
    """

    def __init__(self) -> None:
        self.reusable = False
        self.idle_since = 0.0
        self.on_idle: Callable[[HttpConnection], None] | None = None
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answer: Answer | None = None
        self._closed = False
        self._head = 0
        self._fields = 0
        self._chunks: list[bytes] = []
        # httptools looks these up once; a list's own append is the cheapest callback there is.
        self.on_body = self._chunks.append
        self._parser = httptools.HttpResponseParser(self)
        self._buffer = memoryview(bytearray(READ_SIZE))

    @property
    def closed(self) -> bool:
        """True once the connection is gone or going."""
        return self._closed or self._transport is None or self._transport.is_closing()

    @property
    def lingering(self) -> bool:
        """True while only the formal end of an answer is missing."""
        return self._answer is not None and self._answer.lingering

    # asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport: the raw one, and later the one inside TLS."""
        self._transport = transport  # type: ignore[assignment]

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Where the next read goes."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Parse one read and hand its body bytes over in one piece."""
        answer = self._answer
        if answer is None:
            # RFC 9112 9.2: bytes without a request outstanding make the connection useless.
            self.abort()
            return
        answer.touched = self._loop.time()
        if answer.status == 0:
            self._head += nbytes
        try:
            self._parser.feed_data(self._buffer[:nbytes])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not answer.complete:
                cause = error.__context__
                self._end(cause if isinstance(cause, NotHttp) else NotHttp("not valid HTTP/1.1"))
                return
            self.reusable = False
        if self._fields > MAX_HEAD or (answer.status == 0 and self._head > MAX_HEAD):
            self._end(NotHttp("the headers are too large"))
            return
        chunks = self._chunks
        if chunks:
            body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            chunks.clear()
            answer.receive(body)
        if answer.complete:
            self._end(None)

    def eof_received(self) -> bool:
        """A half-closed connection is of no use to us."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell an orderly end from a cut one."""
        self._closed = True
        self.reusable = False
        answer = self._answer
        if answer is None:
            return
        if answer.until_close and exc is None:
            # RFC 9112 6.3: without a length and without chunks, the close is the end.
            self._end(None)
        elif answer.touched_ever:
            self._end(BodyCut("the connection closed in the middle of the answer"))
        else:
            self._end(Dropped("the connection closed before the answer"))

    # httptools callbacks

    def on_message_begin(self) -> None:
        """A second message in one answer is only right after an interim one."""
        if self._answer is not None and self._answer.complete:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header of the final response."""
        if self._answer is not None and not self._answer.complete:
            self._fields += len(name) + len(value)
            self._answer.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Release whoever waits for the status."""
        answer = self._answer
        if answer is None or answer.complete or self._fields > MAX_HEAD:
            return
        status = self._parser.get_status_code()
        if status < 200:
            # RFC 9110 15.2: interim responses precede the final one.
            answer.headers.clear()
            return
        answer.head_done(status)
        self.reusable = self._parser.should_keep_alive() and not answer.until_close

    def on_message_complete(self) -> None:
        """Note the end; the bytes collected so far go out first."""
        answer = self._answer
        if answer is not None and answer.status:
            answer.complete = True

    # for the pool

    async def request(self, head: bytes, body: bytes, read_timeout: float | None) -> Answer:
        """Send a request and wait for the head of its answer.

        Raises an `HttpFailure`. Cancelling it closes the connection.
        """
        if self.closed or self._transport is None:
            raise Dropped("the connection is closed")
        self.reusable = False
        self._head = self._fields = 0
        answer = self._answer = Answer(self, read_timeout)
        try:
            self._transport.write(head + body)
            await answer.headers_ready
        except BaseException:
            await self.gone()
            raise
        return answer

    def pause_reading(self) -> None:
        """Take nothing from the socket for now: its buffers fill, and the sender waits."""
        if not self.closed and self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on."""
        if not self.closed and self._transport is not None:
            self._transport.resume_reading()

    def release(self) -> asyncio.Transport:
        """The transport, for another protocol on it: what a CONNECT is for."""
        if self._answer is not None:
            self._answer.forget_timer()
            self._answer = None
        assert self._transport is not None
        return self._transport

    def abort(self) -> None:
        """Close at once, without flushing."""
        self._closed = True
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    async def gone(self) -> None:
        """Abort, and return when the socket is closed.

        A transport closes its socket in the loop's next round, also within a TLS handshake,
        where no `connection_lost` tells of it.
        """
        self.abort()
        if self._transport is None:
            return
        socket = self._transport.get_extra_info("socket")
        for _ in range(16):
            if socket is None or socket.fileno() == -1:
                return
            await asyncio.sleep(0)

    def _end(self, failure: HttpFailure | None) -> None:
        answer, self._answer = self._answer, None
        if answer is None:
            return
        if failure is not None or answer.failed:
            self.abort()
        # A transport that is gone cannot be asked: Python 3.10's TLS raises then.
        elif (
            not self._closed
            and self._transport is not None
            and self._transport.get_write_buffer_size()
        ):
            # It answered before it had read the request: nothing sane can follow.
            self.abort()
        answer.ended(failure)
        if self.reusable and self.on_idle is not None:
            self.on_idle(self)
        elif not self._closed:
            self.abort()
