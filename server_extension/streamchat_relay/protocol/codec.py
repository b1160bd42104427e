"""The codec: frames to bytes and back, and the fast way for events."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, get_args

import msgspec

from streamchat_relay.model import BadCursor, BadRequest, Event, StreamChatError
from streamchat_relay.protocol.frames import (
    ID_PATTERN,
    Approve,
    Approved,
    ApproveOk,
    Bye,
    Cancel,
    ClientFrame,
    Delete,
    Deleted,
    DeleteOk,
    Export,
    ExportOk,
    Fail,
    Leave,
    LeaveOk,
    List,
    ListOk,
    Models,
    ModelsOk,
    Offer,
    OfferOk,
    Ok,
    Open,
    OpenOk,
    Ping,
    Pong,
    Rate,
    RateOk,
    Rename,
    RenameOk,
    Restore,
    Restored,
    RestoreOk,
    Send,
    SendOk,
    Serve,
    ServedCall,
    ServeOk,
    ServerFrame,
    Snapshot,
    Stale,
    Stop,
    StopOk,
    ToolRun,
    Views,
    Welcome,
)

_encoder = msgspec.json.Encoder()
encode = _encoder.encode
"""Any frame or event as UTF-8 JSON."""

_object = msgspec.json.Decoder(dict[str, Any])
_client: msgspec.json.Decoder[Any] = msgspec.json.Decoder(ClientFrame)
_event = msgspec.json.Decoder(Event)

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_ID_RULE = f"matching regex {ID_PATTERN!r}"
_ID_WORDS = "of 1 to 64 of `A-Z a-z 0-9 - _`"

_CLIENT_TYPES = frozenset(kind.__struct_config__.tag for kind in get_args(ClientFrame))


class NotAnObject(Exception):
    """The text is not a JSON object; the connection cannot go on (close code 4400)."""


class BadFrame(Exception):
    """A JSON object that is no frame; `frame_id` is its `id` where it has one."""

    def __init__(self, error: StreamChatError, frame_id: str | None) -> None:
        super().__init__(error.message)
        self.info = error.info
        self.frame_id = frame_id


def decode_client_frame(data: str | bytes) -> ClientFrame:
    """Read one frame of a client.

    Raises `NotAnObject` when the text is not a JSON object and `BadFrame` when it is an object but
    no frame.

    >>> decode_client_frame('{"type": "ping", "t": 1}')
    Ping(t=1)
    """
    try:
        frame: ClientFrame = _client.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        head = _head_of(data)
        kind, given = _text(head.type), _text(head.id)
        echo = given is not None and len(given) <= 64 and given.isascii()
        frame_id = given if echo else None
        if kind is None:
            raise BadFrame(BadRequest("A frame needs a `type`."), frame_id) from None
        if kind not in _CLIENT_TYPES:
            raise BadFrame(BadRequest(f"No frame type {kind[:64]!r}."), frame_id) from None
        message = f"`{kind}`: {_words(error)}."
        far = kind == "open" and "out of range" in str(error) and _is_number(head.after)
        if far or message.endswith(("$.after`.", "$.epoch`.")):
            raise BadFrame(BadCursor(message), frame_id) from None
        raise BadFrame(BadRequest(message), frame_id) from None
    return frame


def _words(error: Exception) -> str:
    words = str(error)
    if "out of range" in words:
        return "A number is too large"
    if isinstance(error, msgspec.ValidationError):
        return words.replace(_ID_RULE, _ID_WORDS)
    # It is JSON, else we were not here.
    return "The text holds half of a character (a lone surrogate). Take it out"


class _Head(msgspec.Struct):
    type: msgspec.Raw = msgspec.Raw(b"null")
    id: msgspec.Raw = msgspec.Raw(b"null")
    after: msgspec.Raw = msgspec.Raw(b"null")


_head = msgspec.json.Decoder(_Head)
_string = msgspec.json.Decoder(str)


def _head_of(data: str | bytes) -> _Head:
    """The fields that a refusal looks at; what else there is costs no more than to pass over it."""
    try:
        return _head.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass
    # msgspec does not read half a surrogate pair, but RFC 8259 allows it. A client that was told
    # nothing but a close would come back and send the same again.
    try:
        text = data if isinstance(data, str) else data.decode()
        return _head.decode(_SURROGATE.sub(r"\\ufffd", text))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise NotAnObject from None


def _is_number(raw: msgspec.Raw) -> bool:
    return bytes(raw)[:1] not in {b"n", b'"', b"[", b"{", b"t", b"f"}


def _text(raw: msgspec.Raw) -> str | None:
    try:
        return _string.decode(raw)
    except msgspec.DecodeError:
        return None


class EventsEncoder:
    """Builds `events` frames for one log from events that are encoded already.

    Events are encoded once, at append; a frame only puts them between a head and a tail.
    """

    __slots__ = ("_head",)

    def __init__(self, conversation: str, epoch: str) -> None:
        self._head = b'{"type":"events","conversation":%b,"epoch":%b,"from":' % (
            encode(conversation),
            encode(epoch),
        )

    def each(self, first: int, events: Sequence[bytes]) -> list[bytes]:
        """A frame for each of the events, the first of them numbered `first`."""
        head = self._head
        return [
            b'%b%d,"to":%d,"events":[%b]}' % (head, seq, seq, event)
            for seq, event in enumerate(events, first)
        ]

    def joined(self, first: int, events: Sequence[bytes]) -> bytes:
        """One frame of several events, the first of them numbered `first`."""
        return b'%b%d,"to":%d,"events":[%b]}' % (
            self._head,
            first,
            first + len(events) - 1,
            b",".join(events),
        )


class EventsHead(msgspec.Struct, frozen=True, kw_only=True, tag="events", tag_field="type"):
    """An `events` frame whose events are not decoded yet.

    A client decodes them one by one, so that an event type of a later version costs only itself.
    """

    conversation: str
    epoch: str
    first: int = msgspec.field(name="from")
    to: int
    events: tuple[msgspec.Raw, ...]


class _OkHead(msgspec.Struct, frozen=True, kw_only=True, tag="ok", tag_field="type"):
    id: str


_OK_OF: dict[type, msgspec.json.Decoder[Any]] = {
    Models: msgspec.json.Decoder(ModelsOk),
    Open: msgspec.json.Decoder(OpenOk),
    Leave: msgspec.json.Decoder(LeaveOk),
    Send: msgspec.json.Decoder(SendOk),
    Stop: msgspec.json.Decoder(StopOk),
    Serve: msgspec.json.Decoder(ServeOk),
    Offer: msgspec.json.Decoder(OfferOk),
    Approve: msgspec.json.Decoder(ApproveOk),
    Rate: msgspec.json.Decoder(RateOk),
    Rename: msgspec.json.Decoder(RenameOk),
    List: msgspec.json.Decoder(ListOk),
    Delete: msgspec.json.Decoder(DeleteOk),
    Restore: msgspec.json.Decoder(RestoreOk),
    Export: msgspec.json.Decoder(ExportOk),
}

ReceivedFrame = (
    Welcome
    | EventsHead
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
_server: msgspec.json.Decoder[Any] = msgspec.json.Decoder(ReceivedFrame | _OkHead)


class Answered(msgspec.Struct, frozen=True):
    """An `ok` whose shape only the request with this `id` knows; see `decode_ok`."""

    id: str


def decode_server_frame(data: str | bytes) -> ReceivedFrame | Answered | None:
    """Read one frame of the server; None for a type of a later version.

    Raises `NotAnObject` when the text is not a JSON object, `BadFrame` when it is malformed.
    """
    try:
        frame = _server.decode(data)
    except (msgspec.DecodeError, UnicodeError) as error:
        kind = _text(_head_of(data).type)
        if kind is not None and kind not in _SERVER_TYPES:
            return None
        raise BadFrame(BadRequest(f"`{kind}`: {error}."), None) from None
    return Answered(frame.id) if isinstance(frame, _OkHead) else frame


_SERVER_TYPES = frozenset(kind.__struct_config__.tag for kind in get_args(ServerFrame))


def decode_ok(data: str | bytes, request: type) -> Ok:
    """Read an `ok` as the answer to a request of this type."""
    ok: Ok = _OK_OF[request].decode(data)
    return ok


def decode_event(data: bytes | msgspec.Raw) -> Event | None:
    """Read one event; None for a type of a later version."""
    try:
        event: Event = _event.decode(data)
    except msgspec.ValidationError:
        if _object.decode(data).get("type") in _EVENT_TYPES:
            raise
        return None
    return event


_EVENT_TYPES = frozenset(kind.__struct_config__.tag for kind in get_args(Event))
