"""Messages, runs as a conversation remembers them, and the conversation itself."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from streamchat_relay.model.error import ErrorInfo
from streamchat_relay.model.part import Part, TextPart, ToolPart
from streamchat_relay.model.usage import Timing, Usage

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length", "tool-calls", "content-filter", "other"]
Opinion = Literal["up", "down"]
AbortReason = Literal["user", "budget", "unwatched", "server_lost"]
RunStateName = Literal["queued", "retrying", "running", "stopping", "done", "error", "interrupted"]


APART = "\n\n"
"""What stands between the texts before and after calls of tools, where they are joined."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the tree: `parent` is the id of the message it follows.

    `run` names the run that writes an assistant's message, or that a user's message asked for.
    """

    id: str
    role: Role
    parts: tuple[Part, ...] = ()
    parent: str | None = None
    run: str | None = None

    @property
    def text(self) -> str:
        """All text parts, joined; a blank line stands where tools were called between them."""
        texts: list[str] = []
        called = False
        for part in self.parts:
            if isinstance(part, ToolPart):
                called = bool(texts)
            elif isinstance(part, TextPart) and part.text:
                if called:
                    texts.append(APART)
                    called = False
                texts.append(part.text)
        return "".join(texts)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the next `send` uses where it names nothing else."""

    model: str = ""
    params: dict[str, Any] = {}


class RunRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run as the conversation remembers it.

    `first_t` is when its first delta came and `ended_t` when it ended, in milliseconds after it
    was accepted. `left_out` of the oldest messages were not told to the model.
    """

    id: str
    message: str
    model: str
    provider: str
    state: RunStateName = "queued"
    position: int | None = None
    retry_after: float | None = None
    left_out: int | None = None
    first_t: float | None = None
    ended_t: float | None = None
    finish_reason: FinishReason | None = None
    raw_reason: str | None = None
    usage: Usage | None = None
    timing: Timing | None = None
    abort_reason: AbortReason | None = None
    error: ErrorInfo | None = None
    feedback: Opinion | None = None

    @property
    def withdrawn(self) -> bool:
        """Whether it was stopped before its turn came: its prompt was taken back."""
        stopped = self.state == "interrupted" and self.abort_reason == "user"
        return stopped and self.position is not None


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation's whole state: what a `snapshot` carries and `reduce` folds events into."""

    messages: tuple[Message, ...] = ()
    runs: dict[str, RunRecord] = {}
    settings: Settings = Settings()
    title: str = ""
