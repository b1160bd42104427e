"""The pace: how fast one client may ask."""

from __future__ import annotations

from streamchat_relay.relay.ports import Clock

BURST_S = 5.0
"""So many seconds' worth may come at once."""


class Pace:
    """A bucket that fills at a rate, from which each message takes one.

    `take` gives 0.0, or how many seconds are missing; then nothing was taken.
    """

    def __init__(self, per_s: float, clock: Clock) -> None:
        self._per_s = per_s
        self._clock = clock
        self._most = self._left = max(1.0, per_s * BURST_S)
        self._at = clock.now()

    def take(self) -> float:
        """Take one."""
        now = self._clock.now()
        self._left = min(self._most, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left >= 1.0:
            self._left -= 1.0
            return 0.0
        return (1.0 - self._left) / self._per_s
