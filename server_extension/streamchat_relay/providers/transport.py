"""The way under the SDKs: an httpx2 transport over our pool.

Imports httpx2, so only what is itself imported lazily may import this module.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
from typing_extensions import override

from streamchat_relay.providers.answer import Answer
from streamchat_relay.providers.dial import Origin
from streamchat_relay.providers.failures import (
    ConnectFailed,
    ConnectTimedOut,
    HttpFailure,
    ReadTimedOut,
)
from streamchat_relay.providers.pool import HttpPool, HttpRequest

_ANSWER = "streamchat_answer"

_PORTS = {"http": 80, "https": 443}

# The body is read as it comes, so it must come as it is; the length is our own to say.
_OURS = {b"accept-encoding", b"connection", b"transfer-encoding"}


class PoolTransport(httpx2.AsyncBaseTransport):
    """Hands an SDK's request to an `HttpPool`, and its answer back."""

    def __init__(self, pool: HttpPool) -> None:
        self._pool = pool

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        if url.scheme not in _PORTS:
            raise httpx2.UnsupportedProtocol("the base URL must start with http:// or https://")
        timeouts = request.extensions.get("timeout", {})
        headers = [pair for pair in request.headers.raw if pair[0].lower() not in _OURS]
        headers.append((b"Accept-Encoding", b"identity"))
        try:
            answer = await self._pool.send(
                HttpRequest(
                    method=request.method.encode(),
                    origin=Origin(url.scheme, url.host, url.port or _PORTS[url.scheme]),
                    target=url.raw_path,
                    headers=headers,
                    body=await request.aread(),
                    connect_timeout=timeouts.get("connect"),
                    read_timeout=timeouts.get("read"),
                )
            )
        except HttpFailure as failure:
            raise as_httpx2(failure) from failure
        return httpx2.Response(
            answer.status,
            headers=answer.headers,
            stream=_AnswerStream(answer),
            extensions={_ANSWER: answer},
        )

    @override
    async def aclose(self) -> None:
        await self._pool.close()


class _AnswerStream(httpx2.AsyncByteStream):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for data in self._answer:
                yield data
        except HttpFailure as failure:
            raise as_httpx2(failure) from failure

    @override
    async def aclose(self) -> None:
        await self._answer.close()


def answer_of(response: httpx2.Response) -> Answer:
    """The answer beneath a response that came through a `PoolTransport`, unread."""
    answer = response.extensions[_ANSWER]
    assert isinstance(answer, Answer)
    return answer


def as_httpx2(failure: HttpFailure) -> httpx2.TransportError:
    """The httpx2 exception by which an SDK recognises a failure."""
    match failure:
        case ConnectTimedOut():
            return httpx2.ConnectTimeout(str(failure))
        case ReadTimedOut():
            return httpx2.ReadTimeout(str(failure))
        case ConnectFailed():
            return httpx2.ConnectError(str(failure))
        case _:
            return httpx2.RemoteProtocolError(str(failure))


def http_client(pool: HttpPool, connect_timeout: float, read_timeout: float) -> httpx2.AsyncClient:
    """A client for an SDK: our transport, no redirects, nothing from the environment.

    The pool decides on proxies, so httpx2 must not.
    """
    return httpx2.AsyncClient(
        transport=PoolTransport(pool),
        follow_redirects=False,
        trust_env=False,
        timeout=httpx2.Timeout(read_timeout, connect=connect_timeout),
    )
