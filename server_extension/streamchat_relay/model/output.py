"""Outputs: what a provider says, before a run turns it into numbered events."""

from __future__ import annotations

from typing import Any

import msgspec

from streamchat_relay.model.message import AbortReason, FinishReason
from streamchat_relay.model.usage import Usage


class TextOutput(msgspec.Struct, frozen=True):
    """Text of the answer."""

    delta: str


class ReasoningOutput(msgspec.Struct, frozen=True):
    """Text of the model's reasoning."""

    delta: str


class SealOutput(msgspec.Struct, frozen=True):
    """The thought so far is complete; `metadata` is what its provider wants to see again."""

    metadata: dict[str, Any]


class ToolCallOutput(msgspec.Struct, frozen=True):
    """The model calls a tool. `call` names the call in what follows of the same round."""

    call: str
    name: str
    metadata: dict[str, Any] | None = None


class ToolInputOutput(msgspec.Struct, frozen=True):
    """JSON text of a call's arguments."""

    call: str
    delta: str


class ToolResultOutput(msgspec.Struct, frozen=True):
    """What came of a call that whoever answers has carried out by itself."""

    call: str
    output: Any = None
    error: str = ""


class SourceOutput(msgspec.Struct, frozen=True):
    """A page that the model has read for its answer."""

    url: str
    title: str = ""


class UsageOutput(msgspec.Struct, frozen=True):
    """The provider's count so far; a later one replaces it."""

    usage: Usage


class FinishOutput(msgspec.Struct, frozen=True):
    """The provider said that, and why, the answer is complete.

    `raw_reason` is the provider's own word for `finish_reason`. With `abort` it plays an answer
    that was ended from outside, and the run ends as that did.
    """

    finish_reason: FinishReason
    raw_reason: str
    abort: AbortReason | None = None


ToolOutput = ToolCallOutput | ToolInputOutput | ToolResultOutput
Output = (
    TextOutput
    | ReasoningOutput
    | SealOutput
    | ToolOutput
    | SourceOutput
    | UsageOutput
    | FinishOutput
)
