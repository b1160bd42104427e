"""One send is one generation, however often its answer is lost and it is sent again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest

from tests.fakes.jupyter import JupyterServer, RelaySocket
from tests.fakes.provider_server import ProviderServer
from tests.hosts.kit import soon

SENDS = 500
CONVERSATIONS = 100
"""Five prompts in each: the later ones wait for the answers before them."""


class OneWay:
    """A way to a port that, once told so, carries what is asked and loses what is answered."""

    def __init__(self, to: int) -> None:
        self.port = 0
        self.losing = False
        self._to = to
        self._lost = bytearray()
        self._more = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until its client is gone."""
        there, onward = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers += [writer, onward]
        back = asyncio.ensure_future(self._copy(there, self._answer(writer)))
        await self._copy(reader, onward.write)
        onward.close()
        writer.close()
        await back

    async def lost(self, count: int) -> None:
        """Return when so many answers to requests were lost, and forget them."""
        while self._lost.count(b'"type":"ok"') < count:
            self._more.clear()
            await soon(self._more.wait(), 60)
        self._lost.clear()

    def close(self) -> None:
        """End all that is carried."""
        for writer in self._writers:
            writer.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, write: Callable[[bytes], None]) -> None:
        try:
            while data := await reader.read(65536):
                write(data)
        except ConnectionError:
            return

    def _answer(self, writer: asyncio.StreamWriter) -> Callable[[bytes], None]:
        def write(data: bytes) -> None:
            if self.losing:
                self._lost.extend(data)
                self._more.set()
            else:
                writer.write(data)

        return write


@pytest.fixture
async def one_way(hosted: JupyterServer) -> AsyncIterator[OneWay]:
    made = OneWay(hosted.port)
    server = await asyncio.start_server(made.carry, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    made.close()
    server.close()
    await asyncio.sleep(0)


async def send_all(socket: RelaySocket) -> None:
    """All sends, one after another, without waiting for answers."""
    for number in range(SENDS):
        await socket.say(
            type="send",
            id=f"once-{number}",
            run=f"once-{number}",
            conversation=f"once-{number % CONVERSATIONS}",
            model="openai/fake-1",
            message={"parts": [{"type": "text", "text": f"once {number}"}]},
        )


async def answers(socket: RelaySocket) -> dict[str, dict[str, object]]:
    """The answers to all sends."""
    while sum(frame.get("id", "").startswith("once-") for frame in socket.frames) < SENDS:
        await soon(socket.until(lambda _: True), 60)
    return {frame["id"]: frame for frame in socket.frames if "id" in frame}


async def test_500_sends_that_are_repeated_5_times_are_500_calls(
    hosted: JupyterServer, upstream: ProviderServer, one_way: OneWay
) -> None:
    before = len(upstream.calls)
    url = hosted.ws_url.replace(str(hosted.port), str(one_way.port))
    # The first time, then alone, then two tabs at once; nobody hears an answer.
    for tabs in (1, 1, 2):
        one_way.losing = False
        sockets = [await hosted.socket(url=url, ping_interval=None) for _ in range(tabs)]
        one_way.losing = True
        await asyncio.gather(*map(send_all, sockets))
        await one_way.lost(SENDS * tabs)
        for socket in sockets:
            socket.connection.transport.abort()
    # At last two are heard, which say the same.
    async with await hosted.socket() as one, await hosted.socket() as two:
        await asyncio.gather(send_all(one), send_all(two))
        heard = [await answers(one), await answers(two)]
        assert all(frame["duplicate"] is True for said in heard for frame in said.values())
        assert [frame["message"] for frame in heard[0].values()] == [
            heard[1][name]["message"] for name in heard[0]
        ]
        for number in range(CONVERSATIONS):
            await one.ask(type="open", conversation=f"once-{number}", after=0)
        while len(ends(one)) < SENDS:
            await soon(one.until(lambda _: True), 60)
        assert set(ends(one).values()) == {("finish", 1)}
    prompts = Counter(call.json["messages"][-1]["content"] for call in upstream.calls[before:])
    assert prompts == Counter(f"once {number}" for number in range(SENDS))


def ends(socket: RelaySocket) -> dict[str, tuple[str, int]]:
    """How each run ended, and how often that was told."""
    found = [
        (event["run"], event["type"])
        for frame in socket.frames
        if frame["type"] == "events"
        for event in frame["events"]
        if event["type"] in {"finish", "abort", "error"}
    ]
    told = Counter(run for run, _ in found)
    return {run: (kind, told[run]) for run, kind in found}
