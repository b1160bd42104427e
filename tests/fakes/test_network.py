"""The network carries what it should, and fails where its fault says, to the byte."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from tests.fakes.faults import Fault, Kind, random_fault
from tests.fakes.network import Link, Network
from tests.fakes.relay import settle

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server:
    """Takes connections, and leaves it to the test to use them."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[Ends] = asyncio.Queue()

    async def met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came.put_nowait((reader, writer))


class Way:
    """Both ends of one connection through a network with this fault."""

    def __init__(self, network: Network, client: Ends, server: Ends) -> None:
        self.network = network
        self.reader, self.writer = client
        self.server_reader, self.server_writer = server

    @property
    def link(self) -> Link:
        return self.network.links[-1]


class Ways:
    """Makes them, and closes them."""

    def __init__(self) -> None:
        self._server = Server()
        self._made: list[Way] = []

    async def through(self, fault: Fault) -> Way:
        self.listening = await asyncio.start_server(self._server.met, "127.0.0.1", 0)
        port = self.listening.sockets[0].getsockname()[1]
        network = await Network(port, lambda: fault).__aenter__()
        client = await asyncio.open_connection("127.0.0.1", network.port)
        self._made.append(Way(network, client, await self._server.came.get()))
        return self._made[-1]

    async def close(self) -> None:
        for way in self._made:
            way.writer.close()
            way.server_writer.close()
            await way.network.__aexit__(None, None, None)
        self.listening.close()
        await settle()


@pytest.fixture
async def ways() -> AsyncIterator[Ways]:
    made = Ways()
    yield made
    await made.close()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Everything until the end, or until the reset."""
    got = b""
    try:
        while data := await reader.read(1000):
            got += data
    except ConnectionError:
        pass
    return got


@pytest.mark.parametrize("fault", [Fault(), Fault(piece=3), Fault(piece=9, delay=0.0005, seed=5)])
async def test_without_its_fault_all_bytes_come_in_order_both_ways(
    ways: Ways, fault: Fault
) -> None:
    way = await ways.through(fault)
    data = random.Random(1).randbytes(2000)
    way.writer.write(data)
    way.server_writer.write(data[::-1])
    assert await way.server_reader.readexactly(len(data)) == data
    assert await way.reader.readexactly(len(data)) == data[::-1]
    assert not way.link.struck


@pytest.mark.parametrize("after", [0, 1, 137, 499])
async def test_a_cut_comes_after_so_many_bytes_and_is_seen_by_both(ways: Ways, after: int) -> None:
    way = await ways.through(Fault(after=after))
    way.server_writer.write(b"x" * 500)
    assert await rest(way.reader) == b"x" * after
    assert await rest(way.server_reader) == b""
    assert way.link.struck
    assert not way.link.stalls


@pytest.mark.parametrize("kind", ["half-open", "one-way", "swallow"])
async def test_a_client_that_only_time_can_tell_sees_nothing(ways: Ways, kind: Kind) -> None:
    way = await ways.through(Fault(kind=kind, to="client", after=10))
    way.server_writer.write(b"x" * 500)
    assert await way.reader.readexactly(10) == b"x" * 10
    assert way.link.stalls
    way.writer.write(b"Is anybody there?")
    reading = asyncio.ensure_future(rest(way.reader))
    if kind == "one-way":
        assert await way.server_reader.readexactly(5) == b"Is an"
    elif kind == "half-open":
        assert await rest(way.server_reader) == b""
    else:
        await settle()
    assert not reading.done()
    way.link.reset()
    assert await reading == b""


async def test_a_server_whose_client_is_gone_does_not_hear_of_it_where_nothing_is_carried(
    ways: Ways,
) -> None:
    way = await ways.through(Fault(kind="swallow"))
    way.link.strike()
    way.writer.close()
    await way.writer.wait_closed()
    reading = asyncio.ensure_future(rest(way.server_reader))
    await settle()
    assert not reading.done()
    way.link.reset()
    assert await reading == b""


async def test_a_network_that_is_cut_lets_nobody_through_until_it_is_mended(ways: Ways) -> None:
    way = await ways.through(Fault())
    way.network.cut()
    assert await rest(way.reader) == b""
    reader, writer = await asyncio.open_connection("127.0.0.1", way.network.port)
    assert await rest(reader) == b""
    assert way.network.refused == 1
    writer.close()
    way.network.mend()
    reader, writer = await asyncio.open_connection("127.0.0.1", way.network.port)
    _, server_writer = await ways._server.came.get()
    server_writer.write(b"again")
    assert await reader.readexactly(5) == b"again"
    writer.close()
    server_writer.close()


def test_a_seed_makes_the_same_faults_and_seeds_make_all_kinds() -> None:
    def made(seed: int) -> list[Fault]:
        rng = random.Random(seed)
        return [random_fault(rng, within=100) for _ in range(200)]

    assert made(1) == made(1) != made(2)
    assert {fault.kind for fault in made(1)} == {"cut", "half-open", "one-way", "swallow"}
    assert {fault.to for fault in made(1)} == {"client", "server"}
