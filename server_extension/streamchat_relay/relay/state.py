"""The state: what a log says, folded as it grows, a slice at a time where it has grown long."""

from __future__ import annotations

import asyncio

from streamchat_relay.model import Conversation, reduce
from streamchat_relay.model.deltas import Deltas
from streamchat_relay.protocol.codec import decode_event
from streamchat_relay.protocol.frames import JOIN_BYTES
from streamchat_relay.relay.log import Log


class State:
    """A conversation as its log tells it; what was folded before is not folded again."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._value = Conversation()
        self._deltas = Deltas()
        self._folded = 0

    @property
    def value(self) -> Conversation:
        """Everything the log says."""
        while self._folded < self._log.head:
            self._fold_slice()
        for joined in self._deltas.rest():
            self._value = reduce(self._value, joined)
        return self._value

    async def catch_up(self) -> None:
        """Fold what is new before somebody asks, and let others have their turn meanwhile."""
        while self._log.size(self._folded) + JOIN_BYTES < self._log.total:
            self._fold_slice()
            await asyncio.sleep(0)

    def _fold_slice(self) -> None:
        events = self._log.slice(self._folded)
        add = self._deltas.add
        for event in map(decode_event, events):
            if event is not None:
                for joined in add(event):
                    self._value = reduce(self._value, joined)
        self._folded += len(events)
