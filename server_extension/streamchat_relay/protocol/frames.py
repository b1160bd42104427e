"""Frames: the single definition of every message on the wire `streamchat.v1`.

JSON Schema and the TypeScript types are generated from this module by `schema.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from streamchat_relay.model import (
    AbortReason,
    Conversation,
    ConversationInfo,
    ErrorInfo,
    Event,
    FilePart,
    FinishReason,
    Message,
    ModelInfo,
    ProviderProblem,
    RunStateName,
    TextPart,
    ToolSpec,
    Usage,
)

SUBPROTOCOL = "streamchat.v1"

MAX_FRAME_BYTES = 10 * 1024 * 1024
"""A client's frame over this closes its socket with 1009."""
WINDOW_BYTES = 256 * 1024
"""A cursor pauses when this much of its conversation is sent and not acknowledged."""
JOIN_BYTES = 64 * 1024
"""Events for a reader that lags are joined into frames of at most this size."""
HEARTBEAT_S = 15.0
"""A client that heard nothing for this long pings; as long again without an answer, and the
link is dead."""

# `$` alone would let a trailing line feed pass in Python's dialect.
ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$(?!\n)"
ClientId = Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]
Sequence = Annotated[int, msgspec.Meta(ge=0)]
ModelId = Annotated[str, msgspec.Meta(max_length=256)]
Title = Annotated[str, msgspec.Meta(max_length=120)]
Search = Annotated[str, msgspec.Meta(max_length=200)]
PageSize = Annotated[int, msgspec.Meta(ge=1, le=1000)]
ExportForm = Literal["md", "jsonl"]
Rating = Literal["up", "down", "none"]


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """What a person sends: text and files."""

    parts: tuple[TextPart | FilePart, ...]


