"""The audience: a log's readers as far as its writers wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from streamchat_relay.relay.ports import Clock, Source

PATIENCE_S = 30.0
"""How long a source is paused for readers that lag; a link that is dead is found about as soon."""


class Throttle:
    """Slows down what one run reads its answer from, while its whole audience lags."""

    def __init__(self, audience: Audience, clock: Clock) -> None:
        self._audience = audience
        self._clock = clock
        self._source: Source | None = None

    @contextmanager
    def drawing(self, source: Source) -> Iterator[None]:
        """Within this block the source may be paused."""
        self._source = source
        try:
            yield
        finally:
            self._source = None
            self._audience.let_go(source)

    def pause(self) -> None:
        """Wait for the audience, where there is something that can wait."""
        if self._source is not None:
            self._audience.hold(self._source, self._clock)


class Audience:
    """Knows which readers lag, and holds what a writer reads from while all of them do.

    Who lags for longer than `PATIENCE_S` is not waited for any more, until it has caught up: a
    laptop that sleeps must not end an answer. Nobody at all is no reason to wait.
    """

    def __init__(self) -> None:
        self.outrun = False
        """Whether there are readers, and all of them lag."""
        self._waited_for: set[Hashable] = set()
        self._behind: set[Hashable] = set()
        self._held: set[Source] = set()
        self._patience: asyncio.Task[None] | None = None

    def join(self, reader: Hashable) -> None:
        """It reads, or has caught up."""
        self._waited_for.add(reader)
        self._behind.discard(reader)
        self._look()

    def leave(self, reader: Hashable) -> None:
        """It reads no more."""
        self._waited_for.discard(reader)
        self._behind.discard(reader)
        self._look()

    def fall_behind(self, reader: Hashable) -> None:
        """It lags."""
        if reader in self._waited_for:
            self._behind.add(reader)
            self._look()

    def hold(self, source: Source, clock: Clock) -> None:
        """Pause the source until somebody has caught up, or for as long as there is patience."""
        if source not in self._held:
            self._held.add(source)
            source.pause()
            if self._patience is None:
                self._patience = asyncio.ensure_future(self._be_patient(clock))

    def let_go(self, source: Source) -> None:
        """The source is not read from any more."""
        self._held.discard(source)
        self._end_patience()

    async def _be_patient(self, clock: Clock) -> None:
        await clock.sleep(PATIENCE_S)
        self._patience = None
        self._waited_for -= self._behind
        self._behind.clear()
        self._look()

    def _look(self) -> None:
        self.outrun = bool(self._behind) and self._behind == self._waited_for
        if not self.outrun:
            held, self._held = self._held, set()
            for source in held:
                source.resume()
            self._end_patience()

    def _end_patience(self) -> None:
        if not self._held and self._patience is not None:
            self._patience.cancel()
            self._patience = None
