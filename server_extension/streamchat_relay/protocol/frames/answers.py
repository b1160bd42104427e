"""How the relay answers a request that it carries out."""

from __future__ import annotations

from streamchat_relay.model import ConversationInfo, ModelInfo, ProviderProblem, RunStateName
from streamchat_relay.protocol.frames.envelope import Frame


class ModelsOk(Frame, frozen=True, tag="ok"):
    """Answers `models`."""

    id: str
    models: tuple[ModelInfo, ...]
    default: str
    problems: tuple[ProviderProblem, ...]


class OpenOk(Frame, frozen=True, tag="ok"):
    """Answers `open`; a `snapshot` or `events` follow."""

    id: str
    conversation: str
    epoch: str
    head: int


class LeaveOk(Frame, frozen=True, tag="ok"):
    """Answers `leave`."""

    id: str


class SendOk(Frame, frozen=True, tag="ok"):
    """Answers `send`; `message` is the id of the message that the run writes."""

    id: str
    run: str
    message: str
    duplicate: bool


class StopOk(Frame, frozen=True, tag="ok"):
    """Answers `stop` with the run's state by now."""

    id: str
    state: RunStateName


class OfferOk(Frame, frozen=True, tag="ok"):
    """Answers `offer`."""

    id: str


class ApproveOk(Frame, frozen=True, tag="ok"):
    """Answers `approve`."""

    id: str


class RateOk(Frame, frozen=True, tag="ok"):
    """Answers `rate`."""

    id: str


class RenameOk(Frame, frozen=True, tag="ok"):
    """Answers `rename`; `title` is what it is called now."""

    id: str
    title: str


class ListOk(Frame, frozen=True, tag="ok"):
    """Answers `list`; `more` says that there are older ones after the last of these."""

    id: str
    conversations: tuple[ConversationInfo, ...]
    more: bool


class DeleteOk(Frame, frozen=True, tag="ok"):
    """Answers `delete`; for `restorable_s` seconds from the deletion it can be restored."""

    id: str
    restorable_s: float


class RestoreOk(Frame, frozen=True, tag="ok"):
    """Answers `restore`."""

    id: str


class ExportOk(Frame, frozen=True, tag="ok"):
    """Answers `export` with a name for the file and what is in it."""

    id: str
    name: str
    text: str


class ServeOk(Frame, frozen=True, tag="ok"):
    """Answers `serve`; `model` is what prompts name."""

    id: str
    model: str


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
