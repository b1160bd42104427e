"""The run: one generation as a pure state machine; outputs in, events out."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Literal

from typing_extensions import assert_never

from streamchat_relay.model import (
    Abort,
    AbortReason,
    ErrorEvent,
    Event,
    Finish,
    FinishOutput,
    FinishReason,
    Output,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningOutput,
    ReasoningStart,
    RunStateName,
    Start,
    StartedMessage,
    Status,
    StreamChatError,
    TextDelta,
    TextEnd,
    TextOutput,
    TextStart,
    Timing,
    Truncated,
    Usage,
    UsageOutput,
)
from streamchat_relay.relay import tokens


class RunState(enum.Enum):
    """Where a run stands; the values are the wire's."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    ERROR = "error"
    INTERRUPTED = "interrupted"


_MOVES = {
    RunState.QUEUED: {RunState.RUNNING, RunState.STOPPING, RunState.INTERRUPTED},
    RunState.RUNNING: {
        RunState.DONE,
        RunState.ERROR,
        RunState.STOPPING,
        RunState.INTERRUPTED,
    },
    RunState.STOPPING: {RunState.INTERRUPTED},
    RunState.DONE: set(),
    RunState.ERROR: set(),
    RunState.INTERRUPTED: set(),
}


class IllegalMove(Exception):
    """A run was asked to do what its state does not allow; a fault of the caller."""


