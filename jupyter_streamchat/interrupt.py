"""Interrupts: what a person stops while iterating over a reply stops the reply's run, too."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_stops: list[Callable[[], None]] = []
_previous: Callable[[int, FrameType | None], object] | None = None


@contextmanager
def stopping(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` when SIGINT comes before the block ends, then do what SIGINT did before.

    An iterator cannot see an interrupt that hits the body of the loop over it: to the iterator
    that looks like `break`. So the signal itself is watched. Only the main thread gets signals;
    elsewhere this does nothing.
    """
    global _previous  # noqa: PLW0603 - there is one SIGINT in a process
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    installed = signal.getsignal(signal.SIGINT)
    if installed is not _on_signal:
        if not callable(installed):
            # Ignored, or handled outside of Python: nothing would be interrupted.
            yield
            return
        # ipykernel sets its handler anew for each cell, so iterators that an earlier cell left
        # unfinished have nothing to do with this one.
        _stops.clear()
        _previous = installed
        signal.signal(signal.SIGINT, _on_signal)
    _stops.append(stop)
    try:
        yield
    finally:
        if stop in _stops:
            _stops.remove(stop)
        if (
            not _stops
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is _on_signal
        ):
            signal.signal(signal.SIGINT, _previous)


def _on_signal(number: int, frame: FrameType | None) -> None:
    for stop in tuple(_stops):
        stop()
    if _previous is not None:
        _previous(number, frame)
