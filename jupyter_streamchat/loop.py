"""Background threads with an event loop each: the only bridge from sync code to async code."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

_T = TypeVar("_T")

POLL_S = 0.5
"""Waiting wakes up this often, so that an interrupt is noticed on every platform."""


class BackgroundLoop:
    """An event loop in a daemon thread of its own, started when it is first needed."""

    def __init__(self, name: str = "jupyter_streamchat") -> None:
        self.pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    @property
    def usable(self) -> bool:
        """False in a forked child, whose copy of the thread does not run, and after `close`."""
        return self.pid == os.getpid() and self._thread.is_alive()

    def call(self, function: Callable[[], object]) -> None:
        """Run a function on the loop soon; returns at once."""
        self._loop.call_soon_threadsafe(function)

    def submit(self, coroutine: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Start a coroutine on the loop; returns at once."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the loop and wait for its result; an interrupt cancels it.

        >>> async def answer() -> int:
        ...     return 42
        >>> background().run(answer())
        42
        """
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("This would wait for itself: it is the background thread already.")
        done = threading.Event()
        started: list[asyncio.Task[_T]] = []

        def start() -> None:
            started.append(self._loop.create_task(coroutine))
            started[0].add_done_callback(lambda _: done.set())

        def cancel() -> None:
            if started:
                started[0].cancel()
            else:
                coroutine.close()

        # An interrupt may come between any two lines; the loop calls in the order of asking.
        try:
            self.call(start)
            while not done.wait(POLL_S):
                pass
        except BaseException:
            self.call(cancel)
            raise
        return started[0].result()

    def close(self) -> None:
        """Cancel what runs, stop the thread, and wait for it."""
        if not self.usable:
            return
        asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


_guard = threading.Lock()
_current: dict[str, BackgroundLoop] = {}


def background() -> BackgroundLoop:
    """The loop of this process; a forked child gets one of its own."""
    return _lasting("jupyter_streamchat")


def answering() -> BackgroundLoop:
    """The loop on which async functions that are models answer, apart from `background`.

    It lasts, since the HTTP clients in such functions keep connections that belong to their loop:
    with a loop for each answer, the second one finds the connection of the first and fails.
    """
    return _lasting("streamchat-answering")


def _lasting(name: str) -> BackgroundLoop:
    with _guard:
        found = _current.get(name)
        if found is None or not found.usable:
            found = _current[name] = BackgroundLoop(name)
            atexit.register(found.close)
        return found


def _after_fork() -> None:
    # The guard may have been held by a thread that does not exist in the child.
    global _guard  # noqa: PLW0603
    _guard = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
