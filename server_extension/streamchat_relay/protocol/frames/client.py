"""What a client sends: requests, which are answered, and what it tells."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from streamchat_relay.model import (
    AbortReason,
    ErrorInfo,
    FilePart,
    FinishReason,
    TextPart,
    ToolSpec,
    Usage,
)
from streamchat_relay.protocol.frames.envelope import ClientId, Frame, Ping, Pong, Sequence

ModelId = Annotated[str, msgspec.Meta(max_length=256)]
Title = Annotated[str, msgspec.Meta(max_length=120)]
Search = Annotated[str, msgspec.Meta(max_length=200)]
PageSize = Annotated[int, msgspec.Meta(ge=1, le=1000)]
ExportForm = Literal["md", "jsonl"]
Rating = Literal["up", "down", "none"]


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """What a person sends: text and files."""

    parts: tuple[TextPart | FilePart, ...]


class Hello(Frame, frozen=True, tag="hello"):
    """Must come first. `client` is name/version."""

    client: str


class Models(Frame, frozen=True, tag="models"):
    """Asks which models there are."""

    id: ClientId


class Open(Frame, frozen=True, tag="open"):
    """Follow a conversation, from after `after`; without it the state comes as a snapshot."""

    id: ClientId
    conversation: ClientId
    after: int | None = None
    epoch: str | None = None


class Leave(Frame, frozen=True, tag="leave"):
    """Follow a conversation no more; its runs go on."""

    id: ClientId
    conversation: ClientId


class Send(Frame, frozen=True, tag="send"):
    """Start a run: with `message` a new prompt, without it another answer to `parent`."""

    id: ClientId
    conversation: ClientId
    run: ClientId
    model: ModelId = ""
    message: Prompt | None = None
    parent: str | None = None
    params: dict[str, Any] | None = None


class Stop(Frame, frozen=True, tag="stop"):
    """End a run early."""

    id: ClientId
    run: ClientId


class Serve(Frame, frozen=True, tag="serve"):
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


class Said(Frame, frozen=True, tag="said"):
    """What a served model says in answer to a `call`."""

    call: ClientId
    pieces: tuple[Piece, ...]


class Done(Frame, frozen=True, tag="done"):
    """The answer to a `call` is complete, failed with `error`, or ended as `abort` says."""

    call: ClientId
    error: ErrorInfo | None = None
    finish_reason: FinishReason = "stop"
    usage: Usage | None = None
    abort: AbortReason | None = None


class Offer(Frame, frozen=True, tag="offer"):
    """Run these tools for a conversation, for as long as this socket is open.

    It replaces what this client offered before for the same conversation. `runner` is the same
    over all sockets of who runs them: a call that was begun is told again to nobody else.
    """

    id: ClientId
    conversation: ClientId
    tools: tuple[ToolSpec, ...]
    runner: ClientId | None = None


class Asking(Frame, frozen=True, tag="asking"):
    """The tool that a `tool` frame calls runs only if a person allows it."""

    call: ClientId


class Returned(Frame, frozen=True, tag="returned"):
    """What came of a `tool` frame's call: its output, or an `error` for the model to read."""

    call: ClientId
    output: Any = None
    error: str = ""


class Approve(Frame, frozen=True, tag="approve"):
    """A person allows the call in a part, or does not; `digest` is its approval request's."""

    id: ClientId
    run: ClientId
    part: str
    digest: str
    allow: bool


class Rate(Frame, frozen=True, tag="rate"):
    """A person thinks well of an answer, or not; `none` takes that back."""

    id: ClientId
    conversation: ClientId
    message: str
    value: Rating


class Rename(Frame, frozen=True, tag="rename"):
    """Give a conversation a title; an empty one takes it away."""

    id: ClientId
    conversation: ClientId
    title: Title


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """Where a list goes on: the `used` and the `id` of the last conversation that is known."""

    used: float
    id: ClientId


class List(Frame, frozen=True, tag="list"):
    """Which conversations there are, the one used last first.

    With `search` those whose title, prompts and answers hold all of its words, whatever their
    case and accents. The next change of what there is is told once, with `stale`.
    """

    id: ClientId
    limit: PageSize = 50
    before: Before | None = None
    search: Search = ""


class Delete(Frame, frozen=True, tag="delete"):
    """Hide a conversation at once, stop what is answered in it, and delete it for good later."""

    id: ClientId
    conversation: ClientId


class Restore(Frame, frozen=True, tag="restore"):
    """Take a deletion back, while that can be done."""

    id: ClientId
    conversation: ClientId


class Export(Frame, frozen=True, tag="export"):
    """A conversation as a file: Markdown, or JSON with a message a line.

    It is the branch that ends in the message `leaf`, else in the newest one.
    """

    id: ClientId
    conversation: ClientId
    form: ExportForm
    leaf: str | None = None


class Ack(Frame, frozen=True, tag="ack"):
    """Everything up to `seq` was seen; widens the window."""

    conversation: ClientId
    seq: Sequence


class Presence(Frame, frozen=True, tag="presence"):
    """What a view of an open conversation says of its person: do they type, what have they seen.

    It is not answered, never in the log, and forgotten with the socket. Who types says so again
    every few seconds. From now on the other views are told to this one, with `views`.
    """

    conversation: ClientId
    typing: bool = False
    seen: Sequence = 0


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
