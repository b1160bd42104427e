"""A recording: what one run has said so far. One thread writes, any number read from the start."""

from __future__ import annotations

import threading
from collections.abc import Callable

from streamchat_relay.model import (
    APART,
    Abort,
    AbortReason,
    BudgetExhausted,
    ErrorEvent,
    Finish,
    FinishReason,
    Message,
    Part,
    ReasoningDelta,
    ReasoningPart,
    RunEvent,
    RunRecord,
    RunStateName,
    Start,
    Status,
    StreamChatError,
    TextDelta,
    TextPart,
    Timing,
    ToolApprovalRequest,
    ToolApprovalResponse,
    ToolInputStart,
    ToolOutputAvailable,
    ToolOutputError,
    ToolPart,
    Truncated,
    Usage,
    error_from,
)

Callback = Callable[[], object]


class Recording:
    """The run's text and outcome.

    The writer calls `feed`, `restore` or `fail`, then `publish` once for all of them, so that
    thousands of deltas a second cost their readers one wake-up a frame. Readers take
    `deltas[position:]`, which only ever grows, and wait for more with `wait` or `call_when_more`.
    """

    def __init__(self) -> None:
        self.events: list[RunEvent] = []
        self.message = ""
        self.deltas: list[str] = []
        self.reasoning: list[str] = []
        # Calls that wait for a person, by their part: the digest that a decision names.
        self.asked: dict[str, str] = {}
        # Tools were called since the last text.
        self._called = False
        self.state: RunStateName = "queued"
        self.position: int | None = None
        self.model = ""
        self.usage: Usage | None = None
        self.timing: Timing | None = None
        self.finish_reason: FinishReason | None = None
        self.abort_reason: AbortReason | None = None
        self.error: StreamChatError | None = None
        self.accepted = False
        self.ended = False
        self._changed = threading.Condition()
        self._waiting: list[Callback] = []
        self._at_end: list[Callback] = []

    # For the writer.

    def feed(self, event: RunEvent) -> None:
        """Take the run's next event."""
        if self.ended:
            return
        self.events.append(event)
        # Deltas are nearly all there is, so they are asked for first.
        if type(event) is TextDelta:
            if self._called:
                self._called = False
                self.deltas.append(APART)
            self.deltas.append(event.delta)
            return
        match event:
            case ReasoningDelta(delta=delta):
                self.reasoning.append(delta)
            case Start(model=model, message=message):
                self.model, self.message = model, message.id
                self.accepted = True
            case Status(state=state, position=position):
                # A stop that is under way is not undone by news from before it.
                if self.state != "stopping":
                    self.state = state
                self.position = position
            case ToolInputStart():
                self._called = bool(self.deltas)
            case ToolApprovalRequest():
                self.asked[event.part] = event.digest
            case ToolApprovalResponse() | ToolOutputError() | ToolOutputAvailable():
                self.asked.pop(event.part, None)
            case Finish():
                self.usage = event.usage
                self.timing = event.timing
                self.finish_reason = event.finish_reason
                self._end("done")
            case Abort(reason=reason):
                self.abort_reason = reason
                self.error = _why(reason)
                self._end("interrupted")
            case ErrorEvent(error=info):
                self.error = error_from(info)
                self._end("error")
            case _:
                # Calls, files and sources are parts of the message, not of the text.
                return

    def restore(self, record: RunRecord, message: Message) -> None:
        """Catch up with a snapshot, which may be ahead of what came as events."""
        if self.ended:
            return
        self.accepted = True
        self.model, self.message = record.model, message.id
        self._missed(record, message)
        said = [isinstance(part, TextPart) for part in message.parts if _is_said(part)]
        self._called = bool(self.deltas) and said[-1:] == [False]
        self.asked = {
            part.id: part.digest
            for part in message.parts
            if isinstance(part, ToolPart) and part.state == "approval-requested"
        }
        self.position = record.position
        if record.state in {"done", "interrupted", "error"}:
            self.usage, self.timing = record.usage, record.timing
            self.finish_reason = record.finish_reason
            self.abort_reason = record.abort_reason
            if record.abort_reason is not None:
                self.error = _why(record.abort_reason)
            elif record.error is not None:
                self.error = error_from(record.error)
            self._end(record.state)
        elif self.state != "stopping":
            self.state = record.state

    def _missed(self, record: RunRecord, message: Message) -> None:
        """Take what a snapshot has more of as events, which are as late as they can be."""
        t = record.ended_t or (self.events[-1].t if self.events else record.first_t or 0.0)
        kinds = (
            (ReasoningPart, self.reasoning, ReasoningDelta),
            (TextPart, self.deltas, TextDelta),
        )
        for kind, have, delta in kinds:
            parts = [part for part in message.parts if isinstance(part, kind)]
            text = message.text if kind is TextPart else "".join(part.text for part in parts)
            more = _more(text, "".join(have))
            if more:
                have.append(more)
                self.events.append(delta(run=record.id, t=t, part=parts[-1].id, delta=more))

    def fail(self, error: StreamChatError) -> None:
        """The run was refused, or nothing more will be heard of it."""
        if not self.ended:
            self.error = error
            self._end("error")

    def publish(self) -> None:
        """Wake everybody who waits."""
        with self._changed:
            self._changed.notify_all()
            waiting, self._waiting = self._waiting, []
            at_end: list[Callback] = []
            if self.ended:
                at_end, self._at_end = self._at_end, []
        for callback in (*waiting, *at_end):
            callback()

    # For readers, in any thread.

    @property
    def text(self) -> str:
        """All deltas so far, joined."""
        return "".join(self.deltas)

    def stopping(self) -> None:
        """Somebody here asked for a stop."""
        with self._changed:
            if not self.ended:
                self.state = "stopping"

    def wait(self, position: int, timeout: float) -> None:
        """Wait until there are more than `position` deltas, or the end, or `timeout` seconds."""
        with self._changed:
            if len(self.deltas) <= position and not self.ended:
                self._changed.wait(timeout)

    def wait_event(self, position: int, timeout: float) -> None:
        """Wait until there are more than `position` events, or the end, or `timeout` seconds."""
        with self._changed:
            if len(self.events) <= position and not self.ended:
                self._changed.wait(timeout)

    def wait_begin(self, timeout: float) -> None:
        """Wait until there is a delta, or the end, or for `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended or bool(self.deltas), timeout)

    def wait_accepted(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until it is known which message it writes."""
        with self._changed:
            return self._changed.wait_for(lambda: self.ended or bool(self.message), timeout)

    def wait_end(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for something to happen; True if it was the end."""
        with self._changed:
            if not self.ended:
                self._changed.wait(timeout)
            return self.ended

    def call_when_more(self, position: int, callback: Callback) -> bool:
        """Call back once when there is more; False, and no call, if there is more already."""
        with self._changed:
            if len(self.deltas) > position or self.ended:
                return False
            self._waiting.append(callback)
            return True

    def forget(self, callback: Callback) -> None:
        """Do not call back any more."""
        with self._changed:
            if callback in self._waiting:
                self._waiting.remove(callback)

    def call_at_end(self, callback: Callback) -> None:
        """Call back once the run has ended, at once if it has; from the writer's thread else."""
        with self._changed:
            if not self.ended:
                self._at_end.append(callback)
                return
        callback()

    def _end(self, state: RunStateName) -> None:
        # Under the lock, so that `stopping` cannot overwrite a final state.
        with self._changed:
            self.state = state
            self.position = None
            self.ended = True


def _is_said(part: Part) -> bool:
    return isinstance(part, ToolPart) or (isinstance(part, TextPart) and bool(part.text))


def _more(text: str, have: str) -> str:
    # A log that was cut by a crash may hold less than came; what came is kept.
    return text[len(have) :] if text.startswith(have) else ""


def _why(reason: AbortReason) -> StreamChatError | None:
    match reason:
        case "user":
            return None
        case "budget":
            return BudgetExhausted(
                "The budget ran out in the middle of this answer. `chat.usage()` says which, and "
                "`chat.budget = …` raises the chat's own."
            )
        case "server_lost":
            return Truncated(
                "The Jupyter server stopped while this answer was written. What came is kept; "
                "ask again for the rest."
            )
        case "unwatched":
            return Truncated("The answer was ended because nobody was watching it.")