class Run:
    """One generation: the only producer of its events.

    Every method takes `t`, milliseconds since the run was accepted, and returns the events to
    append. It ends in exactly one terminal event, before which its open part is closed.
    """

    def __init__(
        self,
        run: str,
        message: StartedMessage,
        model: str,
        provider: str,
    ) -> None:
        self.id = run
        self.message = message
        self.state = RunState.QUEUED
        self.model = model
        self._provider = provider
        self._part = 0
        self._open: type[TextOutput | ReasoningOutput] | None = None
        self._begun_t = 0.0
        self._left_out: int | None = None
        self._first_t: float | None = None
        self._last_t = 0.0
        self._length = 0
        self._usage: Usage | None = None
        self._finish: FinishOutput | None = None

    @property
    def ended(self) -> bool:
        """Whether the terminal event was given."""
        return not _MOVES[self.state]

    @property
    def state_name(self) -> RunStateName:
        """The state's name on the wire."""
        return self.state.value

    def start(self) -> list[Event]:
        """The run was accepted."""
        return [
            Start(
                run=self.id,
                t=0,
                message=self.message,
                model=self.model,
                provider=self._provider,
            )
        ]

    def wait(self, position: int, t: float) -> list[Event]:
        """The run has to wait; `position` runs are before it."""
        if self.state is not RunState.QUEUED:
            raise IllegalMove(f"{self.state} -> waiting")
        return [Status(run=self.id, t=t, state="queued", position=position)]

    def begin(self, t: float, *, left_out: int = 0) -> list[Event]:
        """The provider is being asked, without so many of the oldest messages."""
        self._move(RunState.RUNNING)
        self._begun_t = t
        self._left_out = left_out or None
        return [self._status("running", t)]

    @property
    def spoke(self) -> bool:
        """Whether any of the answer came."""
        return self._part > 0

    def back_off(self, wait_s: float, t: float) -> list[Event]:
        """The provider failed before it spoke, and is asked again so many seconds later."""
        if self.state is not RunState.RUNNING or self.spoke:
            raise IllegalMove(f"{self.state} -> retrying")
        return [self._status("retrying", t, retry_after=round(wait_s, 1))]

    def retry(self, t: float) -> list[Event]:
        """The provider is being asked again."""
        if self.state is not RunState.RUNNING or self.spoke:
            raise IllegalMove(f"{self.state} -> running")
        return [self._status("running", t)]

    def push(self, outputs: Sequence[Output], t: float) -> list[Event]:
        """The provider said something; after a stop it is not heard any more."""
        if self.state is not RunState.RUNNING:
            return []
        events: list[Event] = []
        run = self.id
        for output in outputs:
            kind = type(output)
            if kind is TextOutput or kind is ReasoningOutput:
                delta: str = output.delta  # type: ignore[union-attr]
                if not delta:
                    continue
                if self._open is not kind:
                    events += self._close_part(t)
                    self._open_part(kind, t, events)
                part = str(self._part)
                if kind is TextOutput:
                    events.append(TextDelta(run=run, t=t, part=part, delta=delta))
                else:
                    events.append(ReasoningDelta(run=run, t=t, part=part, delta=delta))
                self._length += len(delta)
                self._last_t = t
            else:
                self._note(output)
        return events

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the provider says that it has ended."""
        return None if self._finish is None else self._finish.finish_reason

    def usage(self, input_tokens: int) -> Usage:
        """What the provider has counted, else an estimate; `input_tokens` is the prompt's."""
        usage = self._usage or Usage(input=0, output=0)
        # Some gateways send a count of zero with every answer, and some a first count at its
        # beginning, which says nothing of how far an answer came that broke off.
        if self._finish is not None and (usage.output or not self._length) and self._usage:
            return usage
        return Usage(
            input=usage.input or input_tokens,
            output=max(usage.output, tokens.of_text(self._length)),
            estimated=True,
        )

    def finish(self, t: float, *, input_tokens: int) -> list[Event]:
        """The provider's stream ended by itself; `input_tokens` is the estimate for the prompt."""
        finish = self._finish
        if finish is None:
            return self.fail(
                Truncated("The answer broke off before the provider said it was done. Try again."),
                t,
            )
        if finish.abort is not None:
            return self.interrupt(finish.abort, t)
        usage = self.usage(input_tokens)
        self._move(RunState.DONE)
        return [
            *self._close_part(t),
            Finish(
                run=self.id,
                t=t,
                finish_reason=finish.finish_reason,
                raw_reason=finish.raw_reason,
                usage=usage,
                timing=self._timing(t, usage.output),
            ),
        ]

    def fail(self, error: StreamChatError, t: float) -> list[Event]:
        """The run failed; what came stays."""
        self._move(RunState.ERROR)
        return [*self._close_part(t), ErrorEvent(run=self.id, t=t, error=error.info)]

    def stop(self) -> None:
        """Somebody wants it to end; `interrupt` follows when the provider's socket is closed."""
        self._move(RunState.STOPPING)

    def interrupt(self, reason: AbortReason, t: float) -> list[Event]:
        """It was ended from outside; what came stays."""
        self._move(RunState.INTERRUPTED)
        return [*self._close_part(t), Abort(run=self.id, t=t, reason=reason)]

    def _move(self, to: RunState) -> None:
        if to not in _MOVES[self.state]:
            raise IllegalMove(f"{self.state} -> {to}")
        self.state = to

    def _status(
        self, state: Literal["retrying", "running"], t: float, retry_after: float | None = None
    ) -> Status:
        return Status(
            run=self.id, t=t, state=state, retry_after=retry_after, left_out=self._left_out
        )

    def _note(self, output: Output) -> None:
        match output:
            case UsageOutput(usage=usage):
                self._usage = usage
            case FinishOutput():
                self._finish = output
            case TextOutput() | ReasoningOutput():
                raise AssertionError("handled on the hot path")
            case _:
                assert_never(output)

    def _open_part(
        self, kind: type[TextOutput | ReasoningOutput], t: float, events: list[Event]
    ) -> None:
        self._part += 1
        self._open = kind
        if self._first_t is None:
            self._first_t = t
        start = TextStart if kind is TextOutput else ReasoningStart
        events.append(start(run=self.id, t=t, part=str(self._part)))

    def _close_part(self, t: float) -> list[Event]:
        if self._open is None:
            return []
        end = TextEnd if self._open is TextOutput else ReasoningEnd
        self._open = None
        return [end(run=self.id, t=t, part=str(self._part))]

    def _timing(self, t: float, output: int) -> Timing:
        # From the moment the provider was asked: waiting in line is not its slowness.
        total = round(t - self._begun_t, 1)
        if self._first_t is None:
            return Timing(total_ms=total)
        span = self._last_t - self._first_t
        return Timing(
            total_ms=total,
            ttft_ms=round(self._first_t - self._begun_t, 1),
            output_per_s=round(output * 1000 / span, 1) if span > 0 else None,
        )
