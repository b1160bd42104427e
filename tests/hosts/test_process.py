"""The process: many sockets may be open and come at once, and threads take short turns."""

from __future__ import annotations

import asyncio
import gc
import resource
import socket
import sys
from collections.abc import Iterator

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from streamchat_relay.hosts import process


@pytest.fixture
def few_files() -> Iterator[int]:
    """A soft limit as most systems begin with; gives the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1024), hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_file_limit_goes_up_to_what_the_system_allows(few_files: int) -> None:
    process.make_room(None)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == few_files
    assert soft == min(hard if hard >= 0 else process.MOST_FILES, process.MOST_FILES)


async def test_hundreds_may_wait_to_be_accepted() -> None:
    server = HTTPServer(lambda _: None)
    (listening,) = bind_sockets(0, "127.0.0.1", family=socket.AF_INET, backlog=1)
    server.add_sockets([listening])
    process.make_room(server)
    address = listening.getsockname()
    waiting = [socket.socket() for _ in range(300)]
    for one in waiting:
        one.settimeout(0.5)
        # The loop accepts nobody meanwhile: all of them are in the backlog.
        one.connect(address)
    for one in waiting:
        one.close()
    server.stop()
    await asyncio.sleep(0)


def test_threads_take_shorter_turns_and_never_longer_ones() -> None:
    before = sys.getswitchinterval()
    try:
        process.shorten_turns()
        assert sys.getswitchinterval() == pytest.approx(process.TURN_S, rel=0.01)
        sys.setswitchinterval(0.0001)
        process.shorten_turns()
        assert sys.getswitchinterval() < 0.0002
    finally:
        sys.setswitchinterval(before)


def test_collections_look_at_nothing_that_was_there_before() -> None:
    try:
        process.settle()
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
