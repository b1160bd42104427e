"""Events: the entries of a conversation's log.

Names follow the AI SDK's UI message stream. `t` is in milliseconds since the run was accepted
(0 for an event of the conversation itself).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from streamchat_relay.model.error import ErrorInfo
from streamchat_relay.model.message import AbortReason, FinishReason, Message, Role, Settings
from streamchat_relay.model.usage import Timing, Usage


class _Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    t: float


class MessageAdded(_Event, frozen=True, tag="message"):
    """A complete message joined the conversation."""

    message: Message


class SettingsChanged(_Event, frozen=True, tag="settings"):
    """The next send uses these."""

    model: str = ""
    params: dict[str, Any] = {}

    @property
    def settings(self) -> Settings:
        """The event's content as a value."""
        return Settings(model=self.model, params=self.params)


class TitleChanged(_Event, frozen=True, tag="title"):
    """The conversation has a (new) title."""

    title: str


class Feedback(_Event, frozen=True, tag="feedback"):
    """A person thinks well of an answer, or not; `none` takes that back."""

    message: str
    value: Literal["up", "down", "none"]


class StartedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The message that a run is about to write."""

    id: str
    role: Role
    parent: str | None = None


class _RunEvent(_Event, frozen=True):
    run: str


class Start(_RunEvent, frozen=True, tag="start"):
    """A run was accepted and will write `message`."""

    message: StartedMessage
    model: str
    provider: str


class Status(_RunEvent, frozen=True, tag="status"):
    """Where a run stands before its first token; `retry_after` in seconds.

    `left_out` messages, the oldest, are not told to the model: they do not fit its context.
    """

    state: Literal["queued", "retrying", "running"]
    position: int | None = None
    retry_after: float | None = None
    left_out: int | None = None


class _PartEvent(_RunEvent, frozen=True):
    part: str


class TextStart(_PartEvent, frozen=True, tag="text-start"):
    """A text part opens."""


class TextDelta(_PartEvent, frozen=True, tag="text-delta"):
    """Text joins its part."""

    delta: str


class TextEnd(_PartEvent, frozen=True, tag="text-end"):
    """A text part is complete."""


class ReasoningStart(_PartEvent, frozen=True, tag="reasoning-start"):
    """A reasoning part opens."""


class ReasoningDelta(_PartEvent, frozen=True, tag="reasoning-delta"):
    """Text joins its reasoning part."""

    delta: str


class ReasoningEnd(_PartEvent, frozen=True, tag="reasoning-end"):
    """A reasoning part is complete."""

    provider_metadata: dict[str, Any] | None = None


class ToolInputStart(_PartEvent, frozen=True, tag="tool-input-start"):
    """A tool call opens. The calls of one `round` were made at once, without results."""

    name: str
    round: int = 0


class ToolInputDelta(_PartEvent, frozen=True, tag="tool-input-delta"):
    """JSON text joins a tool call's arguments."""

    delta: str


class ToolInputAvailable(_PartEvent, frozen=True, tag="tool-input-available"):
    """A tool call's arguments are complete."""

    name: str
    input: Any
    provider_metadata: dict[str, Any] | None = None


class ToolApprovalRequest(_PartEvent, frozen=True, tag="tool-approval-request"):
    """A person has to allow this call, or not; `digest` is what their answer names."""

    digest: str


class ToolApprovalResponse(_PartEvent, frozen=True, tag="tool-approval-response"):
    """A person has decided."""

    allowed: bool


class ToolOutputAvailable(_PartEvent, frozen=True, tag="tool-output-available"):
    """A tool answered."""

    output: Any


class ToolOutputError(_PartEvent, frozen=True, tag="tool-output-error"):
    """A tool failed."""

    error: str


class File(_PartEvent, frozen=True, tag="file"):
    """The model made a file."""

    url: str
    media_type: str


class SourceUrl(_PartEvent, frozen=True, tag="source-url"):
    """The model cites a source."""

    url: str
    title: str = ""


class Finish(_RunEvent, frozen=True, tag="finish"):
    """Terminal: the model ended by itself."""

    finish_reason: FinishReason
    raw_reason: str
    usage: Usage
    timing: Timing


class Abort(_RunEvent, frozen=True, tag="abort"):
    """Terminal: somebody or something ended the run; what came stays."""

    reason: AbortReason


class ErrorEvent(_RunEvent, frozen=True, tag="error"):
    """Terminal: the run failed; what came stays."""

    error: ErrorInfo


Terminal = Finish | Abort | ErrorEvent
RunEvent = (
    Start
    | Status
    | TextStart
    | TextDelta
    | TextEnd
    | ReasoningStart
    | ReasoningDelta
    | ReasoningEnd
    | ToolInputStart
    | ToolInputDelta
    | ToolInputAvailable
    | ToolApprovalRequest
    | ToolApprovalResponse
    | ToolOutputAvailable
    | ToolOutputError
    | File
    | SourceUrl
    | Finish
    | Abort
    | ErrorEvent
)
Event = MessageAdded | SettingsChanged | TitleChanged | Feedback | RunEvent
