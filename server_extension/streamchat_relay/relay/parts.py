"""The parts that a run writes, as a pure state machine: outputs in, events out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from streamchat_relay.model import (
    Event,
    Output,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningOutput,
    ReasoningStart,
    SealOutput,
    SourceOutput,
    SourceUrl,
    TextDelta,
    TextEnd,
    TextOutput,
    TextStart,
    ToolApprovalRequest,
    ToolApprovalResponse,
    ToolCallOutput,
    ToolInputAvailable,
    ToolInputDelta,
    ToolInputOutput,
    ToolInputStart,
    ToolOutputAvailable,
    ToolOutputError,
    ToolResultOutput,
)
from streamchat_relay.relay.depth import MAX_DEPTH, deeper

_arguments = msgspec.json.Decoder(dict[str, Any]).decode

MOST_NAME = 100
"""Characters of a name that are kept; no tool has as many."""
MOST_SOURCES = 50
"""Sources of one answer that are kept."""
NOT_RUN = "Not run: the answer ended before."


class ToolCall:
    """One call of a tool: `input` once its arguments are complete, `ended` once it has a result."""

    __slots__ = ("complete", "ended", "input", "metadata", "name", "part", "texts")

    def __init__(self, part: str, name: str, metadata: dict[str, Any] | None) -> None:
        self.part = part
        self.name = name
        self.metadata = metadata
        self.texts: list[str] = []
        self.input: Any = None
        self.complete = False
        self.ended = False


class Parts:
    """Numbers a run's parts; at most one text or thought is open, and any number of tool calls.

    `note` takes the outputs that are no part of the answer.
    """

    def __init__(self, run: str, note: Callable[[Output], None]) -> None:
        self._run = run
        self._note = note
        self._part = 0
        self._round = 1
        self._open: type[TextOutput | ReasoningOutput] | None = None
        # Of all rounds, by their addresses: told once, below what was written.
        self._sources: dict[str, SourceOutput] = {}
        self._cited = 0
        # Of this round, by the provider's own name for them.
        self._calls: dict[str, ToolCall] = {}
        self.spoke = False
        """Whether any of this round's answer came."""
        self.length = 0
        """Characters of this round."""
        self.first_t: float | None = None
        self._begun_t: float | None = None
        self._last_t = 0.0
        self._spoken_ms = 0.0

    def push(self, outputs: Sequence[Output], t: float) -> list[Event]:
        """The provider said something."""
        events: list[Event] = []
        run = self._run
        for output in outputs:
            kind = type(output)
            if kind is TextOutput or kind is ReasoningOutput:
                delta: str = output.delta  # type: ignore[union-attr]
                if not delta:
                    continue
                if self._open is not kind:
                    self._open_text(kind, t, events)
                part = str(self._part)
                if kind is TextOutput:
                    events.append(TextDelta(run=run, t=t, part=part, delta=delta))
                else:
                    events.append(ReasoningDelta(run=run, t=t, part=part, delta=delta))
                self.length += len(delta)
                self._last_t = t
            else:
                self._other(output, t, events)
        return events

    @property
    def waiting(self) -> list[ToolCall]:
        """The complete calls of this round that have no result yet."""
        return [call for call in self._calls.values() if call.complete and not call.ended]

    @property
    def spoken_ms(self) -> float:
        """From the first to the last that came, without the time between the rounds."""
        return self._spoken_ms + (0.0 if self._begun_t is None else self._last_t - self._begun_t)

    @property
    def refused(self) -> bool:
        """Whether a call of this round could not be understood, and its model should hear that."""
        return any(call.ended and not call.complete for call in self._calls.values())

    def complete(self, t: float) -> list[Event]:
        """The provider's round is over, so what it wrote is complete."""
        events = self._close_text(t) + self._cite(t)
        for call in self._calls.values():
            self._complete(call, t, events)
        return events

    def again(self) -> None:
        """The provider is about to go on, with the results of its calls."""
        self._round += 1
        self._spoken_ms = self.spoken_ms
        self._calls = {}
        self._begun_t = None
        self.spoke = False
        self.length = 0

    def ask(self, call: ToolCall, digest: str, t: float) -> list[Event]:
        """A person has to allow this call."""
        return [ToolApprovalRequest(run=self._run, t=t, part=call.part, digest=digest)]

    def decide(self, call: ToolCall, t: float, *, allowed: bool) -> list[Event]:
        """A person has decided."""
        return [ToolApprovalResponse(run=self._run, t=t, part=call.part, allowed=allowed)]

    def result(
        self, call: ToolCall, t: float, *, output: Any = None, error: str = ""
    ) -> list[Event]:
        """What came of a call; a second result of one call is not heard."""
        if call.ended:
            return []
        call.ended = True
        if not error and deeper(output):
            error = f"It returned what is nested more than {MAX_DEPTH} levels deep."
        if error:
            return [ToolOutputError(run=self._run, t=t, part=call.part, error=error)]
        return [ToolOutputAvailable(run=self._run, t=t, part=call.part, output=output)]

    def close(self, t: float, *, early: bool = False) -> list[Event]:
        """Nothing more comes. `early`: calls without a result will never have one."""
        if not early:
            return self.complete(t)
        events = self._close_text(t) + self._cite(t)
        for call in self._calls.values():
            events += self.result(call, t, error=NOT_RUN)
        return events

    def _cite(self, t: float) -> list[Event]:
        """The sources that were not told of yet."""
        new = list(self._sources.values())[self._cited :]
        self._cited += len(new)
        return [
            SourceUrl(run=self._run, t=t, part=self._number(t), url=one.url, title=one.title)
            for one in new
        ]

    def _other(self, output: Output, t: float, events: list[Event]) -> None:
        match output:
            case SealOutput(metadata=metadata):
                if self._open is not ReasoningOutput:
                    # A thought that is not shown has no text, but has to be told again.
                    self._open_text(ReasoningOutput, t, events)
                events += self._close_text(t, metadata)
            case SourceOutput(url=url):
                if len(self._sources) < MOST_SOURCES:
                    self._sources.setdefault(url, output)
            case ToolCallOutput():
                self._call(output, t, events)
            case ToolInputOutput(call=name, delta=delta):
                call = self._calls.get(name)
                if call is not None and delta and not call.complete:
                    call.texts.append(delta)
                    self.length += len(delta)
                    self._last_t = t
                    events.append(ToolInputDelta(run=self._run, t=t, part=call.part, delta=delta))
            case ToolResultOutput(call=name):
                call = self._calls.get(name)
                if call is not None:
                    self._complete(call, t, events, theirs=True)
                    events += self.result(call, t, output=output.output, error=output.error)
                    # What is called from here on knows that result.
                    self._round += 1
            case _:
                self._note(output)

    def _call(self, output: ToolCallOutput, t: float, events: list[Event]) -> None:
        metadata = None if deeper(output.metadata) else output.metadata
        known = self._calls.get(output.call)
        if known is not None:
            known.metadata = metadata or known.metadata
            return
        events += self._close_text(t)
        part = self._number(t)
        name = output.name[:MOST_NAME]
        self._calls[output.call] = ToolCall(part, name, metadata)
        start = ToolInputStart(run=self._run, t=t, part=part, name=name, round=self._round)
        events.append(start)
        self._last_t = t

    def _complete(
        self, call: ToolCall, t: float, events: list[Event], *, theirs: bool = False
    ) -> None:
        """Its arguments are all there. `theirs`: its model has run it by itself."""
        if call.complete or call.ended:
            return
        text = "".join(call.texts)
        wrong = ""
        try:
            call.input = _arguments(text) if text.strip() else {}
        except (msgspec.DecodeError, RecursionError) as error:
            wrong = f"Not run: the arguments are no JSON object ({error})."
        if not wrong and deeper(call.input):
            wrong = f"Not run: the arguments are nested more than {MAX_DEPTH} levels deep."
        if wrong and theirs:
            # A content filter has left no JSON of what was run; to run it again would be wrong.
            wrong, call.input = "", {}
        if wrong:
            call.input = None
            events += self.result(call, t, error=wrong)
            return
        call.complete = True
        events.append(
            ToolInputAvailable(
                run=self._run,
                t=t,
                part=call.part,
                name=call.name,
                input=call.input,
                provider_metadata=call.metadata,
            )
        )

    def _open_text(
        self, kind: type[TextOutput | ReasoningOutput], t: float, events: list[Event]
    ) -> None:
        events += self._close_text(t)
        self._open = kind
        start = TextStart if kind is TextOutput else ReasoningStart
        events.append(start(run=self._run, t=t, part=self._number(t)))

    def _number(self, t: float) -> str:
        self._part += 1
        self.spoke = True
        if self._begun_t is None:
            self._begun_t = self._last_t = t
        if self.first_t is None:
            self.first_t = t
        return str(self._part)

    def _close_text(self, t: float, metadata: dict[str, Any] | None = None) -> list[Event]:
        kind, self._open = self._open, None
        part = str(self._part)
        if kind is None:
            return []
        if kind is TextOutput:
            return [TextEnd(run=self._run, t=t, part=part)]
        return [ReasoningEnd(run=self._run, t=t, part=part, provider_metadata=metadata)]
