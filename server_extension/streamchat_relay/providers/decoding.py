"""What all wires' decoders share: events in, outputs pushed, silence measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from streamchat_relay.model import Output, UsageOutput
from streamchat_relay.providers import dialect
from streamchat_relay.providers.endpoint import Endpoint
from streamchat_relay.providers.errors import from_refusal, truncated, undecodable
from streamchat_relay.providers.refusal import refusal_from, refusal_within
from streamchat_relay.providers.sse import EventTooLarge, SseDecoder
from streamchat_relay.providers.surrogates import Mender
from streamchat_relay.relay.ports import Sink

MAX_REASON = 64
"""Characters of a provider's own word for why an answer ended."""


class StreamDecoder(ABC):
    """One stream's state. `feed` is an answer's receiver; `end` is told of the body's uncut end.

    `done` is true once the answer is complete; `last_output` is the loop's time when something
    of it came, and 0 before that.
    """

    __slots__ = ("_time", "at", "done", "last_output", "model", "sink", "sse")

    def __init__(self, sink: Sink, at: Endpoint, model: str, time: Callable[[], float]) -> None:
        self.at = at
        self.done = False
        self.last_output = 0.0
        self.model = model
        self.sink = sink
        self.sse = SseDecoder()
        self._time = time

    @property
    def started(self) -> bool:
        """True once a part of the answer came."""
        return self.last_output > 0.0

    def feed(self, data: bytes) -> bool:
        """Push what these bytes say, all at once; True once the answer is complete."""
        outputs: list[Output] = []
        try:
            for name, payload in self.sse.feed(data):
                if name and name == b"error":
                    self._fail(payload)
                self.event(payload, outputs)
                if self.done:
                    break
        except EventTooLarge:
            raise undecodable(self.at) from None
        finally:
            if outputs:
                # Counts of tokens are no part of an answer, or they could put off its limits.
                if type(outputs[-1]) is not UsageOutput or any(map(_is_content, outputs)):
                    self.last_output = self._time()
                self.sink.push(outputs)
        return self.done

    def end(self, *, certain: bool = True) -> None:  # noqa: ARG002 - some wires need it
        """The body ended by itself, uncut; raises `Truncated` unless that was all of it.

        Not `certain` is an end that looks no different where the stream was cut.
        """
        if not self.done:
            raise truncated(self.at, started=self.started)

    @abstractmethod
    def event(self, payload: bytes, outputs: list[Output]) -> None:
        """Add what one event says; raises a `StreamChatError` for an error in the stream."""

    def loosely(self, payload: bytes) -> Mapping[str, Any]:
        """The fields of an event that is not quite of this wire; empty where it says nothing.

        Texts may hold half a character from here on, so the sink becomes a `Mender`. Raises a
        `StreamChatError` for an error, and for what is no object.
        """
        if not isinstance(self.sink, Mender):
            self.sink = Mender(self.sink)
        value = self._value(payload)
        if isinstance(value, Mapping):
            return value
        self.refuse(payload)
        if value:
            raise undecodable(self.at)
        return {}

    def refuse(self, payload: bytes) -> None:
        """Raise the error that an event is; return where it is none."""
        refusal = refusal_within(self._value(payload))
        if refusal is not None:
            raise from_refusal(refusal, self.at, self.model)

    def _value(self, payload: bytes) -> Any:
        try:
            return dialect.read(payload)
        except dialect.UNREADABLE:
            raise undecodable(self.at) from None

    def _fail(self, payload: bytes) -> NoReturn:
        try:
            value = dialect.read(payload)
        except dialect.UNREADABLE:
            value = payload.decode("utf-8", "replace")
        raise from_refusal(refusal_from(value), self.at, self.model)


def _is_content(output: Output) -> bool:
    return not isinstance(output, UsageOutput)
