"""A conversation's events, written as people talk: `Talk().asks("Hi").answers("Hello.").events`."""

from __future__ import annotations

from typing import Any

from typing_extensions import Self

from streamchat_relay.model import (
    Abort,
    ErrorEvent,
    ErrorInfo,
    Event,
    Feedback,
    FilePart,
    Finish,
    Message,
    MessageAdded,
    Part,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    SourceUrl,
    Start,
    StartedMessage,
    Status,
    TextDelta,
    TextEnd,
    TextPart,
    TextStart,
    Timing,
    TitleChanged,
    ToolApprovalRequest,
    ToolInputAvailable,
    ToolInputDelta,
    ToolInputStart,
    ToolOutputAvailable,
    ToolOutputError,
    Usage,
)

MODEL = "openai/gpt-6"
USAGE = Usage(input=212, output=318, cached=128)
TIMING = Timing(total_ms=5210.0, ttft_ms=412.0, output_per_s=66.3)


class Talk:
    """What was said so far; each method says one thing more."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._number = 0
        self._part = 0
        self._run = ""
        self._leaf: str | None = None

    def called(self, title: str) -> Self:
        """The conversation has a name."""
        self.events.append(TitleChanged(t=0, title=title))
        return self

    def asks(
        self,
        text: str,
        *files: FilePart,
        model: str = MODEL,
        parent: str | None = None,
        context: tuple[str, ...] = (),
    ) -> Self:
        """A prompt, whose run has been accepted."""
        self._number += 1
        self._part = 0
        self._run = f"r{self._number}"
        asked, answer = f"u{self._number}", f"a{self._number}"
        follows = self._leaf if parent is None else parent or None
        texts = [text] if text else []
        said = [TextPart(id=f"t{at}", text=one) for at, one in enumerate((*texts, *context))]
        parts: tuple[Part, ...] = (*files, *said)
        message = Message(id=asked, role="user", parts=parts, parent=follows, run=self._run)
        self.events.append(MessageAdded(t=0, message=message))
        return self._starts(answer, asked, model)

    def again(self, *, model: str = MODEL) -> Self:
        """Another answer to the newest prompt."""
        asked = f"u{self._number}"
        self._number += 1
        self._part = 0
        self._run = f"r{self._number}"
        return self._starts(f"a{self._number}", asked, model)

    def stands(self, state: Any, **fields: Any) -> Self:
        """How the run stands before its first token."""
        self.events.append(Status(t=1, run=self._run, state=state, **fields))
        return self

    def thinks(self, text: str, *, seconds: float = 4.0) -> Self:
        """A thought, which is complete."""
        part = self._next()
        self.events += [
            ReasoningStart(t=300, run=self._run, part=part),
            ReasoningDelta(t=300, run=self._run, part=part, delta=text),
            ReasoningEnd(t=300 + seconds * 1000, run=self._run, part=part),
        ]
        return self

    def says(self, text: str, *, open: bool = False) -> Self:  # noqa: A002 - as the part has it
        """Text of the answer; an open one may go on."""
        part = self._next()
        self.events += [
            TextStart(t=412, run=self._run, part=part),
            TextDelta(t=412, run=self._run, part=part, delta=text),
        ]
        if not open:
            self.events.append(TextEnd(t=5000, run=self._run, part=part))
        return self

    def calls(
        self,
        name: str,
        given: dict[str, Any],
        *,
        result: Any = None,
        fails: str = "",
        asks: str = "",
    ) -> Self:
        """A tool call; without `result`, `fails` or `asks` it is under way."""
        part = self._next()
        run = self._run
        self.events += [
            ToolInputStart(t=500, run=run, part=part, name=name),
            ToolInputAvailable(t=600, run=run, part=part, name=name, input=given),
        ]
        if asks:
            self.events.append(ToolApprovalRequest(t=600, run=run, part=part, digest=asks))
        if result is not None:
            self.events.append(ToolOutputAvailable(t=900, run=run, part=part, output=result))
        if fails:
            self.events.append(ToolOutputError(t=900, run=run, part=part, error=fails))
        return self

    def begins_to_call(self, name: str, text: str) -> Self:
        """A tool call whose arguments still come."""
        part = self._next()
        self.events += [
            ToolInputStart(t=500, run=self._run, part=part, name=name),
            ToolInputDelta(t=600, run=self._run, part=part, delta=text),
        ]
        return self

    def cites(self, url: str, title: str) -> Self:
        """A source."""
        self.events.append(SourceUrl(t=800, run=self._run, part=self._next(), url=url, title=title))
        return self

    def ends(self, reason: Any = "stop", *, usage: Usage = USAGE) -> Self:
        """The answer is complete."""
        self.events.append(
            Finish(
                t=5210,
                run=self._run,
                finish_reason=reason,
                raw_reason=reason,
                usage=usage,
                timing=TIMING,
            )
        )
        return self

    def answers(self, text: str) -> Self:
        """A whole answer."""
        return self.stands("running").says(text).ends()

    def aborts(self, reason: Any = "user") -> Self:
        """The answer was ended early."""
        self.events.append(Abort(t=3000, run=self._run, reason=reason))
        return self

    def breaks(self, code: Any, message: str) -> Self:
        """The answer failed."""
        error = ErrorInfo(code=code, message=message, retryable=True)
        self.events.append(ErrorEvent(t=3000, run=self._run, error=error))
        return self

    def rated(self, value: Any) -> Self:
        """What a person thinks of the newest answer."""
        self.events.append(Feedback(t=0, message=f"a{self._number}", value=value))
        return self

    def _starts(self, answer: str, asked: str, model: str) -> Self:
        message = StartedMessage(id=answer, role="assistant", parent=asked)
        provider = model.partition("/")[0]
        self.events.append(
            Start(t=0, run=self._run, message=message, model=model, provider=provider)
        )
        self._leaf = answer
        return self

    def _next(self) -> str:
        self._part += 1
        return str(self._part)
