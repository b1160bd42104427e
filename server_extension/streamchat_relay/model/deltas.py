"""Deltas: those of one part joined, so that a log costs what its text does."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streamchat_relay.model.event import Event, ReasoningDelta, TextDelta, ToolInputDelta

Delta = TextDelta | ReasoningDelta | ToolInputDelta
_DELTAS = (TextDelta, ReasoningDelta, ToolInputDelta)


class Deltas:
    """Joins a log's deltas: what comes out is fewer events that lead to the same conversation.

    However many runs write at once, deltas of different parts do not touch each other.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str, bool], tuple[Delta, list[str]]] = {}

    def add(self, event: Event) -> Sequence[Event]:
        """What follows so far: nothing for a delta, which waits for more of its part."""
        if isinstance(event, _DELTAS):
            key = (event.run, event.part, isinstance(event, ToolInputDelta))
            waiting = self._waiting.get(key)
            if waiting is None:
                self._waiting[key] = (event, [event.delta])
            else:
                waiting[1].append(event.delta)
            return ()
        return [*self.rest(), event]

    def rest(self) -> list[Event]:
        """The deltas that wait, joined."""
        waiting, self._waiting = self._waiting, {}
        return [
            msgspec.structs.replace(event, delta="".join(texts))
            for event, texts in waiting.values()
        ]
