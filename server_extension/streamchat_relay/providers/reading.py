"""Answers that are no stream: lists, errors, and the pages of a wrong address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from streamchat_relay.model import ProviderError, Truncated
from streamchat_relay.providers.answer import Answer
from streamchat_relay.providers.decoding import StreamDecoder
from streamchat_relay.providers.endpoint import Endpoint
from streamchat_relay.providers.errors import from_refusal, undecodable
from streamchat_relay.providers.failures import UNREADABLE
from streamchat_relay.providers.refusal import refusal_from

if TYPE_CHECKING:
    import httpx2

MAX_BODY = 1024 * 1024
"""Bytes of an unexpected body that are read for its error code."""

_WORD = re.compile(r"[a-z0-9.+-]{1,30}(/[a-z0-9.+-]{1,50})?")

_T = TypeVar("_T")


def read_json(response: httpx2.Response, kind: type[_T], at: Endpoint) -> _T:
    """The body as a value; raises `ProviderError` when it is something else."""
    try:
        return msgspec.json.decode(response.content, type=kind)
    except UNREADABLE:
        raise undecodable(at) from None


async def refuse_what_is_no_stream(response: httpx2.Response, at: Endpoint, model: str) -> Answer:
    """The answer beneath a streaming response, unread; raises when it does not stream."""
    from streamchat_relay.providers.transport import answer_of, encoding_of  # noqa: PLC0415 - imports httpx2

    answer = answer_of(response)
    encoding = _plain(encoding_of(answer))
    if encoding not in {"", "identity"}:
        await answer.close()
        raise ProviderError(
            f"{at.provider} at {at.where} compressed its answer ({encoding}), though it was "
            "asked not to. Turn that off there, or in the proxy before it.",
            retryable=False,
        )
    if _word(response, "content-type") not in {"application/json", "text/html"}:
        return answer
    body = bytearray()

    def receive(data: bytes) -> bool:
        body.extend(data)
        return len(body) > MAX_BODY

    await answer.consume(receive, lambda: answer.due)
    try:
        value: Any = msgspec.json.decode(bytes(body))
    except UNREADABLE:
        value = None
    if isinstance(value, dict) and value.get("error"):
        raise from_refusal(refusal_from(value), at, model)
    raise _instead(response, at, nothing=not body)


def conclude(response: httpx2.Response, decoder: StreamDecoder) -> None:
    """Tell the decoder that the body ended uncut; raises what came where it was no answer."""
    from streamchat_relay.providers.transport import answer_of  # noqa: PLC0415 - imports httpx2

    try:
        # RFC 9112 6.3: a body without a length and without chunks ends like one that is cut.
        decoder.end(certain=not answer_of(response).until_close)
    except Truncated:
        if decoder.started or _word(response, "content-type") == "text/event-stream":
            raise
        raise _instead(response, decoder.at, nothing=decoder.sse.untouched) from None


def _instead(response: httpx2.Response, at: Endpoint, *, nothing: bool) -> ProviderError:
    who = f"{at.provider} at {at.where}"
    if nothing:
        status = "" if response.status_code == 200 else f" ({response.status_code})"
        return ProviderError(
            f"{who} answered with nothing{status}. Try again; if that does not help, "
            "check the base URL."
        )
    match _word(response, "content-type"):
        case "text/html":
            what = "a web page"
        case "application/json":
            what = "one piece, not a stream"
        case "":
            what = "something that is no stream, and does not say what it is"
        case media_type:
            what = f"{media_type}, which is no stream"
    return ProviderError(f"{who} answered with {what}. Check the base URL.", retryable=False)


def _word(response: httpx2.Response, header: str) -> str:
    return _plain(response.headers.get(header, ""))


def _plain(value: str) -> str:
    # Without parameters, and only what looks like a word: a person may see it.
    word = value.partition(";")[0].strip().lower()
    return word if _WORD.fullmatch(word) else "?" if word else ""
