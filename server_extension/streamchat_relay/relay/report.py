"""The report of one run: who asked which model, and how it ended; never what was said."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from streamchat_relay.model import Abort, ErrorEvent, Event, Finish


class RunReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`reason` is the finish reason, why it was ended, or the error's code; times are in ms."""

    user: str
    conversation: str
    run: str
    model: str
    provider: str
    outcome: Literal["finish", "abort", "error"]
    reason: str
    total_ms: float
    ttft_ms: float | None = None
    input: int | None = None
    output: int | None = None
    estimated: bool = False


class Observer(Protocol):
    """Who is told of runs; what it raises is its own affair."""

    def began(self) -> None:
        """A run was accepted."""
        ...

    def ended(self, report: RunReport, /) -> None:
        """A run has ended."""
        ...


class Nobody:
    """Observes nothing."""

    def began(self) -> None:
        """A run was accepted."""

    def ended(self, report: RunReport, /) -> None:
        """A run has ended."""


def outcome(terminal: Event) -> tuple[Literal["finish", "abort", "error"], str]:
    """How a run ended, in two words."""
    match terminal:
        case Finish(finish_reason=reason):
            return "finish", reason
        case Abort(reason=reason):
            return "abort", reason
        case ErrorEvent(error=error):
            return "error", error.code
        case _:
            raise AssertionError("a run ends in a terminal event")


def report(
    *, user: str, conversation: str, model: str, provider: str, terminal: Event
) -> RunReport:
    """The report of a run that ended with this event."""
    how, reason = outcome(terminal)
    assert isinstance(terminal, Finish | Abort | ErrorEvent)
    common = RunReport(
        user=user,
        conversation=conversation,
        run=terminal.run,
        model=model,
        provider=provider,
        outcome=how,
        reason=reason,
        total_ms=terminal.t,
    )
    if not isinstance(terminal, Finish):
        return common
    usage, timing = terminal.usage, terminal.timing
    return msgspec.structs.replace(
        common,
        ttft_ms=timing.ttft_ms,
        input=usage.input,
        output=usage.output,
        estimated=bool(usage.estimated),
    )
