"""The log: a conversation's encoded events, and the readers that are told of new ones."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import Protocol

import msgspec

from streamchat_relay.model import Event
from streamchat_relay.protocol.codec import EventsEncoder, encode
from streamchat_relay.protocol.frames import JOIN_BYTES
from streamchat_relay.relay.audience import Audience
from streamchat_relay.relay.spool import Spool

IN_MEMORY_BYTES = 1024 * 1024
"""Events of one log that are kept in memory, the newest; older ones are in its spool."""

_log = logging.getLogger(__name__)
_first = attrgetter("first")


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


class _Block(msgspec.Struct):
    """Events from `first` on, a line each: no more than one joined frame takes, or a single one.

    `begin` is the size of all events before them. Without `data` they are in the spool.
    """

    first: int
    begin: int
    length: int
    data: bytes | None
    place: int = 0


class Log:
    """An append-only list of encoded events, numbered from 1 without holes.

    Every reader is called before `append` returns, so nothing waits between a provider's socket
    and a reader's. However long it grows, it takes little memory: the newest events are at hand,
    and who lags behind them is served from a file.
    """

    def __init__(self, conversation: str, epoch: str) -> None:
        self.conversation = conversation
        self.epoch = epoch
        self.head = 0
        """The `seq` of the newest event, 0 while there is none."""
        self.total = 0
        """Bytes of all events."""
        self.audience = Audience()
        self._encoder = EventsEncoder(conversation, epoch)
        self._readers: tuple[Reader, ...] = ()
        self._blocks: list[_Block] = []
        self._spool = Spool()
        self._spooled = 0
        self._in_memory = 0
        self._told = False
        # The newest events are not a block yet. _ends has the size of all events up to each.
        self._events: list[bytes] = []
        self._ends: list[int] = []
        self._first = 1
        self._begin = 0

    @property
    def readers(self) -> int:
        """How many readers are attached."""
        return len(self._readers)

    def append(self, events: Sequence[Event]) -> None:
        """Give the events their numbers, all or none, and tell every reader of them together."""
        if not events:
            return
        first, begin = self.head + 1, self.total
        # Encoded before any is kept: what cannot be encoded must not leave half of it behind.
        encoded = list(map(encode, events))
        self._keep(encoded)
        batch = Batch(self._encoder, encoded, first, self.head, begin)
        for reader in self._readers:
            try:
                reader.appended(batch)
            except Exception:  # noqa: BLE001, PERF203 - one reader's fault is not the others'
                _log.exception("A reader of conversation %s failed", self.conversation)

    def restore(self, lines: bytes) -> None:
        """Take events that were saved before, a line each; no reader is told."""
        if len(lines) > JOIN_BYTES:
            self._keep(lines.split(b"\n"))
            return
        self._seal()
        count = lines.count(b"\n") + 1
        self._add(lines)
        self.head += count
        self.total += len(lines) - count + 1
        self._first, self._begin = self.head + 1, self.total

    def attach(self, reader: Reader) -> None:
        """Tell this reader of what is appended from now on."""
        self._readers = (*self._readers, reader)

    def detach(self, reader: Reader) -> None:
        """Tell this reader no more."""
        self._readers = tuple(one for one in self._readers if one is not reader)

    def slice(self, after: int) -> list[bytes]:
        """Events after `after`, as many as one joined frame takes; none at the head."""
        if after + 1 >= self._first:
            return self._events[after + 1 - self._first :]
        block = self._block(after + 1)
        return self._lines(block).split(b"\n")[after + 1 - block.first :]

    def joined(self, after: int) -> tuple[bytes, int]:
        """One frame of the events after `after`, and the `seq` of its last.

        At most `JOIN_BYTES` of events, but at least one event.
        """
        events = self.slice(after)
        return self._encoder.joined(after + 1, events), after + len(events)

    def size(self, seq: int) -> int:
        """Bytes of the events up to and including `seq`."""
        if seq >= self._first:
            return self._ends[seq - self._first]
        if seq == self._first - 1:
            return self._begin
        block = self._block(seq + 1)
        count = seq + 1 - block.first
        return block.begin + (
            sum(map(len, self._lines(block).split(b"\n", count)[:count])) if count else 0
        )

    def _keep(self, events: Sequence[bytes]) -> None:
        end = self.total
        for event in events:
            end += len(event)
            if end - self._begin > JOIN_BYTES and self._events:
                self._seal()
            self._events.append(event)
            self._ends.append(end)
        self.total = end
        self.head += len(events)

    def _seal(self) -> None:
        """Make the newest events a block; further ones begin another."""
        if self._events:
            self._add(b"\n".join(self._events))
            self._first += len(self._events)
            self._begin = self._ends[-1]
            self._events, self._ends = [], []

    def _add(self, lines: bytes) -> None:
        self._blocks.append(_Block(self._first, self._begin, len(lines), lines))
        self._in_memory += len(lines)
        while self._in_memory > IN_MEMORY_BYTES:
            block = self._blocks[self._spooled]
            assert block.data is not None
            try:
                block.place = self._spool.put(block.data)
            except OSError as error:
                # Kept in memory, and tried again with the next block: a chat must not end for it.
                if not self._told:
                    self._told = True
                    _log.warning("Long conversations stay in memory: %s", error)
                return
            block.data = None
            self._in_memory -= block.length
            self._spooled += 1

    def _block(self, seq: int) -> _Block:
        return self._blocks[bisect_right(self._blocks, seq, key=_first) - 1]

    def _lines(self, block: _Block) -> bytes:
        if block.data is not None:
            return block.data
        return self._spool.get(block.place, block.length)
