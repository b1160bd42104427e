"""Outcomes: what a client's session tells its owner to do."""

from __future__ import annotations

import msgspec

from streamchat_relay.model import Conversation, ErrorInfo, Event
from streamchat_relay.protocol.frames import ClientFrame, Ok, ServedCall, ToolRun, Welcome


class _Out(msgspec.Struct, frozen=True):
    pass


class Write(_Out, frozen=True):
    """Send this frame on the socket."""

    frame: ClientFrame


class Answer(_Out, frozen=True):
    """The request `id` is answered, by its `ok` or by an error."""

    id: str
    ok: Ok | None
    error: ErrorInfo | None


class Deliver(_Out, frozen=True):
    """New events of a conversation, in order, each exactly once; `seq` numbers the last."""

    conversation: str
    seq: int
    events: tuple[Event, ...]


class Replace(_Out, frozen=True):
    """Forget the conversation and take this state, which is that of `seq`."""

    conversation: str
    seq: int
    state: Conversation


class Gone(_Out, frozen=True):
    """The conversation was deleted; while it is `restorable` a `Replace` may bring it back."""

    conversation: str
    restorable: bool


class Outdated(_Out, frozen=True):
    """What the list of conversations told last may have changed; told once a list."""


class Drop(_Out, frozen=True):
    """The link is dead: close the socket and call `disconnected`."""

    reason: str


class Retry(_Out, frozen=True):
    """Connect again after `delay_s` seconds."""

    delay_s: float


class Ended(_Out, frozen=True):
    """Do not connect again; the error says why and what to do."""

    error: ErrorInfo


class Live(_Out, frozen=True):
    """Greeted by the relay: requests travel from now on."""

    welcome: Welcome


class Called(_Out, frozen=True):
    """A model that this client serves is asked; `said` and `done` answer."""

    call: ServedCall


class Cancelled(_Out, frozen=True):
    """Nobody waits for the answer to this call any more."""

    call: str


class ToolCalled(_Out, frozen=True):
    """A tool that this client offered is called; `asking` and `returned` answer."""

    call: ToolRun


class Allowed(_Out, frozen=True):
    """A person allows the call that has this digest."""

    call: str
    digest: str


Outcome = (
    ToolCalled
    | Allowed
    | Called
    | Cancelled
    | Write
    | Answer
    | Deliver
    | Replace
    | Gone
    | Outdated
    | Drop
    | Retry
    | Ended
    | Live
)
