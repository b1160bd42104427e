"""Cassettes: answers kept with the time of each delta, to be played again without any provider."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from jupyter_streamchat.functions import Context, Ended, ToolCall, ToolResult
from jupyter_streamchat.functions import Thought as Thinks
from streamchat_relay.model import (
    Abort,
    BadRequest,
    ErrorEvent,
    Event,
    Finish,
    Message,
    ReasoningDelta,
    TextDelta,
    ToolInputAvailable,
    ToolOutputAvailable,
    ToolOutputError,
    error_from,
)


class Take(msgspec.Struct, frozen=True, omit_defaults=True):
    """One answer on a cassette: what was asked, and every event with its time.

    `again`: another answer to the same prompt as the one before it.
    """

    prompt: str
    model: str
    events: tuple[Event, ...]
    again: bool = False


_take = msgspec.json.Decoder(Take)


def append(path: Path, take: Take) -> None:
    """Add an answer to a cassette, which is made if it is not there."""
    with path.open("ab") as file:
        file.write(msgspec.json.encode(take) + b"\n")


class Cassette:
    """Plays answers in their order, as a function that is a model; `speed` 2 is twice as fast.

    Which answer comes is decided by how many the conversation has already. A prompt that is
    answered again gets the next answer to it, where there is one, else the same. Raises
    `BadRequest` for a file that is no cassette.
    """

    def __init__(self, path: str | os.PathLike[str], *, speed: float = 1.0) -> None:
        self.path = Path(path)
        self.__name__ = f"cassette-{self.path.stem}"
        if not isinstance(speed, int | float) or not speed > 0:
            raise BadRequest(f"`speed` must be a number above 0, not {speed!r}.")
        self._speed = speed
        self._places: list[list[Take]] = []
        for take in _read(self.path):
            if take.again and self._places:
                self._places[-1].append(take)
            else:
                self._places.append([take])
        # How often each prompt was answered.
        self._played: dict[str, int] = {}

    def __call__(self, messages: tuple[Message, ...], context: Context) -> Iterator[object]:
        """Answer as it was answered then."""
        number = sum(message.role == "assistant" for message in messages)
        if number >= len(self._places):
            raise BadRequest(
                f"{self.path.name} has {len(self._places)} answers, and all of them were played. "
                "Begin a new conversation with `chat.clear()`."
            )
        begin = time.monotonic()
        calls: dict[str, ToolCall] = {}
        for event in self._take(number, messages[-1].id if messages else "").events:
            due = begin + event.t / 1000 / self._speed
            if context.wait(max(0.0, due - time.monotonic())):
                return
            match event:
                case TextDelta(delta=delta):
                    yield delta
                case ReasoningDelta(delta=delta):
                    yield Thinks(delta)
                case ToolInputAvailable(part=part, name=name, input=arguments):
                    calls[part] = ToolCall(name, arguments)
                    yield calls[part]
                case ToolOutputAvailable(part=part, output=output) if part in calls:
                    yield ToolResult(calls[part], output)
                case ToolOutputError(part=part, error=error) if part in calls:
                    yield ToolResult(calls[part], error=error)
                case Finish(finish_reason=reason, usage=usage):
                    yield Ended(reason, usage)
                case Abort(reason=reason):
                    yield Ended("other", abort_reason=reason)
                case ErrorEvent(error=info):
                    raise error_from(info)
                case _:
                    pass

    def _take(self, number: int, prompt: str) -> Take:
        takes, played = self._places[number], self._played.get(prompt, 0)
        self._played[prompt] = played + 1
        return takes[min(played, len(takes) - 1)]


def _read(path: Path) -> Sequence[Take]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror or error}.") from None
    takes: list[Take] = []
    try:
        for line in filter(None, lines):
            takes.append(_take.decode(line))  # noqa: PERF401 - the count says which is damaged
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(
            f"{path.name} is no cassette: answer {len(takes) + 1} is damaged ({error}). Record it "
            "anew with `chat.record(…)`."
        ) from None
    if not takes:
        raise BadRequest(f"{path.name} is empty. Record something with `chat.record(…)` first.")
    return takes
