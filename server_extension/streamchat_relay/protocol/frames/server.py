"""What the relay sends: answers, what a conversation becomes, and calls to who serves them."""

from __future__ import annotations

from typing import Any

import msgspec

from streamchat_relay.model import Conversation, ErrorInfo, Event, Message, ToolSpec
from streamchat_relay.protocol.frames.answers import Ok
from streamchat_relay.protocol.frames.envelope import (
    JOIN_BYTES,
    MAX_FRAME_BYTES,
    WINDOW_BYTES,
    Frame,
    Ping,
    Pong,
)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds that a client should know, in bytes; no blobs where `max_blob_bytes` is 0."""

    max_frame_bytes: int = MAX_FRAME_BYTES
    window_bytes: int = WINDOW_BYTES
    join_bytes: int = JOIN_BYTES
    max_blob_bytes: int = 0


class Welcome(Frame, frozen=True, tag="welcome"):
    """Answers `hello`. `session` names this socket, `version` the relay's release."""

    session: str
    user: str
    heartbeat_s: float
    limits: Limits
    version: str


class ServedCall(Frame, frozen=True, tag="call"):
    """A served model is asked; `said` and `done` answer."""

    call: str
    model: str
    messages: tuple[Message, ...]
    params: dict[str, Any]
    tools: tuple[ToolSpec, ...] = ()


class Cancel(Frame, frozen=True, tag="cancel"):
    """Nobody waits for the answer to a `call` any more."""

    call: str


class ToolRun(Frame, frozen=True, tag="tool"):
    """A tool that this client offered is called; `asking` and `returned` answer.

    The same `call` may come again after a reconnect; it is still to be run once.
    """

    call: str
    conversation: str
    run: str
    part: str
    name: str
    input: dict[str, Any]


class Approved(Frame, frozen=True, tag="approved"):
    """A person allows the call whose name and arguments have this digest."""

    call: str
    digest: str


class Events(Frame, frozen=True, tag="events"):
    """Contiguous events of one conversation: `to - from + 1 == len(events)`."""

    conversation: str
    epoch: str
    first: int = msgspec.field(name="from")
    to: int
    events: tuple[Event, ...]


class Snapshot(Frame, frozen=True, tag="snapshot"):
    """The whole conversation up to `seq`; replaces what the client has."""

    conversation: str
    epoch: str
    seq: int
    state: Conversation


class View(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another view of a conversation; `session` and `user` are those of its greeting."""

    session: str
    user: str
    typing: bool = False
    seen: int = 0


class Views(Frame, frozen=True, tag="views"):
    """The other views of a conversation by now, for who is one; replaces what was told before."""

    conversation: str
    views: tuple[View, ...]


class Stale(Frame, frozen=True, tag="stale"):
    """What `list` told last may have changed; nothing more is told until the next `list`."""


class Deleted(Frame, frozen=True, tag="deleted"):
    """A conversation that this client opened is deleted; nothing more comes of it.

    While it is `restorable` a `restored` may follow.
    """

    conversation: str
    restorable: bool = False


class Restored(Frame, frozen=True, tag="restored"):
    """A conversation is there again; to see it, open it."""

    conversation: str


class Fail(Frame, frozen=True, tag="fail"):
    """A request failed, or (without `id`) a frame could not be taken."""

    error: ErrorInfo
    id: str | None = None


class Bye(Frame, frozen=True, tag="bye"):
    """The server is about to close; `error.retryable` says whether to come back."""

    error: ErrorInfo


ServerFrame = (
    Welcome
    | Ok
    | Events
    | Snapshot
    | Deleted
    | Restored
    | Stale
    | Views
    | ServedCall
    | ToolRun
    | Approved
    | Cancel
    | Fail
    | Bye
    | Ping
    | Pong
)
