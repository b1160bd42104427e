"""What all wires' decoders share: events in, outputs pushed, silence measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from streamchat_relay.model import Output
from streamchat_relay.providers.endpoint import Endpoint
from streamchat_relay.providers.errors import truncated, undecodable
from streamchat_relay.providers.sse import EventTooLarge, SseDecoder
from streamchat_relay.relay.ports import Sink


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
            for _, payload in self.sse.feed(data):
                self.event(payload, outputs)
                if self.done:
                    break
        except EventTooLarge:
            raise undecodable(self.at) from None
        finally:
            if outputs:
                self.last_output = self._time()
                self.sink.push(outputs)
        return self.done

    def end(self) -> None:
        """The body ended by itself, uncut; raises `Truncated` unless that was all of it."""
        if not self.done:
            raise truncated(self.at)

    @abstractmethod
    def event(self, payload: bytes, outputs: list[Output]) -> None:
        """Add what one event says; raises a `StreamChatError` for an error in the stream."""
