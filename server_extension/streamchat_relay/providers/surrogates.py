"""Surrogates: the halves in which JSON writes a character beyond 16 bits, and servers cut it."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import assert_never

from streamchat_relay.model import (
    FinishOutput,
    Output,
    ReasoningOutput,
    SealOutput,
    SourceOutput,
    TextOutput,
    ToolCallOutput,
    ToolInputOutput,
    ToolResultOutput,
    UsageOutput,
)
from streamchat_relay.model.reduce import replace
from streamchat_relay.relay.ports import Sink

_LOST = "\ufffd"


class Mender:
    """A sink before another: it joins halves, also over two outputs.

    A half at the end of an output waits for the next one of the same kind; one that stays alone
    becomes U+FFFD. So what the other sink gets can be encoded.
    """

    __slots__ = ("_half", "_sink")

    def __init__(self, sink: Sink) -> None:
        self._half: TextOutput | ReasoningOutput | None = None
        self._sink = sink

    def push(self, outputs: Sequence[Output], /) -> None:
        """Pass the outputs on, mended; nothing where only a half came."""
        mended: list[Output] = []
        for output in outputs:
            match output:
                case TextOutput() | ReasoningOutput():
                    self._join(output, mended)
                case UsageOutput():
                    mended.append(output)
                case SealOutput() | ToolResultOutput():
                    self._give_up(mended)
                    mended.append(output)
                case ToolCallOutput():
                    self._give_up(mended)
                    mended.append(replace(output, name=_whole(output.name)))
                case SourceOutput(url=url, title=title):
                    mended.append(SourceOutput(_whole(url), _whole(title)))
                case ToolInputOutput():
                    mended.append(replace(output, delta=_whole(output.delta)))
                case FinishOutput():
                    self._give_up(mended)
                    mended.append(FinishOutput(output.finish_reason, _whole(output.raw_reason)))
                case _:
                    assert_never(output)
        if mended:
            self._sink.push(mended)

    def _join(self, output: TextOutput | ReasoningOutput, mended: list[Output]) -> None:
        kind = type(output)
        if not isinstance(self._half, kind):
            self._give_up(mended)
        text = output.delta if self._half is None else self._half.delta + output.delta
        self._half = None
        if "\ud800" <= text[-1:] <= "\udbff":
            self._half = kind(text[-1])
            text = text[:-1]
        if text:
            mended.append(kind(_whole(text)))

    def _give_up(self, mended: list[Output]) -> None:
        if self._half is not None:
            mended.append(type(self._half)(_LOST))
            self._half = None


def _whole(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
