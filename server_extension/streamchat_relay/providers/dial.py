"""Getting a connection to an origin: addresses, sockets, proxies, TLS."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec

from streamchat_relay.providers.failures import ConnectFailed, HttpFailure
from streamchat_relay.providers.http import HttpConnection
from streamchat_relay.providers.proxy import Proxy

NEXT_ADDRESS_AFTER = 2.0
"""Seconds for one of several addresses; a dead IPv6 route must not cost the whole timeout."""

_T = TypeVar("_T")


class Origin(msgspec.Struct, frozen=True):
    """Whom to talk to: the key of the pool."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """`host:port`, as a person types it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


async def dial(origin: Origin, proxy: Proxy | None, tls: ssl.SSLContext | None) -> HttpConnection:
    """A connected `HttpConnection`; raises an `HttpFailure`.

    Cancelling it closes whatever was open, before the cancellation leaves.
    """
    first = HttpConnection()
    current = first
    try:
        await _connect(first, *(proxy.host, proxy.port) if proxy else (origin.host, origin.port))
        if proxy is not None and proxy.tls:
            assert tls is not None
            current = await _wrap(current, tls, proxy.host)
        if origin.scheme == "https":
            assert tls is not None
            if proxy is not None:
                await _tunnel(current, origin, proxy)
            current = await _wrap(current, tls, origin.host)
    except BaseException:
        await current.gone()
        await first.gone()
        raise
    return current


async def within(seconds: float | None, work: Coroutine[Any, Any, _T]) -> _T | None:
    """The work's result, or None when it took too long; it is always finished on return.

    Not `asyncio.wait_for`: that one can swallow a cancellation in Python 3.11 and older.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and task.exception() is None:
            # It got there in the same round as the cancellation: nobody will use it.
            result = task.result()
            if isinstance(result, HttpConnection):
                await result.gone()
        raise
    return None if task.cancelled() else task.result()


async def _connect(connection: HttpConnection, host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    found = await _resolve(loop, host, port)
    why = "no address"
    for index, (family, kind, protocol, _, address) in enumerate(found):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            last = index == len(found) - 1
            attempt = _reach(loop, sock, address)
            reached = await (attempt if last else within(NEXT_ADDRESS_AFTER, attempt))
            if reached:
                await loop.create_connection(lambda: connection, sock=sock)
                return
            why = "no answer"
        except OSError as error:
            # asyncio writes the call and the address where the system's own word would be.
            word = os.strerror(error.errno) if error.errno else type(error).__name__
            why = word.lower()
        finally:
            if connection.closed:
                sock.close()
    raise ConnectFailed(why)


async def _resolve(loop: asyncio.AbstractEventLoop, host: str, port: int) -> list[Any]:
    try:
        # A number needs no thread: 50 prompts at once would queue for a handful of them.
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        pass
    try:
        return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConnectFailed(f"there is no host called {host}") from error


async def _reach(loop: asyncio.AbstractEventLoop, sock: socket.socket, address: Any) -> bool:
    await loop.sock_connect(sock, address)
    return True


async def _tunnel(connection: HttpConnection, origin: Origin, proxy: Proxy) -> None:
    # RFC 9110 9.3.6: CONNECT names the authority only; a 2xx makes the connection a tunnel.
    target = str(origin).encode()
    head = b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n" % (target, target)
    if proxy.authorization:
        head += b"Proxy-Authorization: %b\r\n" % proxy.authorization
    try:
        answer = await connection.request(head + b"\r\n", b"", None)
    except HttpFailure as error:
        raise ConnectFailed("the proxy closed the connection") from error
    if not 200 <= answer.status < 300:
        words = "wants a login" if answer.status == 407 else "refused"
        raise ConnectFailed(f"the proxy {proxy.host}:{proxy.port} {words} ({answer.status})")


async def _wrap(outer: HttpConnection, tls: ssl.SSLContext, host: str) -> HttpConnection:
    inner = HttpConnection()
    loop = asyncio.get_running_loop()
    raw = outer.release()
    transport = None
    try:
        transport = await loop.start_tls(raw, inner, tls, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise ConnectFailed(f"its certificate is not valid: {error.verify_message}") from error
    except (OSError, ssl.CertificateError) as error:
        raise ConnectFailed("the TLS handshake failed") from error
    finally:
        if transport is None:
            raw.abort()
            with contextlib.suppress(asyncio.CancelledError):
                await outer.gone()
    assert transport is not None
    inner.connection_made(transport)
    return inner
