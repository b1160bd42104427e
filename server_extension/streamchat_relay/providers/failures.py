"""Failures of an HTTP exchange, before anybody has put them into a user's words.

HttpFailure            base: `origin` says with whom
├── ConnectFailed      no connection: refused, unknown host, TLS, proxy
├── ConnectTimedOut    no connection in time
├── ReadTimedOut       the other side went silent
├── Dropped            it closed the connection before a byte of the answer
├── BodyCut            it closed the connection within the answer
└── NotHttp            what came is not HTTP/1.1, or is over a bound
"""

from __future__ import annotations

import msgspec

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not the JSON it was told of."""


class HttpFailure(Exception):
    """An exchange failed; the text is for a log and holds neither headers nor bodies."""


class ConnectFailed(HttpFailure):
    """No connection came about; the text says why in a few words."""


class ConnectTimedOut(HttpFailure):
    """No connection came about in time."""


class ReadTimedOut(HttpFailure):
    """No byte came for longer than the read timeout."""


class Dropped(HttpFailure):
    """The connection closed before the first byte of an answer."""


class BodyCut(HttpFailure):
    """The connection closed before the body's stated end."""


class NotHttp(HttpFailure):
    """The bytes are not a HTTP/1.1 response, or its head is too large."""
