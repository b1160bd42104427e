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
    ReasoningOutput,
    RunStateName,
    SealOutput,
    SourceOutput,
    Start,
    StartedMessage,
    Status,
    StreamChatError,
    TextOutput,
    Timing,
    ToolCallOutput,
    ToolInputOutput,
    ToolResultOutput,
    Truncated,
    Usage,
    UsageOutput,
)
from streamchat_relay.relay import tokens
from streamchat_relay.relay.parts import Parts


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
        self.parts = Parts(run, self._note)
        self._begun_t = 0.0
        self._left_out: int | None = None
        self._usage: Usage | None = None
        self._finish: FinishOutput | None = None
        # What the rounds before this one took.
        self._spent = Usage(input=0, output=0)

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
        """Whether any of the answer came, since the provider was asked the last time."""
        return self.parts.spoke

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
        return self.parts.push(outputs, t)

    def complete(self, t: float) -> list[Event]:
        """The provider's stream ended by itself, so the tools that it calls can be run."""
        if self._finish is None or self.state is not RunState.RUNNING:
            return []
        return self.parts.complete(t)

    def spend(self, usage: Usage) -> None:
        """A round took this; what it leads to, like the work of tools, costs nothing more."""
        self._spent += usage

    def again(self, t: float, *, left_out: int = 0) -> list[Event]:
        """The provider is asked to go on, with what came of its calls; see `spend`."""
        if self.state is not RunState.RUNNING:
            raise IllegalMove(f"{self.state} -> another round")
        self._left_out = left_out or None
        self._usage = self._finish = None
        self.parts.again()
        return [self._status("running", t)]

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the provider says that it has ended."""
        finish = self._finish
        return None if finish is None or finish.abort is not None else finish.finish_reason

    def usage(self, input_tokens: int) -> Usage:
        """What the provider has counted since it was asked the last time, else an estimate.

        `input_tokens` is the estimate for its prompt.
        """
        usage, length = self._usage or Usage(input=0, output=0), self.parts.length
        # Some gateways send a count of zero with every answer, and some a first count at its
        # beginning, which says nothing of how far an answer came that broke off.
        if self._finish is not None and (usage.output or not length) and self._usage:
            return usage
        return Usage(
            input=usage.input or input_tokens,
            output=max(usage.output, tokens.of_text(length)),
            estimated=True,
        )

    def total(self, usage: Usage) -> Usage:
        """What all rounds took, this last one `usage`."""
        return self._spent + usage

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
        usage = self.total(self.usage(input_tokens))
        self._move(RunState.DONE)
        return [
            *self.parts.close(t),
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
        return [*self.parts.close(t, early=True), ErrorEvent(run=self.id, t=t, error=error.info)]

    def stop(self) -> None:
        """Somebody wants it to end; `interrupt` follows when the provider's socket is closed."""
        self._move(RunState.STOPPING)

    def interrupt(self, reason: AbortReason, t: float) -> list[Event]:
        """It was ended from outside; what came stays."""
        self._move(RunState.INTERRUPTED)
        return [*self.parts.close(t, early=True), Abort(run=self.id, t=t, reason=reason)]

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
            case TextOutput() | ReasoningOutput() | SealOutput():
                raise AssertionError("a part of the answer")
            case ToolCallOutput() | ToolInputOutput() | ToolResultOutput() | SourceOutput():
                raise AssertionError("a part of the answer")
            case _:
                assert_never(output)

    def _timing(self, t: float, output: int) -> Timing:
        # From the moment the provider was asked: waiting in line is not its slowness.
        total, parts = round(t - self._begun_t, 1), self.parts
        if parts.first_t is None:
            return Timing(total_ms=total)
        return Timing(
            total_ms=total,
            ttft_ms=round(parts.first_t - self._begun_t, 1),
            output_per_s=round(output * 1000 / parts.spoken_ms, 1) if parts.spoken_ms > 0 else None,
        )
