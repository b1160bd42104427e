"""The log: a conversation's encoded events, and the readers that are told of new ones."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Sequence
from typing import Protocol

import msgspec

from streamchat_relay.model import Event
from streamchat_relay.protocol.codec import EventsEncoder, encode

_log = logging.getLogger(__name__)


class Batch(msgspec.Struct):
    """Events `first` to `last`, appended together; each is still a frame of its own.

    `begin` is where they begin: the size in bytes of all events before them.
    """

    encoder: EventsEncoder
    events: list[bytes]
    first: int
    last: int
    begin: int
    _frames: list[bytes] | None = None

    def frames(self) -> list[bytes]:
        """The frames, built once however many readers write them."""
        if self._frames is None:
            self._frames = self.encoder.each(self.first, self.events)
        return self._frames


class Reader(Protocol):
    """Whoever wants to know of new events the moment they are there."""

    def appended(self, batch: Batch, /) -> None:
        """Take the batch or come back for it later; never blocks, never raises."""
        ...


class Log:
    """An append-only list of encoded events, numbered from 1 without holes.

    Every reader is called before `append` returns, so nothing waits between a provider's socket
    and a reader's.
    """

    def __init__(self, conversation: str, epoch: str, events: Sequence[bytes] = ()) -> None:
        self.conversation = conversation
        self.epoch = epoch
        self._encoder = EventsEncoder(conversation, epoch)
        self._events: list[bytes] = []
        # _ends[seq] is the size in bytes of the events up to and including seq.
        self._ends = array("Q", [0])
        self._readers: tuple[Reader, ...] = ()
        self._keep(events)

    @property
    def head(self) -> int:
        """The `seq` of the newest event, 0 while there is none."""
        return len(self._events)

    @property
    def total(self) -> int:
        """Bytes of all events."""
        return self._ends[-1]

    @property
    def readers(self) -> int:
        """How many readers are attached."""
        return len(self._readers)

    def append(self, events: Sequence[Event]) -> None:
        """Give the events their numbers, all or none, and tell every reader of them together."""
        if not events:
            return
        first, begin = len(self._events) + 1, self._ends[-1]
        # Encoded before any is kept: what cannot be encoded must not leave half of it behind.
        encoded = list(map(encode, events))
        self._keep(encoded)
        batch = Batch(self._encoder, encoded, first, len(self._events), begin)
        for reader in self._readers:
            try:
                reader.appended(batch)
            except Exception:  # noqa: BLE001, PERF203 - one reader's fault is not the others'
                _log.exception("A reader of conversation %s failed", self.conversation)

    def attach(self, reader: Reader) -> None:
        """Tell this reader of what is appended from now on."""
        self._readers = (*self._readers, reader)

    def detach(self, reader: Reader) -> None:
        """Tell this reader no more."""
        self._readers = tuple(one for one in self._readers if one is not reader)

    def events(self, after: int = 0) -> Sequence[bytes]:
        """The encoded events after `after`."""
        return self._events[after:]

    def size(self, seq: int) -> int:
        """Bytes of the events up to and including `seq`."""
        return self._ends[seq]

    def joined(self, after: int, limit: int) -> tuple[bytes, int]:
        """One frame of the events after `after`, and the `seq` of its last.

        At most `limit` bytes of events, but at least one event.
        """
        to = after + 1
        while to < self.head and self._ends[to + 1] - self._ends[after] <= limit:
            to += 1
        return self._encoder.joined(after + 1, self._events[after:to]), to

    def _keep(self, events: Sequence[bytes]) -> None:
        self._events += events
        ends = self._ends
        end = ends[-1]
        for event in events:
            end += len(event)
            ends.append(end)
