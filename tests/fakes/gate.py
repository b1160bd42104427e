"""A gate that a test opens: pacing by events instead of by sleeps, from any thread."""

from __future__ import annotations

import asyncio
import threading


class Gate:
    """Lets as many pass as were released; `open` lets all pass from then on.

    The waiting side lives on one loop; `release` and `open` may be called from anywhere.
    """

    def __init__(self, permits: int = 0) -> None:
        self._lock = threading.Lock()
        self._permits = permits
        self._open = False
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def release(self, permits: int = 1) -> None:
        """Let some more pass."""
        with self._lock:
            self._permits += permits
            self._wake()

    def open(self) -> None:
        """Let all pass."""
        with self._lock:
            self._open = True
            self._wake()

    async def passed(self) -> None:
        """Wait for a permit, and use it up."""
        while True:
            with self._lock:
                if self._open:
                    return
                if self._permits:
                    self._permits -= 1
                    return
                loop = asyncio.get_running_loop()
                woken: asyncio.Future[None] = loop.create_future()
                self._waiting.append((loop, woken))
            await woken

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for loop, woken in waiting:
            loop.call_soon_threadsafe(_set, woken)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
