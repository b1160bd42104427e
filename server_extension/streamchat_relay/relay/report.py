"""The report of one run: who asked which model, and how it ended; never what was said."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

from streamchat_relay.model import Abort, ErrorEvent, Event, Finish, Usage


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


def report(
    *,
    user: str,
    conversation: str,
    model: str,
    provider: str,
    terminal: Event,
    usage: Usage | None,
) -> RunReport:
    """The report of a run that ended with this event; `usage` None: its provider did nothing."""
    took: dict[str, Any]
    match terminal:
        case Finish(finish_reason=reason, timing=timing):
            took = {"outcome": "finish", "reason": reason, "ttft_ms": timing.ttft_ms}
        case Abort(reason=reason):
            took = {"outcome": "abort", "reason": reason}
        case ErrorEvent(error=error):
            took = {"outcome": "error", "reason": error.code}
        case _:
            raise AssertionError("a run ends in a terminal event")
    if usage is not None:
        took |= {"input": usage.input, "output": usage.output, "estimated": usage.estimated}
    return RunReport(
        user=user,
        conversation=conversation,
        run=terminal.run,
        model=model,
        provider=provider,
        total_ms=terminal.t,
        **took,
    )
