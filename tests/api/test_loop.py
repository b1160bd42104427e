"""The bridge between sync and async code."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest

from jupyter_streamchat.interrupt import stopping
from jupyter_streamchat.loop import BackgroundLoop, background


async def answer() -> int:
    return 42


def test_there_is_one_loop_a_process() -> None:
    assert background() is background()
    assert background().run(answer()) == 42


def test_a_forked_child_gets_a_loop_that_runs() -> None:
    background()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if background().run(answer()) == 42 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_waiting_for_oneself_is_refused() -> None:
    loop = BackgroundLoop()

    async def wait_for_oneself() -> None:
        loop.run(answer())

    with pytest.raises(RuntimeError, match="wait for itself"):
        loop.run(wait_for_oneself())
    loop.close()
    assert not loop.usable


def test_an_interrupt_cancels_what_is_waited_for() -> None:
    loop = BackgroundLoop()
    begun, cancelled = threading.Event(), threading.Event()

    async def forever() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    def interrupt() -> None:
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        loop.run(forever())
    assert cancelled.wait(20)
    loop.close()


def test_interrupts_are_watched_only_where_they_interrupt() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stopping(lambda: pytest.fail("nothing was interrupted")):
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_nested_iterations_are_all_stopped_and_the_handler_is_put_back() -> None:
    stopped: list[str] = []
    before = signal.getsignal(signal.SIGINT)

    def iterate() -> None:
        with stopping(lambda: stopped.append("outer")), stopping(lambda: stopped.append("inner")):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        iterate()
    assert stopped == ["outer", "inner"]
    assert signal.getsignal(signal.SIGINT) is before
