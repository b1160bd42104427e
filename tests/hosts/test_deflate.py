"""Compression for browsers that offer it: fewer bytes, the same words, little memory."""

from __future__ import annotations

import json
import tracemalloc
import zlib

import pytest
from tornado.httputil import HTTPHeaders

from streamchat_relay.hosts.deflate import Deflate, SmallDeflate
from tests.fakes.jupyter import JupyterServer

EXTENSIONS = "Sec-WebSocket-Extensions"


def events(many: int) -> list[bytes]:
    """Frames of one answer, as they go out."""
    return [
        b'{"type":"events","conversation":"4f1e6c1d","epoch":"12ab34cd","from":%d,"to":%d,"events":'
        b'[{"type":"text-delta","run":"8f1e6c1d","t":%d,"part":"1","delta":"word"}]}' % (n, n, n)
        for n in range(many)
    ]


def test_what_is_compressed_reads_as_it_was() -> None:
    deflate, inflate = Deflate(), zlib.decompressobj(-10)
    frames = [*events(300), b"", b"x" * 100_000, "…".encode() * 1000]
    compressed = list(map(deflate, frames))
    assert [inflate.decompress(one + b"\0\0\xff\xff") for one in compressed] == frames


def test_an_answer_of_8_kb_takes_less_than_100_kb() -> None:
    deflate = Deflate()
    assert sum(len(deflate(one)) + 2 for one in events(2048)) < 100_000


def test_a_silent_socket_holds_no_window_and_a_speaking_one_a_small_one() -> None:
    tracemalloc.start()
    try:
        silent = [Deflate() for _ in range(100)]
        held = tracemalloc.get_traced_memory()[0]
        assert held < 100 * 200
        for one in silent:
            one(b"{}")
        assert tracemalloc.get_traced_memory()[0] - held < 100 * 12_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("offer", "taken"),
    [
        ("permessage-deflate", True),
        ("permessage-deflate; client_max_window_bits", True),
        ("permessage-deflate; server_max_window_bits=12", True),
        ("permessage-deflate; server_max_window_bits=9", False),
        ("permessage-deflate; server_max_window_bits=nine", False),
        ("permessage-deflate; server_no_context_takeover", False),
        ("permessage-deflate; server_no_context_takeover, permessage-deflate", True),
        ("x-webkit-deflate-frame", True),
    ],
)
def test_an_offer_that_we_cannot_keep_is_passed_over(offer: str, taken: bool) -> None:
    protocol = SmallDeflate.__new__(SmallDeflate)
    left = protocol._parse_extensions_header(HTTPHeaders({EXTENSIONS: offer}))
    assert bool(left) is taken


async def test_a_browser_that_offers_it_gets_an_answer_whole(jupyter: JupyterServer) -> None:
    async with await jupyter.socket(compression="deflate") as socket:
        response = socket.connection.response
        assert response is not None
        assert response.headers[EXTENSIONS] == "permessage-deflate; client_no_context_takeover"
        await socket.ask(type="open", conversation="deflate-1")
        words = "Repeat these words " * 200
        await socket.prompt("deflate-1", "deflate-r1", words, model="demo/echo")
        await socket.until_event("finish")
        assert words.strip() in socket.text


async def test_a_small_frame_that_unpacks_into_too_much_closes_its_socket(
    jupyter: JupyterServer,
) -> None:
    async with await jupyter.socket(compression="deflate") as socket:
        await socket.connection.send(json.dumps({"type": "ping", "t": 1, "x": "x" * 11 * 2**20}))
        await socket.connection.wait_closed()
        assert socket.connection.close_code == 1009