class _Frame(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    pass


class Hello(_Frame, frozen=True, tag="hello"):
    """Must come first. `client` is name/version."""

    client: str


class Models(_Frame, frozen=True, tag="models"):
    """Asks which models there are."""

    id: ClientId


class Open(_Frame, frozen=True, tag="open"):
    """Follow a conversation, from after `after`; without it the state comes as a snapshot."""

    id: ClientId
    conversation: ClientId
    after: int | None = None
    epoch: str | None = None


class Leave(_Frame, frozen=True, tag="leave"):
    """Follow a conversation no more; its runs go on."""

    id: ClientId
    conversation: ClientId


class Send(_Frame, frozen=True, tag="send"):
    """Start a run: with `message` a new prompt, without it another answer to `parent`."""

    id: ClientId
    conversation: ClientId
    run: ClientId
    model: ModelId = ""
    message: Prompt | None = None
    parent: str | None = None
    params: dict[str, Any] | None = None


class Stop(_Frame, frozen=True, tag="stop"):
    """End a run early."""

    id: ClientId
    run: ClientId


class Serve(_Frame, frozen=True, tag="serve"):
    """Answer for the model `kernel/<model>` from here on, for as long as this socket is open."""

    id: ClientId
    model: ClientId


class Piece(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a served model says, or thinks, or calls, or what came of a call.

    A `tool-call` has the `tool`'s name, an `id` and its arguments in `value`; a `tool-result`
    that `id` and the output in `value`, or an `error`.
    """

    kind: Literal["text", "reasoning", "tool-call", "tool-result"] = "text"
    delta: str = ""
    id: str = ""
    tool: str = ""
    value: Any = None
    error: str = ""


class Said(_Frame, frozen=True, tag="said"):
    """What a served model says in answer to a `call`."""

    call: ClientId
    pieces: tuple[Piece, ...]


class Done(_Frame, frozen=True, tag="done"):
    """The answer to a `call` is complete, failed with `error`, or ended as `abort` says."""

    call: ClientId
    error: ErrorInfo | None = None
    finish_reason: FinishReason = "stop"
    usage: Usage | None = None
    abort: AbortReason | None = None


class Offer(_Frame, frozen=True, tag="offer"):
    """Run these tools for a conversation, for as long as this socket is open.

    It replaces what this client offered before for the same conversation. `runner` is the same
    over all sockets of who runs them: a call that was begun is told again to nobody else.
    """

    id: ClientId
    conversation: ClientId
    tools: tuple[ToolSpec, ...]
    runner: ClientId | None = None


class Asking(_Frame, frozen=True, tag="asking"):
    """The tool that a `tool` frame calls runs only if a person allows it."""

    call: ClientId


class Returned(_Frame, frozen=True, tag="returned"):
    """What came of a `tool` frame's call: its output, or an `error` for the model to read."""

    call: ClientId
    output: Any = None
    error: str = ""


class Approve(_Frame, frozen=True, tag="approve"):
    """A person allows the call in a part, or does not; `digest` is its approval request's."""

    id: ClientId
    run: ClientId
    part: str
    digest: str
    allow: bool


class Rate(_Frame, frozen=True, tag="rate"):
    """A person thinks well of an answer, or not; `none` takes that back."""

    id: ClientId
    conversation: ClientId
    message: str
    value: Rating


class Rename(_Frame, frozen=True, tag="rename"):
    """Give a conversation a title; an empty one takes it away."""

    id: ClientId
    conversation: ClientId
    title: Title


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """Where a list goes on: the `used` and the `id` of the last conversation that is known."""

    used: float
    id: ClientId


class List(_Frame, frozen=True, tag="list"):
    """Which conversations there are, the one used last first.

    With `search` those whose title, prompts and answers hold all of its words, whatever their
    case and accents. The next change of what there is is told once, with `stale`.
    """

    id: ClientId
    limit: PageSize = 50
    before: Before | None = None
    search: Search = ""


class Delete(_Frame, frozen=True, tag="delete"):
    """Hide a conversation at once, stop what is answered in it, and delete it for good later."""

    id: ClientId
    conversation: ClientId


class Restore(_Frame, frozen=True, tag="restore"):
    """Take a deletion back, while that can be done."""

    id: ClientId
    conversation: ClientId


class Export(_Frame, frozen=True, tag="export"):
    """A conversation as a file: Markdown, or JSON with a message a line.

    It is the branch that ends in the message `leaf`, else in the newest one.
    """

    id: ClientId
    conversation: ClientId
    form: ExportForm
    leaf: str | None = None


class Ack(_Frame, frozen=True, tag="ack"):
    """Everything up to `seq` was seen; widens the window."""

    conversation: ClientId
    seq: Sequence


class Presence(_Frame, frozen=True, tag="presence"):
    """What a view of an open conversation says of its person: do they type, what have they seen.

    It is not answered, never in the log, and forgotten with the socket. Who types says so again
    every few seconds. From now on the other views are told to this one, with `views`.
    """

    conversation: ClientId
    typing: bool = False
    seen: Sequence = 0


class Ping(_Frame, frozen=True, tag="ping"):
    """Are you there? Either side may ask."""

    t: int | float


class Pong(_Frame, frozen=True, tag="pong"):
    """I am; `t` is the ping's."""

    t: int | float


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds that a client should know, in bytes; no blobs where `max_blob_bytes` is 0."""

    max_frame_bytes: int = MAX_FRAME_BYTES
    window_bytes: int = WINDOW_BYTES
    join_bytes: int = JOIN_BYTES
    max_blob_bytes: int = 0


class Welcome(_Frame, frozen=True, tag="welcome"):
    """Answers `hello`. `session` names this socket, `version` the relay's release."""

    session: str
    user: str
    heartbeat_s: float
    limits: Limits
    version: str


class ModelsOk(_Frame, frozen=True, tag="ok"):
    """Answers `models`."""

    id: str
    models: tuple[ModelInfo, ...]
    default: str
    problems: tuple[ProviderProblem, ...]


class OpenOk(_Frame, frozen=True, tag="ok"):
    """Answers `open`; a `snapshot` or `events` follow."""

    id: str
    conversation: str
    epoch: str
    head: int


class LeaveOk(_Frame, frozen=True, tag="ok"):
    """Answers `leave`."""

    id: str


class SendOk(_Frame, frozen=True, tag="ok"):
    """Answers `send`; `message` is the id of the message that the run writes."""

    id: str
    run: str
    message: str
    duplicate: bool


class StopOk(_Frame, frozen=True, tag="ok"):
    """Answers `stop` with the run's state by now."""

    id: str
    state: RunStateName


class OfferOk(_Frame, frozen=True, tag="ok"):
    """Answers `offer`."""

    id: str


class ApproveOk(_Frame, frozen=True, tag="ok"):
    """Answers `approve`."""

    id: str


class RateOk(_Frame, frozen=True, tag="ok"):
    """Answers `rate`."""

    id: str


class RenameOk(_Frame, frozen=True, tag="ok"):
    """Answers `rename`; `title` is what it is called now."""

    id: str
    title: str


class ListOk(_Frame, frozen=True, tag="ok"):
    """Answers `list`; `more` says that there are older ones after the last of these."""

    id: str
    conversations: tuple[ConversationInfo, ...]
    more: bool


class DeleteOk(_Frame, frozen=True, tag="ok"):
    """Answers `delete`; for `restorable_s` seconds from the deletion it can be restored."""

    id: str
    restorable_s: float


class RestoreOk(_Frame, frozen=True, tag="ok"):
    """Answers `restore`."""

    id: str


class ExportOk(_Frame, frozen=True, tag="ok"):
    """Answers `export` with a name for the file and what is in it."""

    id: str
    name: str
    text: str


class ServeOk(_Frame, frozen=True, tag="ok"):
    """Answers `serve`; `model` is what prompts name."""

    id: str
    model: str


class ServedCall(_Frame, frozen=True, tag="call"):
    """A served model is asked; `said` and `done` answer."""

    call: str
    model: str
    messages: tuple[Message, ...]
    params: dict[str, Any]
    tools: tuple[ToolSpec, ...] = ()


class Cancel(_Frame, frozen=True, tag="cancel"):
    """Nobody waits for the answer to a `call` any more."""

    call: str


class ToolRun(_Frame, frozen=True, tag="tool"):
    """A tool that this client offered is called; `asking` and `returned` answer.

    The same `call` may come again after a reconnect; it is still to be run once.
    """

    call: str
    conversation: str
    run: str
    part: str
    name: str
    input: dict[str, Any]


class Approved(_Frame, frozen=True, tag="approved"):
    """A person allows the call whose name and arguments have this digest."""

    call: str
    digest: str


class Events(_Frame, frozen=True, tag="events"):
    """Contiguous events of one conversation: `to - from + 1 == len(events)`."""

    conversation: str
    epoch: str
    first: int = msgspec.field(name="from")
    to: int
    events: tuple[Event, ...]


class Snapshot(_Frame, frozen=True, tag="snapshot"):
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


class Views(_Frame, frozen=True, tag="views"):
    """The other views of a conversation by now, for who is one; replaces what was told before."""

    conversation: str
    views: tuple[View, ...]


class Stale(_Frame, frozen=True, tag="stale"):
    """What `list` told last may have changed; nothing more is told until the next `list`."""


class Deleted(_Frame, frozen=True, tag="deleted"):
    """A conversation that this client opened is deleted; nothing more comes of it.

    While it is `restorable` a `restored` may follow.
    """

    conversation: str
    restorable: bool = False


class Restored(_Frame, frozen=True, tag="restored"):
    """A conversation is there again; to see it, open it."""

    conversation: str


class Fail(_Frame, frozen=True, tag="fail"):
    """A request failed, or (without `id`) a frame could not be taken."""

    error: ErrorInfo
    id: str | None = None


class Bye(_Frame, frozen=True, tag="bye"):
    """The server is about to close; `error.retryable` says whether to come back."""

    error: ErrorInfo


Request = (
    Models
    | Open
    | Leave
    | Send
    | Stop
    | Serve
    | Offer
    | Approve
    | Rate
    | Rename
    | List
    | Delete
    | Restore
    | Export
)
"""What is answered with `ok` or `fail`."""
Told = Said | Done | Asking | Returned
"""What a client says of a call that it was asked for."""
ClientFrame = Hello | Request | Told | Ack | Presence | Ping | Pong
Ok = (
    ModelsOk
    | OpenOk
    | LeaveOk
    | SendOk
    | StopOk
    | ServeOk
    | OfferOk
    | ApproveOk
    | RateOk
    | RenameOk
    | ListOk
    | DeleteOk
    | RestoreOk
    | ExportOk
)
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
