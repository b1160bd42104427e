"""Errors as values and as exceptions: one tree, a stable code each.

StreamChatError                 something a person can act on
├── BadRequest                  bad_request           the frame or the argument is wrong
│   ├── BadCursor               bad_cursor            a cursor that this log never had
│   ├── Conflict                conflict              an id is taken by something else
│   ├── TooLarge                too_large             over a stated bound
│   └── ModelUnknown            model_unknown         no such provider or model
├── Unauthorized                unauthorized          not logged in
├── Forbidden                   forbidden             logged in, not allowed
├── NotFound                    not_found             not there, or somebody else's
├── RateLimited                 rate_limited          our own limit; wait
├── BudgetExhausted             budget_exhausted      our own budget is used up
├── ProviderError               provider_error        the provider failed
│   ├── ProviderAuth            provider_auth         key missing or refused
│   ├── ProviderRateLimited     provider_rate_limited its limit; wait
│   ├── ProviderOverloaded      provider_overloaded   it has no capacity
│   ├── ContextLength           context_length        prompt and history too long
│   ├── ContentFiltered         content_filtered      it refused the content
│   ├── Truncated               truncated             the stream was cut short
│   ├── TimedOut                timeout               no connection or first token in time
│   └── Stalled                 stalled               the stream went silent
└── Internal                    internal              a fault of ours

A message says what a person can do. It never carries a key, a header, a traceback or somebody
else's data.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

ErrorCode = Literal[
    "bad_request",
    "unauthorized",
    "forbidden",
    "not_found",
    "bad_cursor",
    "conflict",
    "too_large",
    "rate_limited",
    "budget_exhausted",
    "model_unknown",
    "provider_auth",
    "provider_rate_limited",
    "provider_overloaded",
    "context_length",
    "content_filtered",
    "provider_error",
    "truncated",
    "timeout",
    "stalled",
    "internal",
]


class ErrorInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as it travels and as it is kept in the log.

    `retry_after` is in seconds.
    """

    code: ErrorCode
    message: str
    retryable: bool
    retry_after: float | None = None


class StreamChatError(Exception):
    """Base of all errors that jupyter_streamchat raises on purpose."""

    code: ClassVar[ErrorCode] = "internal"
    retryable: bool = False

    def __init__(
        self, message: str, *, retryable: bool | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        if retryable is not None:
            self.retryable = retryable
        self.retry_after = retry_after

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: the sentence, which says what to do; not the way through our code."""
        return [f"{type(self).__name__}: {self.message}"]

    @property
    def info(self) -> ErrorInfo:
        """The error as a value."""
        return ErrorInfo(
            code=self.code,
            message=self.message,
            retryable=self.retryable,
            retry_after=self.retry_after,
        )


class BadRequest(StreamChatError):
    """The request is malformed; the same request will fail again."""

    code: ClassVar[ErrorCode] = "bad_request"


class BadCursor(BadRequest):
    """A cursor beyond the head of the log, or not a cursor at all."""

    code: ClassVar[ErrorCode] = "bad_cursor"


class Conflict(BadRequest):
    """An id is already used for something else."""

    code: ClassVar[ErrorCode] = "conflict"


class TooLarge(BadRequest):
    """Over a bound that the message states."""

    code: ClassVar[ErrorCode] = "too_large"


class ModelUnknown(BadRequest):
    """No such provider, or the provider has no such model."""

    code: ClassVar[ErrorCode] = "model_unknown"


class Unauthorized(StreamChatError):
    """Nobody is logged in."""

    code: ClassVar[ErrorCode] = "unauthorized"


class Forbidden(StreamChatError):
    """Logged in, but not allowed."""

    code: ClassVar[ErrorCode] = "forbidden"


class NotFound(StreamChatError):
    """Not there; what is somebody else's is not there either."""

    code: ClassVar[ErrorCode] = "not_found"


class RateLimited(StreamChatError):
    """A limit of this server; try again after `retry_after` seconds."""

    code: ClassVar[ErrorCode] = "rate_limited"
    retryable = True


class BudgetExhausted(StreamChatError):
    """A budget of this server is used up."""

    code: ClassVar[ErrorCode] = "budget_exhausted"


class ProviderError(StreamChatError):
    """The provider failed; `retryable` says whether trying again makes sense."""

    code: ClassVar[ErrorCode] = "provider_error"
    retryable = True


class ProviderAuth(ProviderError):
    """The key is missing or refused; the message names the variable or setting."""

    code: ClassVar[ErrorCode] = "provider_auth"
    retryable = False


class ProviderRateLimited(ProviderError):
    """The provider's own limit."""

    code: ClassVar[ErrorCode] = "provider_rate_limited"


class ProviderOverloaded(ProviderError):
    """The provider has no capacity at the moment."""

    code: ClassVar[ErrorCode] = "provider_overloaded"


class ContextLength(ProviderError):
    """Prompt and history do not fit the model's context."""

    code: ClassVar[ErrorCode] = "context_length"
    retryable = False


class ContentFiltered(ProviderError):
    """The provider refused the content."""

    code: ClassVar[ErrorCode] = "content_filtered"
    retryable = False


class Truncated(ProviderError):
    """The stream ended without saying that it was done; what came is kept."""

    code: ClassVar[ErrorCode] = "truncated"


class TimedOut(ProviderError):
    """No connection, or no first token, in time."""

    code: ClassVar[ErrorCode] = "timeout"


class Stalled(ProviderError):
    """The stream went silent in the middle."""

    code: ClassVar[ErrorCode] = "stalled"


class Internal(StreamChatError):
    """A fault of jupyter_streamchat; the server's log has the details."""

    code: ClassVar[ErrorCode] = "internal"


def _tree(root: type[StreamChatError]) -> list[type[StreamChatError]]:
    return [root, *(leaf for child in root.__subclasses__() for leaf in _tree(child))]


_BY_CODE: dict[str, type[StreamChatError]] = {cls.code: cls for cls in _tree(StreamChatError)}


def error_from(info: ErrorInfo) -> StreamChatError:
    """The exception that stands for an error value.

    >>> error_from(ErrorInfo(code="not_found", message="No such run.", retryable=False))
    NotFound('No such run.')
    """
    cls = _BY_CODE.get(info.code, StreamChatError)
    return cls(info.message, retryable=info.retryable, retry_after=info.retry_after)
