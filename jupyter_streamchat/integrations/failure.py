"""A failure inside a library, as an error that says what happened and what to do."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path

from streamchat_relay.model import (
    ContentFiltered,
    ContextLength,
    ModelUnknown,
    ProviderAuth,
    ProviderError,
    ProviderOverloaded,
    ProviderRateLimited,
    StreamChatError,
    TimedOut,
)

_LIBRARIES = tuple(
    str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "platstdlib", "purelib")
)
_OURS = str(Path(__file__).resolve().parents[1])

# By name: the classes are those of LangChain, pydantic-ai and the providers' SDKs, of which any may
# be missing or older than the name.
_BY_NAME: dict[str, type[StreamChatError]] = {
    "AuthenticationError": ProviderAuth,
    "PermissionDeniedError": ProviderAuth,
    "ModelAuthenticationError": ProviderAuth,
    "ModelPermissionDeniedError": ProviderAuth,
    "ContextOverflowError": ContextLength,
    "ModelContextWindowExceededError": ContextLength,
    "ContentFilterError": ContentFiltered,
    "ModelRefusalError": ContentFiltered,
    "ModelNotFoundError": ModelUnknown,
    "RateLimitError": ProviderRateLimited,
    "ModelRateLimitError": ProviderRateLimited,
    "ModelUnavailableError": ProviderOverloaded,
    "APITimeoutError": TimedOut,
    "ModelTimeoutError": TimedOut,
    "ModelRequestTimeout": TimedOut,
    "RunTimedOut": TimedOut,
    "APIConnectionError": ProviderError,
    "ModelConnectionError": ProviderError,
    "ModelServerError": ProviderError,
}
_BY_STATUS: dict[int, type[StreamChatError]] = {
    401: ProviderAuth,
    403: ProviderAuth,
    408: TimedOut,
    429: ProviderRateLimited,
    500: ProviderError,
    502: ProviderError,
    503: ProviderOverloaded,
    504: TimedOut,
    529: ProviderOverloaded,
}
_WORDS: dict[type[StreamChatError], str] = {
    ProviderAuth: "Its provider refused the key. The library looks for it in this kernel, not in "
    "the Jupyter server: set it there, or give it where the model is made.",
    ContextLength: "The conversation is too long for it. Begin a new one, or fork an earlier one.",
    ContentFiltered: "Its provider refused the content.",
    ModelUnknown: "Its provider has no such model, or no such address.",
    ProviderRateLimited: "Its provider limits the rate. Wait, and ask again.",
    ProviderOverloaded: "Its provider has no capacity now. Ask again later.",
    TimedOut: "Its provider did not answer in time. Ask again.",
    ProviderError: "Its provider cannot be reached, or failed. Ask again.",
}
_OTHER_LOOP = ("bound to a different event loop", "attached to a different loop", "loop is closed")
_SAID_AT_MOST = 500


def failure(name: str, error: Exception) -> StreamChatError:
    """The error for what a library raised while `name` answered.

    What the provider said is quoted, but not where it refused a key, which some of them repeat.

    >>> failure("my-agent", ValueError("no such tool")).message
    'my-agent failed with ValueError: no such tool'
    """
    for cause in _causes(error):
        if isinstance(cause, StreamChatError):
            return cause
        kind = _kind(cause)
        if kind is not None:
            said = "" if kind is ProviderAuth else f" It said: {_said(cause)}"
            return kind(f"{name}: {_WORDS[kind]}{said}", retry_after=_retry_after(cause))
        if isinstance(cause, RuntimeError) and any(words in str(cause) for words in _OTHER_LOOP):
            return ProviderError(
                f"{name}: its connections belong to another event loop, as where the notebook "
                "itself awaits the same model object. Make one for the chat alone.",
                retryable=False,
            )
    kind_name = type(error).__name__
    return ProviderError(
        f"{name} failed with {kind_name}: {_said(error)}{_place(error)}", retryable=False
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__


def _kind(error: BaseException) -> type[StreamChatError] | None:
    for cls in type(error).__mro__:
        if cls.__name__ in _BY_NAME:
            return _BY_NAME[cls.__name__]
    status = getattr(error, "status_code", None)
    if status is None:
        status = getattr(getattr(error, "response", None), "status_code", None)
    return _BY_STATUS.get(status) if isinstance(status, int) else None


def _retry_after(error: BaseException) -> float | None:
    told = getattr(error, "retry_after", None)
    if told is None:
        headers = getattr(getattr(error, "response", None), "headers", None) or {}
        told = headers.get("retry-after")
    try:
        return None if told is None else float(told)
    except (TypeError, ValueError):
        return None


def _said(error: BaseException) -> str:
    # The SDKs keep what the provider answered; their own text has its JSON around it.
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else None
    message = inner.get("message") if isinstance(inner, dict) else None
    text = message if isinstance(message, str) and message else str(error) or "nothing"
    return text if len(text) <= _SAID_AT_MOST else f"{text[:_SAID_AT_MOST]}…"


def _place(error: BaseException) -> str:
    """Where in the notebook's own code it was raised, such as in a tool or a prompt's function."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith((*_LIBRARIES, _OURS, "<frozen")):
            return f" (in {frame.name}, line {frame.lineno})"
    return ""
