"""A pool of kept-alive HTTP/1.1 connections, by origin; never follows a redirect."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Sequence
from weakref import WeakSet

import msgspec

from streamchat_relay.providers.answer import Answer
from streamchat_relay.providers.dial import Origin, dial, within
from streamchat_relay.providers.failures import ConnectTimedOut, Dropped, NotHttp
from streamchat_relay.providers.http import HttpConnection
from streamchat_relay.providers.proxy import proxy_for

MAX_IDLE = 64
"""Idle connections kept for one origin."""

IDLE_EXPIRY = 30.0
"""Seconds that an idle connection is kept; many servers close theirs after 60."""


def system_trust() -> ssl.SSLContext:
    """The TLS context that the SDKs would use: the system's certificates, or `SSL_CERT_FILE`'s.

    Loads for tens of milliseconds: call it in a thread.
    """
    import httpx2  # noqa: PLC0415 - heavy, and only needed where the SDKs are

    return httpx2.create_ssl_context()


class HttpRequest(msgspec.Struct, frozen=True):
    """A request with its whole body; `target` is the path with the query, in bytes."""

    method: bytes
    origin: Origin
    target: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes = b""
    connect_timeout: float | None = 10.0
    read_timeout: float | None = 60.0


class HttpPool:
    """Sends requests over connections that it keeps.

    One object serves one event loop. `trust` makes the TLS context; it is called once, in a
    thread, when first needed or by `warm`.
    """

    def __init__(self, trust: Callable[[], ssl.SSLContext] = system_trust) -> None:
        self._trust = trust
        self._tls: asyncio.Future[ssl.SSLContext] | None = None
        self._idle: dict[Origin, list[HttpConnection]] = {}
        self._made: WeakSet[HttpConnection] = WeakSet()
        self._expiry: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def idle(self) -> int:
        """Connections that wait for a request."""
        return sum(map(len, self._idle.values()))

    async def warm(self) -> None:
        """Load the trusted certificates, so that the first request needn't."""
        await self._context()

    async def send(self, request: HttpRequest) -> Answer:
        """The answer, once its headers are there; raises an `HttpFailure`.

        The caller consumes or closes it. A kept-alive connection that drops before the first byte
        of the answer is replaced once by a fresh one: the server closed it while it was idle.
        Cancelling closes the connection.
        """
        proxy = proxy_for(request.origin.scheme, request.origin.host, request.origin.port)
        absolute = proxy is not None and request.origin.scheme == "http"
        headers = list(request.headers)
        if proxy is not None and absolute and proxy.authorization:
            headers.append((b"Proxy-Authorization", proxy.authorization))
        head = _head(request, headers, absolute=absolute)
        kept = self._take(request.origin)
        if kept is not None:
            with contextlib.suppress(Dropped):
                return await kept.request(head, request.body, request.read_timeout)
        needs_tls = request.origin.scheme == "https" or (proxy is not None and proxy.tls)
        tls = await self._context() if needs_tls else None
        fresh = await within(request.connect_timeout, dial(request.origin, proxy, tls))
        if fresh is None:
            raise ConnectTimedOut("no connection in time")
        self._made.add(fresh)
        fresh.on_idle = lambda connection: self._keep(request.origin, connection)
        return await fresh.request(head, request.body, request.read_timeout)

    async def close(self) -> None:
        """Close all that idle or linger; those in use close with their answers."""
        self._closed = True
        if self._expiry is not None:
            self._expiry.cancel()
        unused = [connection for kept in self._idle.values() for connection in kept]
        unused += [connection for connection in self._made if connection.lingering]
        self._idle.clear()
        for connection in unused:
            await connection.gone()

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            # 20 to 50 ms of parsing certificates: off the loop.
            self._tls = asyncio.ensure_future(asyncio.to_thread(self._trust))
        try:
            return await asyncio.shield(self._tls)
        except (OSError, ssl.SSLError):
            self._tls = None
            raise

    def _take(self, origin: Origin) -> HttpConnection | None:
        kept = self._idle.get(origin)
        while kept:
            connection = kept.pop()
            if not connection.closed:
                return connection
        return None

    def _keep(self, origin: Origin, connection: HttpConnection) -> None:
        kept = self._idle.setdefault(origin, [])
        if self._closed or len(kept) >= MAX_IDLE:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        kept.append(connection)
        if self._expiry is None:
            self._expiry = loop.call_later(IDLE_EXPIRY, self._expire)

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        limit = loop.time() - IDLE_EXPIRY
        for origin, kept in list(self._idle.items()):
            fresh = []
            for connection in kept:
                if connection.closed or connection.idle_since <= limit:
                    connection.abort()
                else:
                    fresh.append(connection)
            if fresh:
                self._idle[origin] = fresh
            else:
                del self._idle[origin]
        self._expiry = loop.call_later(IDLE_EXPIRY, self._expire) if self._idle else None


def _head(request: HttpRequest, headers: Sequence[tuple[bytes, bytes]], *, absolute: bool) -> bytes:
    target = request.target
    if absolute:
        # RFC 9112 3.2.2: a request to a proxy names the whole address.
        target = b"http://" + str(request.origin).encode() + target
    lines = [b"%b %b HTTP/1.1" % (request.method, target)]
    for name, value in headers:
        # A line break in a value would smuggle a header: RFC 9110 5.5.
        if b"\r" in value or b"\n" in value or b"\0" in value:
            raise NotHttp("a header holds a line break")
        lines.append(b"%b: %b" % (name, value))
    return b"\r\n".join(lines) + b"\r\n\r\n"
