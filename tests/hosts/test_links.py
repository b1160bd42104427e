"""Links: a dead one is found, and one that is idle behind a real nginx stays, and streams.

Where a proxy waits for 60 seconds and the server pings after 15, here all is twenty times as fast.
"""

from __future__ import annotations

import asyncio
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamchat_relay.hosts.websocket import PING_S, PONG_S
from streamchat_relay.protocol.frames import HEARTBEAT_S
from tests.fakes.jupyter import JupyterServer, RelaySocket
from tests.fakes.nginx import Nginx
from tests.fakes.provider_server import Answer, Gate, ProviderServer
from tests.fakes.raw_socket import CLOSE, PING, TEXT, RawSocket
from tests.hosts.kit import Run, soon

FASTER = 20
PROXY_S = 60.0
FAREWELL_S = 5.0
"""That tornado waits for the other side's close."""

PROGRAM = f"""
from streamchat_relay.hosts import websocket
websocket.PING_S /= {FASTER}
websocket.PONG_S /= {FASTER}
from jupyter_server.serverapp import main
main()
"""


@pytest.fixture(scope="module")
def fast(
    upstream: ProviderServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JupyterServer]:
    with JupyterServer(
        tmp_path_factory.mktemp("links"),
        environ={"OPENAI_BASE_URL": upstream.openai_url, "OPENAI_API_KEY": "sk-none"},
        command=[sys.executable, "-c", PROGRAM],
    ) as server:
        yield server


class Mute:
    """A server that agrees to speak WebSocket, and then never says a word."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        await reader.read()
        self.closed.set()
        writer.close()


def through(fast: JupyterServer, proxy: Nginx) -> str:
    return fast.ws_url.replace(str(fast.port), str(proxy.port))


def test_both_ends_find_a_dead_link_within_35_seconds_and_ping_before_a_proxy_gives_up() -> None:
    assert PING_S + PONG_S + FAREWELL_S <= 35
    assert 2 * HEARTBEAT_S <= 35
    assert 2 * max(PING_S, HEARTBEAT_S) <= PROXY_S


async def test_who_answers_no_ping_is_given_up_and_its_run_goes_on(
    fast: JupyterServer, upstream: ProviderServer
) -> None:
    gate = Gate(2)
    upstream.answers.append(Answer(deltas=["before ", "after"], gate=gate))
    async with await RawSocket.open(fast) as dead, await fast.socket() as alive:
        run = Run(alive, "openai/fake-1")
        dead.say(type="open", id="o", conversation=run.conversation)
        await run.send()
        await run.until("text-delta")
        kinds = []
        while CLOSE not in kinds:
            kinds.append((await soon(dead.frame()))[0])
        # Whether the first words come before the ping or behind it is the machine's affair.
        assert TEXT in kinds
        assert [kind for kind in kinds if kind != TEXT] == [PING, CLOSE]
        gate.open()
        assert (await run.end())["type"] == "finish"


async def test_an_idle_link_outlives_a_proxys_patience(fast: JupyterServer, tmp_path: Path) -> None:
    mute = Mute()
    server = await asyncio.start_server(mute.handle, "127.0.0.1", 0)
    with Nginx(
        tmp_path / "nginx",
        to=fast.port,
        read_timeout_s=PROXY_S / FASTER,
        mute=server.sockets[0].getsockname()[1],
    ) as proxy:
        async with await fast.socket(url=through(fast, proxy), ping_interval=None) as idle:
            # Another link that came later and is as silent, but to a server that does not ping.
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(
                b"GET /mute HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                b"Connection: upgrade\r\n\r\n"
            )
            assert await soon(reader.readuntil(b"\r\n\r\n"))
            assert await soon(reader.read()) == b""
            await soon(mute.closed.wait())
            await idle.say(type="ping", t=7)
            assert (await soon(idle.until(lambda frame: frame["type"] == "pong")))["t"] == 7
            writer.close()
    server.close()
    await asyncio.sleep(0)


def cookie_at(origin: str, token: str) -> str:
    """A browser logs in where it sees the server, and the cookie is named after that place."""
    with urllib.request.urlopen(f"{origin}/api/me?token={token}") as answer:
        cookies = answer.headers.get_all("Set-Cookie") or []
    return "; ".join(one.partition(";")[0] for one in cookies)


async def test_through_a_proxy_that_buffers_and_compresses_each_token_comes_at_once(
    fast: JupyterServer, upstream: ProviderServer, tmp_path: Path
) -> None:
    gate = Gate(1)
    deltas = [f"{number} " for number in range(20)]
    upstream.answers.append(Answer(deltas=deltas, gate=gate))
    with Nginx(tmp_path / "nginx", to=fast.port, read_timeout_s=PROXY_S) as proxy:
        own = f"http://127.0.0.1:{proxy.port}"
        cookie = {"Cookie": cookie_at(own, fast.token)}
        async with await fast.socket(
            url=through(fast, proxy), additional_headers=cookie, origin=own, compression="deflate"
        ) as socket:
            run = await begun(socket)
            for number, delta in enumerate(deltas, 1):
                gate.release()
                assert (await run.until("text-delta", count=number))["delta"] == delta
            gate.open()
            assert (await run.end())["type"] == "finish"


async def begun(socket: RelaySocket) -> Run:
    run = Run(socket, "openai/fake-1")
    assert (await run.send())["type"] == "ok"
    return run
