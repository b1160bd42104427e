"""Folding: a log with the deltas of old runs joined; it leads to the same conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Iterable

import msgspec

from streamchat_relay.model.deltas import Delta, Deltas

TEXT_LENGTH = 32 * 1024
"""Characters that joined deltas hold: none becomes a frame beyond all measure."""

_BEGIN = (b'{"type":"text-delta"', b'{"type":"reasoning-delta"', b'{"type":"tool-input-delta"')
_encode = msgspec.json.Encoder().encode
_delta = msgspec.json.Decoder(Delta)


class Folding:
    """Takes a log's events in order, and keeps them with the deltas of these runs joined.

    Every other event stays byte for byte as it was, also one of a type that this version does not
    know.
    """

    def __init__(self, runs: Container[str]) -> None:
        self._runs = runs
        self._deltas = Deltas()
        self._length = 0
        self._events: list[bytes] = []

    def add(self, events: Iterable[bytes]) -> None:
        """Take these."""
        for event in events:
            delta = _delta.decode(event) if event.startswith(_BEGIN) else None
            if delta is not None and delta.run in self._runs:
                self._deltas.add(delta)
                self._length += len(delta.delta)
                if self._length >= TEXT_LENGTH:
                    self._join()
            else:
                self._join()
                self._events.append(event)

    def events(self) -> list[bytes]:
        """All that was taken, folded."""
        self._join()
        return self._events

    def _join(self) -> None:
        if self._length:
            self._events += map(_encode, self._deltas.rest())
            self._length = 0


async def folded(lines: Iterable[bytes], runs: Container[str]) -> list[bytes]:
    """The events of these lines, folded; between two of them others have their turn."""
    folding = Folding(runs)
    for some in lines:
        folding.add(some.split(b"\n"))
        await asyncio.sleep(0)
    return folding.events()
