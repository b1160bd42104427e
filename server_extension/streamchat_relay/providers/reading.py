"""Answers that are no stream: lists, errors, and the pages of a wrong address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from streamchat_relay.model import ProviderError
from streamchat_relay.providers.answer import Answer
from streamchat_relay.providers.endpoint import Endpoint
from streamchat_relay.providers.errors import from_refusal, undecodable
from streamchat_relay.providers.failures import UNREADABLE
from streamchat_relay.providers.refusal import refusal_from

if TYPE_CHECKING:
    import httpx2

MAX_BODY = 1024 * 1024
"""Bytes of an unexpected body that are read for its error code."""

_T = TypeVar("_T")


def read_json(response: httpx2.Response, kind: type[_T], at: Endpoint) -> _T:
    """The body as a value; raises `ProviderError` when it is something else."""
    try:
        return msgspec.json.decode(response.content, type=kind)
    except UNREADABLE:
        raise undecodable(at) from None


async def refuse_what_is_no_stream(response: httpx2.Response, at: Endpoint, model: str) -> Answer:
    """The answer beneath a streaming response, unread; raises when it does not stream."""
    from streamchat_relay.providers.transport import answer_of  # noqa: PLC0415 - imports httpx2

    answer = answer_of(response)
    encoding = response.headers.get("content-encoding", "identity")
    if encoding.strip().lower() not in {"", "identity"}:
        await answer.close()
        raise ProviderError(
            f"{at.provider} at {at.where} compressed its answer ({encoding[:20]}), though it was "
            "asked not to. Turn that off there, or in the proxy before it.",
            retryable=False,
        )
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in {"application/json", "text/html"}:
        return answer
    body = bytearray()

    def receive(data: bytes) -> bool:
        body.extend(data)
        return len(body) > MAX_BODY

    await answer.consume(receive)
    try:
        value: Any = msgspec.json.decode(bytes(body))
    except UNREADABLE:
        value = None
    if isinstance(value, dict) and value.get("error"):
        raise from_refusal(refusal_from(value), at, model)
    what = "a web page" if media_type == "text/html" else "one piece, not a stream"
    raise ProviderError(
        f"{at.provider} at {at.where} answered with {what}. Check the base URL.", retryable=False
    )
