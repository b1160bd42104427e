"""The rates: how many requests a minute each provider takes, so that we wait before it refuses."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic

WINDOW_S = 60.0


class Rates:
    """Counts what was asked of each provider within any minute; those without a number are free."""

    def __init__(
        self, per_minute: Mapping[str, int] | None = None, *, now: Callable[[], float] = monotonic
    ) -> None:
        self._per_minute = dict(per_minute or {})
        self._now = now
        self._asked: dict[str, deque[float]] = {name: deque() for name in self._per_minute}

    def wait(self, provider: str) -> float:
        """Seconds until it may be asked; 0.0 for now."""
        most = self._per_minute.get(provider)
        if most is None:
            return 0.0
        asked, now = self._asked[provider], self._now()
        while asked and asked[0] + WINDOW_S <= now:
            asked.popleft()
        return 0.0 if len(asked) < most else asked[-most] + WINDOW_S - now

    def take(self, provider: str) -> None:
        """It is asked now."""
        if provider in self._asked:
            self._asked[provider].append(self._now())
