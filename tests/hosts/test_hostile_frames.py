"""What a client may send that no good one does: it hurts at most its own socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.fakes.jupyter import JupyterServer
from tests.fakes.provider_server import Answer, Gate, ProviderServer
from tests.fakes.raw_socket import BINARY, CLOSE, PING, RawSocket, frame_bytes
from tests.hosts.kit import Run, soon

MIB = 1024 * 1024
HEADS = 1
"""Writes of the provider before its first delta."""


class Neighbour:
    """Another socket of the same server, with an answer that goes on delta by delta."""

    def __init__(self, run: Run, gate: Gate) -> None:
        self._run = run
        self._gate = gate
        self._count = 0

    async def goes_on(self) -> None:
        """Its next delta comes."""
        self._gate.release()
        self._count += 1
        event = await self._run.until("text-delta", count=self._count)
        assert event["delta"] == f"{self._count} "


@pytest.fixture
async def neighbour(hosted: JupyterServer, upstream: ProviderServer) -> AsyncIterator[Neighbour]:
    gate = Gate(HEADS)
    upstream.answers.append(Answer(deltas=[f"{n} " for n in range(1, 1000)], gate=gate))
    async with await hosted.socket() as socket:
        run = Run(socket, "openai/fake-1")
        await run.send()
        yield Neighbour(run, gate)
        await socket.ask(type="stop", run=run.id)
        await run.end()


def ping(size: int) -> bytes:
    """A good frame of this size."""
    return b'{"type":"ping","t":1,"x":"' + b"x" * (size - 28) + b'"}'


DEEP = b"[" * 100_000
# Who closes with bytes unread resets, and that may overtake the code.
TOO_LARGE: set[int | None] = {1009, None}
CLOSED: dict[str, tuple[bytes, set[int | None]]] = {
    "lists 10^5 deep": (frame_bytes(DEEP), {4400}),
    "objects 10^5 deep": (frame_bytes(b'{"a":' * 100_000), {4400}),
    "a ping with lists 10^5 deep": (
        frame_bytes(b'{"type":"ping","t":1,"x":' + DEEP + b"]" * 100_000 + b"}"),
        {4400},
    ),
    "11 MiB": (frame_bytes(ping(11 * MIB)), {1009}),
    "11 MiB of three bytes each": (frame_bytes("\u20ac".encode() * (11 * MIB // 3)), {1009}),
    "11 MiB in fragments": (
        frame_bytes(ping(11 * MIB)[:MIB], fin=False)
        + b"".join(frame_bytes(b"x" * MIB, 0, fin=number == 9) for number in range(10)),
        {1009},
    ),
    "21 MiB": (frame_bytes(ping(21 * MIB)), TOO_LARGE),
    "fragments without an end": (
        b"".join(frame_bytes(b"x" * MIB, number == 0, fin=False) for number in range(21)),
        TOO_LARGE,
    ),
    "11 MiB, and more frames": (
        frame_bytes(ping(11 * MIB)) + frame_bytes(ping(40)) * 100,
        {1009},
    ),
    "a frame that says it has 2^62 bytes": (b"\x81\xff" + (2**62).to_bytes(8, "big"), TOO_LARGE),
    "no JSON": (frame_bytes(b"hello"), {4400}),
    "a list": (frame_bytes(b"[]"), {4400}),
    "nothing": (frame_bytes(b""), {4400}),
    "two objects": (frame_bytes(b"{}{}"), {4400}),
    "NaN": (frame_bytes(b'{"type":"ping","t":NaN}'), {4400}),
    "a byte order mark": (frame_bytes(b'\xef\xbb\xbf{"type":"ping","t":1}'), {4400}),
    "text that is not UTF-8": (frame_bytes(b'{"type":"\xff"}'), {None, 1007}),
    "a binary frame": (frame_bytes(b'{"type":"ping","t":1}', BINARY), {4400}),
    "reserved bits": (frame_bytes(ping(40), rsv=7), {None, 1002}),
    "an opcode that is none": (frame_bytes(b"x", 7), {None, 1002}),
    "a continuation of nothing": (frame_bytes(b"x", 0), {None, 1002}),
    "a ping of 200 bytes": (frame_bytes(b"x" * 200, PING), {None, 1002}),
    "a ping in fragments": (frame_bytes(b"x", PING, fin=False), {None, 1002}),
    "a text within a text": (frame_bytes(b"{", fin=False) + frame_bytes(b"{}"), {None, 1002}),
    "a close with a code that is none": (frame_bytes(b"\x00\x01", CLOSE), {None, 1, 1002}),
    "a close of one byte": (frame_bytes(b"\x03", CLOSE), {None, 1002}),
    "noise": (b"\xde\xad\xbe\xef" * 1000, {None, 1002, 1009}),
}


@pytest.mark.parametrize("case", CLOSED)
async def test_what_is_no_frame_closes_its_own_socket_while_a_neighbour_streams_on(
    hosted: JupyterServer, neighbour: Neighbour, case: str
) -> None:
    data, codes = CLOSED[case]
    async with await RawSocket.open(hosted) as raw:
        raw.send(data)
        await neighbour.goes_on()
        assert await soon(raw.close_code()) in codes
    await neighbour.goes_on()
    assert "Traceback" not in hosted.log


def request(kind: str = "open", **fields: Any) -> str:
    return json.dumps({"type": kind, "id": "q", "conversation": "hostile", **fields})


def send(**fields: Any) -> str:
    message = {"parts": [{"type": "text", "text": "hi"}]}
    return request(
        "send", **{"run": "never", "model": "openai/fake-1", "message": message, **fields}
    )


BAD, CURSOR = "bad_request", "bad_cursor"
REFUSED: dict[str, tuple[str, str, str | None]] = {
    "no type": ('{"id":"q"}', BAD, "q"),
    "a type that is a number": ('{"type":5,"id":"q"}', BAD, "q"),
    "a type of 9 MiB": (json.dumps({"type": "z" * 9 * MIB, "id": "q"}), BAD, "q"),
    "an unknown type with 10^6 objects": (
        '{"type":"dance","id":"q","x":[' + "{}," * 10**6 + "{}]}", BAD, "q"
    ),
    "a frame of the server": (request("events"), BAD, "q"),
    "a second hello": ('{"type":"hello","client":"x","id":"q"}', BAD, None),
    "the type twice": ('{"type":"ping","type":"pong","id":"q","t":1}', BAD, "q"),
    "an id of 9 MiB": (request(id="i" * 9 * MIB), BAD, None),
    "an id that is a number": (request(id=5), BAD, None),
    "an id with a line feed": (request(id="q\n"), BAD, "q\n"),
    "a path for a conversation": (request(conversation="../../etc"), BAD, "q"),
    "a conversation of 65": (request(conversation="c" * 65), BAD, "q"),
    "half a character": ('{"type":"models","id":"q\\ud83d"}', BAD, None),
    "1e999": ('{"type":"ping","id":"q","t":1e999}', BAD, "q"),
    "an integer of 5,000 digits": ('{"type":"ping","id":"q","t":' + "9" * 5000 + "}", BAD, "q"),
    "a negative ack": (request("ack", seq=-1), BAD, "q"),
    "an ack of a half": (request("ack", seq=0.5), BAD, "q"),
    "open beyond the head": (request(after=1), CURSOR, "q"),
    "open below zero": (request(after=-1), CURSOR, "q"),
    "open after 2^70": (request(after=2**70), CURSOR, "q"),
    "open after a half": (request(after=0.5), CURSOR, "q"),
    "open after a text": (request(after="0"), CURSOR, "q"),
    "open after 1e999": (request(after=7).replace("7", "1e999"), CURSOR, "q"),
    "an epoch that is a number": (request(after=0, epoch=1), CURSOR, "q"),
    "a prompt without parts": (send(message={"parts": []}), BAD, "q"),
    "a prompt of spaces": (send(message={"parts": [{"type": "text", "text": " \n"}]}), BAD, "q"),
    "a part of no type": (send(message={"parts": [{"type": "exe"}]}), BAD, "q"),
    "an answer to nothing": (send(message=None), BAD, "q"),
    "a parent that is not there": (send(parent="p" * MIB), BAD, "q"),
    "a model of 5,000": (send(model="openai/" + "m" * 5000), BAD, "q"),
    "a provider that is an address": (send(model="http://127.0.0.1:1/x"), "model_unknown", "q"),
    "a model without a name": (send(model="/"), "model_unknown", "q"),
    "parameters in a list": (send(params=[]), BAD, "q"),
    "parameters 900 deep": (
        send(params={"a": 7}).replace("7", "[" * 900 + "]" * 900), BAD, "q"
    ),
    "a stop of nothing": ('{"type":"stop","id":"q","run":"never"}', "not_found", "q"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
async def test_a_request_that_cannot_be_carried_out_is_refused_and_its_socket_goes_on(
    hosted: JupyterServer, upstream: ProviderServer, case: str
) -> None:
    text, code, frame_id = REFUSED[case]
    calls = len(upstream.calls)
    async with await hosted.socket() as socket:
        await socket.connection.send(text)
        answer = await soon(socket.until(lambda frame: frame["type"] in {"fail", "ok"}))
        assert (answer["type"], answer.get("id")) == ("fail", frame_id)
        assert answer["error"]["code"] == code
        assert len(json.dumps(answer)) < 1000
        await socket.say(type="ping", t=2)
        assert (await soon(socket.until(lambda frame: frame["type"] == "pong")))["t"] == 2
        opened = await socket.ask(type="open", conversation="hostile")
        assert opened["head"] == 0
    assert len(upstream.calls) == calls
    assert "Traceback" not in hosted.log


IGNORED = {
    "unknown fields": '{"type":"ping","t":1,"__proto__":{"x":1},"constructor":{"name":"x"}}',
    "a key twice": '{"type":"ping","t":1,"t":2}',
    "a pong that nobody asked for": '{"type":"pong","t":1}',
    "an ack beyond the head": '{"type":"ack","conversation":"followed","seq":99999}',
    "an ack of 2^80": json.dumps({"type": "ack", "conversation": "followed", "seq": 2**80}),
    "an ack of what is not open": '{"type":"ack","conversation":"elsewhere","seq":1}',
    "a ping of 9 MiB": ping(9 * MIB).decode(),
}


@pytest.mark.parametrize("case", IGNORED)
async def test_what_is_odd_and_harmless_changes_nothing(hosted: JupyterServer, case: str) -> None:
    async with await hosted.socket() as socket:
        await socket.ask(type="open", conversation="followed")
        await socket.connection.send(IGNORED[case])
        opened = await soon(socket.ask(type="open", conversation="followed"))
        assert opened["type"] == "ok"
        assert not [frame for frame in socket.frames if frame["type"] == "fail"]


async def test_before_hello_everything_is_refused(hosted: JupyterServer) -> None:
    async with await hosted.socket(hello=False) as socket:
        for text in (send(), request(), '{"type":"ping","t":1}', '{"type":"models","id":"q"}'):
            await socket.connection.send(text)
            answer = await soon(socket.until(lambda _: True))
            assert (answer["type"], answer["error"]["code"]) == ("fail", BAD)
        await socket.say(type="hello", client="late/1")
        assert (await soon(socket.until(lambda _: True)))["type"] == "welcome"


async def test_a_flood_is_cut_off_while_a_neighbour_streams_on(jupyter: JupyterServer) -> None:
    async with await jupyter.socket() as bystander, await RawSocket.open(jupyter) as flooding:
        await bystander.ask(type="open", conversation="flood")
        await bystander.prompt("flood", "flood-run", "Go on", model="demo/slow")
        flooding.send(frame_bytes(b'{"type":"pong","t":1}') * 10_000)
        assert await soon(flooding.close_code()) in {4429, None}
        seen = len(bystander.text)
        while len(bystander.text) == seen:
            await soon(bystander.until_event("text-delta"))
        await bystander.ask(type="stop", run="flood-run")


async def test_who_leaves_in_the_middle_of_a_frame_is_forgotten(
    hosted: JupyterServer, neighbour: Neighbour
) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(20):
            raw = await stack.enter_async_context(await RawSocket.open(hosted))
            raw.send(frame_bytes(ping(100_000))[:50_000])
        await neighbour.goes_on()
    await neighbour.goes_on()
    assert "Traceback" not in hosted.log
