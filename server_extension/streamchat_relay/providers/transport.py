"""The way under the SDKs: an httpx2 transport over our pool.

Imports httpx2, so only what is itself imported lazily may import this module.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable

import httpx2
from typing_extensions import override

from streamchat_relay.providers.answer import Answer
from streamchat_relay.providers.dial import Origin
from streamchat_relay.providers.failures import (
    ConnectFailed,
    ConnectTimedOut,
    HttpFailure,
    NotHttp,
    ReadTimedOut,
)
from streamchat_relay.providers.pool import HttpPool, HttpRequest

MAX_WHOLE = 8 * 1024 * 1024
"""Bytes of an answer that is no stream, unpacked: a list of models, a refusal."""

_ANSWER = "streamchat_answer"
_ENCODING = b"content-encoding"

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
        # A body is decoded here: httpx2 would unpack a few bytes into gigabytes.
        headers = [pair for pair in answer.headers if pair[0].lower() != _ENCODING]
        return httpx2.Response(
            answer.status,
            headers=headers,
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
        answer, left = self._answer, MAX_WHOLE
        # A refusal has said enough by its status.
        refused = answer.status >= 300
        unpack = _unpacker(encoding_of(answer))
        try:
            async for data in answer:
                piece = unpack(data, left)
                left -= len(piece)
                yield piece
                if not left and refused:
                    return
                if not left:
                    raise NotHttp("the answer is too large")
        except zlib.error as error:
            if not refused:
                raise as_httpx2(NotHttp("the answer is damaged")) from error
        except HttpFailure as failure:
            raise as_httpx2(failure) from failure

    @override
    async def aclose(self) -> None:
        await self._answer.close()


def _unpacker(encoding: str) -> Callable[[bytes, int], bytes]:
    """What gives the next bytes of a body, at most so many."""
    if encoding in {"gzip", "deflate"}:
        # 32 looks whether it is one or the other.
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress
    return lambda data, most: data[:most]


def encoding_of(answer: Answer) -> str:
    """How its body is compressed; empty where it is not."""
    found = [value for name, value in answer.headers if name.lower() == _ENCODING]
    return b",".join(found).decode("latin-1").strip().lower()


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
