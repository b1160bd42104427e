"""The transport over tornado's streams: busy until all has left, silent after the close frame."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tornado.iostream import IOStream
from tornado.websocket import WebSocketHandler

from streamchat_relay.hosts.transport import MAX_WAITING, TornadoTransport, text_frame
from tests.fakes.relay import settle


class Ends:
    """A transport, and the socket that its frames come out of."""

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.theirs.setblocking(False)
        self.stream = IOStream(ours)
        self.protocol = SimpleNamespace(stream=self.stream, server_terminated=False)
        handler = cast("WebSocketHandler", SimpleNamespace(ws_connection=self.protocol))
        self.transport = TornadoTransport(handler)
        self.drained: list[bool] = []
        self.transport.on_drained = lambda: self.drained.append(self.stream.writing())

    async def read(self, size: int) -> bytes:
        """So many bytes."""
        loop = asyncio.get_running_loop()
        got = bytearray()
        while len(got) < size:
            got += await loop.sock_recv(self.theirs, size - len(got))
        return bytes(got)


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    made = Ends()
    yield made
    made.stream.close()
    made.theirs.close()


async def test_a_transport_is_busy_until_the_last_of_its_frames_has_left(ends: Ends) -> None:
    large = [b"a" * 4_000_000, b"b" * 4_000_000, b"c"]
    for payload in large:
        ends.transport.write((payload,))
    assert ends.transport.busy
    expected = b"".join(map(text_frame, large))
    assert await ends.read(len(expected)) == expected
    await settle()
    assert not ends.transport.busy
    assert ends.drained == [False]
    ends.transport.write((b"small",))
    assert not ends.transport.busy
    assert await ends.read(7) == text_frame(b"small")


async def test_nothing_is_written_after_the_close_frame(ends: Ends) -> None:
    ends.protocol.server_terminated = True
    ends.transport.write((b"late",))
    ends.stream.close()
    assert await asyncio.get_running_loop().sock_recv(ends.theirs, 10) == b""


async def test_a_socket_that_breaks_harms_nobody(ends: Ends) -> None:
    ends.transport.write((b"a" * 4_000_000,))
    ends.transport.write((b"b",))
    ends.theirs.close()
    closed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    ends.stream.set_close_callback(lambda: closed.set_result(None))
    ends.transport.write((b"c",))
    await closed
    ends.transport.write((b"d",))
    assert not ends.transport.busy
    assert ends.drained == []


async def test_the_next_request_waits_while_too_much_waits_for_the_reader(ends: Ends) -> None:
    ends.transport.write((b"a" * 4_000_000,))
    room = asyncio.ensure_future(ends.transport.room())
    left = 4_000_000 - MAX_WAITING
    while not room.done():
        assert left > -MAX_WAITING
        left -= len(await ends.read(100_000))
    await room


async def test_a_reader_that_lags_within_its_window_is_heard_at_once(ends: Ends) -> None:
    while not ends.transport.busy:
        ends.transport.write((b"a" * 50_000,))
    await ends.transport.room()
    assert ends.transport.busy


async def test_who_waits_for_room_on_a_socket_that_breaks_is_let_go(ends: Ends) -> None:
    ends.transport.write((b"a" * 8_000_000,))
    room = asyncio.ensure_future(ends.transport.room())
    await settle()
    assert not room.done()
    ends.theirs.close()
    ends.transport.write((b"b",))
    await room
