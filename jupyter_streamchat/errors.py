"""Errors that only notebook code meets; the others are in `streamchat_relay.model`."""

from __future__ import annotations

from typing import ClassVar

from streamchat_relay.model import ErrorCode, StreamChatError


class RelayNotFound(StreamChatError):
    """There is no relay that this process could ask; the message says what to install or start."""

    code: ClassVar[ErrorCode] = "not_found"


class RelayLost(StreamChatError):
    """The relay answered once and cannot be reached any more; what came is kept."""

    code: ClassVar[ErrorCode] = "internal"
    retryable = True


class AnswerMismatch(StreamChatError):
    """The answer is not of the type that was asked for; `text` is the whole of it."""

    code: ClassVar[ErrorCode] = "provider_error"

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        self.text = text


class FrontEndMissing(StreamChatError):
    """The widget's JavaScript was not built; the message says how to build it."""

    code: ClassVar[ErrorCode] = "not_found"
