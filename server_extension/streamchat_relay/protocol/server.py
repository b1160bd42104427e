"""The server's end of one connection, sans I/O: text in, actions out."""

from __future__ import annotations

import enum

from streamchat_relay.model import BadRequest, ErrorInfo, StreamChatError
from streamchat_relay.protocol.codec import BadFrame, NotAnObject, decode_client_frame
from streamchat_relay.protocol.frames import (
    HEARTBEAT_S,
    Ack,
    Bye,
    Fail,
    Hello,
    Limits,
    Ping,
    Pong,
    Presence,
    Request,
    ServerFrame,
    Told,
    Welcome,
)

HELLO_TIMEOUT_S = 10.0
"""A socket that has not said hello by then is closed with 4408."""


class CloseCode(enum.IntEnum):
    """Why the server closes a connection; never why a request failed."""

    GOING_AWAY = 1001
    TOO_LARGE = 1009
    MALFORMED = 4400
    UNAUTHENTICATED = 4401
    FORBIDDEN = 4403
    NO_HELLO = 4408
    REPLACED = 4409
    FLOODING = 4429


class Close:
    """Close the connection; nothing may be written after it."""

    __slots__ = ("code", "reason")

    def __init__(self, code: CloseCode, reason: str) -> None:
        self.code = code
        self.reason = reason

    def __repr__(self) -> str:
        return f"Close({self.code}, {self.reason!r})"


Wish = Request | Told | Ack | Presence
"""What the owner of the session carries out."""

Action = ServerFrame | Wish | Close
"""What one frame leads to: a frame to write, a request to carry out, or the end."""


class State(enum.Enum):
    """Where a connection stands."""

    GREETING = "greeting"
    OPEN = "open"
    CLOSED = "closed"


class ServerSession:
    """Reads one client's frames in order and says what each leads to.

    The owner writes the frames among the actions, carries out the requests, and closes when told
    to. The session itself answers `hello`, `ping` and everything that is not a legal frame.

    >>> session = ServerSession(session="s1", user="ada", version="0.1.0")
    >>> session.receive('{"type": "hello", "client": "doctest/1"}')[0].session
    's1'
    """

    def __init__(
        self,
        *,
        session: str,
        user: str,
        version: str,
        heartbeat_s: float = HEARTBEAT_S,
        max_blob_bytes: int = 0,
    ) -> None:
        self._welcome = Welcome(
            session=session,
            user=user,
            heartbeat_s=heartbeat_s,
            limits=Limits(max_blob_bytes=max_blob_bytes),
            version=version,
        )
        self.state = State.GREETING

    @property
    def welcome(self) -> Welcome:
        """How this client is greeted."""
        return self._welcome

    def receive(self, data: str | bytes) -> list[Action]:
        """Take the text of one frame; bytes stand for a binary frame, which the wire has not."""
        if self.state is State.CLOSED:
            return []
        if isinstance(data, bytes):
            return self._close(CloseCode.MALFORMED, "frames are text")
        try:
            frame = decode_client_frame(data)
        except NotAnObject:
            return self._close(CloseCode.MALFORMED, "a frame is one JSON object")
        except BadFrame as error:
            return [Fail(id=error.frame_id, error=error.info)]
        if self.state is State.GREETING:
            if isinstance(frame, Hello):
                self.state = State.OPEN
                return [self._welcome]
            return [_refuse(frame, "Say `hello` first.")]
        match frame:
            case Hello():
                return [_refuse(frame, "`hello` was said already.")]
            case Ping(t=t):
                return [Pong(t=t)]
            case Pong():
                return []
            case _:
                return [frame]

    def hello_timed_out(self) -> list[Action]:
        """`HELLO_TIMEOUT_S` are over; closes a client that has not said hello."""
        if self.state is State.GREETING:
            return self._close(CloseCode.NO_HELLO, "no hello in time")
        return []

    def going_away(self) -> list[Action]:
        """The server stops; the client may come back when it is up again."""
        if self.state is State.CLOSED:
            return []
        bye = Bye(
            error=ErrorInfo(
                code="internal", message="The Jupyter server is stopping.", retryable=True
            )
        )
        return [bye, *self._close(CloseCode.GOING_AWAY, "server going away")]

    def _close(self, code: CloseCode, reason: str) -> list[Action]:
        self.state = State.CLOSED
        return [Close(code, reason)]


def _refuse(frame: object, message: str) -> Fail:
    frame_id = getattr(frame, "id", None)
    error: StreamChatError = BadRequest(message)
    return Fail(id=frame_id, error=error.info)
