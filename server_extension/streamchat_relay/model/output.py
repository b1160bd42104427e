"""Outputs: what a provider says, before a run turns it into numbered events."""

from __future__ import annotations

import msgspec

from streamchat_relay.model.message import AbortReason, FinishReason
from streamchat_relay.model.usage import Usage


class TextOutput(msgspec.Struct, frozen=True):
    """Text of the answer."""

    delta: str


class ReasoningOutput(msgspec.Struct, frozen=True):
    """Text of the model's reasoning."""

    delta: str


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


Output = TextOutput | ReasoningOutput | UsageOutput | FinishOutput
