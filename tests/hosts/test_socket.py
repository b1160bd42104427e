"""The relay in a real Jupyter server, over real sockets, with the demo model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from streamchat_relay.hosts.transport import text_frame
from tests.fakes.jupyter import JupyterServer


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 200_000])
def test_our_frame_headers_are_those_of_the_standard(size: int) -> None:
    payload = b"x" * size
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


async def test_a_prompt_streams_to_its_end(jupyter: JupyterServer) -> None:
    async with await jupyter.socket() as socket:
        await socket.ask(type="open", conversation="stream-1")
        await socket.prompt("stream-1", "stream-r1", "Repeat these words", model="demo/echo")
        end = await socket.until_event("finish", "abort", "error")
        assert end["type"] == "finish"
        assert "Repeat these words" in socket.text
        assert end["timing"]["ttft_ms"] <= end["timing"]["total_ms"]
        live = [frame for frame in socket.frames if frame["type"] == "events"]
        assert [frame["from"] for frame in live] == list(range(1, len(live) + 1))
        assert all(frame["from"] == frame["to"] for frame in live)


async def test_every_socket_that_follows_a_conversation_gets_the_same(
    jupyter: JupyterServer,
) -> None:
    async with await jupyter.socket() as one, await jupyter.socket() as two:
        for socket in (one, two):
            await socket.ask(type="open", conversation="two-tabs")
        await one.prompt("two-tabs", "two-r1", "Say it to both", model="demo/echo")
        await one.until_event("finish")
        await two.until_event("finish")
        assert one.text == two.text != ""


async def test_stop_from_another_tab_ends_the_run_for_both(jupyter: JupyterServer) -> None:
    async with await jupyter.socket() as one, await jupyter.socket() as two:
        for socket in (one, two):
            await socket.ask(type="open", conversation="stop-tabs")
        await one.prompt("stop-tabs", "stop-r1", "Go on", model="demo/slow")
        await two.until_event("text-delta")
        assert (await two.ask(type="stop", run="stop-r1"))["state"] in {"stopping", "interrupted"}
        for socket in (one, two):
            assert (await socket.until_event("abort"))["reason"] == "user"


async def test_a_bad_frame_hurts_only_its_own_socket(jupyter: JupyterServer) -> None:
    async with await jupyter.socket() as bystander:
        for text, code in (
            ("[" * 100_000, 4400),
            ("no JSON", 4400),
            (b"\x00binary", 4400),
            ('{"type":"ping","t":"' + "x" * 11 * 1024 * 1024 + '"}', 1009),
        ):
            bad = await jupyter.socket()
            with pytest.raises(ConnectionClosed):
                await bad.connection.send(text)
                await bad.until(lambda _: False)
            assert bad.connection.close_code == code
        await bystander.say(type="ping", t=5)
        assert (await bystander.until(lambda frame: frame["type"] == "pong"))["t"] == 5


async def test_wrong_types_and_unknown_types_are_answered(jupyter: JupyterServer) -> None:
    async with await jupyter.socket() as socket:
        for frame in (
            {"type": "dance", "id": "a"},
            {"type": "send", "id": "b", "conversation": 7},
            {"type": "open", "id": "c", "conversation": "../../etc"},
        ):
            answer = await socket.ask(**frame)
            assert (answer["type"], answer["error"]["code"]) == ("fail", "bad_request")


async def test_conversations_survive_a_restart_and_cursors_stay_good(tmp_path: Path) -> None:
    with JupyterServer(tmp_path) as server:
        async with await server.socket() as socket:
            first = await socket.ask(type="open", conversation="c1")
            await socket.prompt("c1", "r1", "Remember me", model="demo/echo")
            await socket.until_event("finish")
            head = socket.frames[-1]["to"]
        server.restart()
        async with await server.socket() as socket:
            again = await socket.ask(
                type="open", conversation="c1", after=head - 1, epoch=first["epoch"]
            )
            assert (again["epoch"], again["head"]) == (first["epoch"], head)
            assert (await socket.until_event("finish"))["run"] == "r1"
            whole = await socket.ask(type="open", conversation="c1")
            snapshot = await socket.until(lambda frame: frame["type"] == "snapshot")
            assert whole["head"] == snapshot["seq"]
            assert "Remember me" in json.dumps(snapshot["state"])
        database = tmp_path / "data" / "streamchat" / "conversations.sqlite3"
        assert database.stat().st_mode & 0o777 == 0o600


async def test_a_server_that_stops_says_goodbye_and_keeps_what_came(tmp_path: Path) -> None:
    with JupyterServer(tmp_path) as server:
        socket = await server.socket()
        await socket.ask(type="open", conversation="c1")
        await socket.prompt("c1", "r1", "Go on", model="demo/slow")
        await socket.until_event("text-delta")
        server.stop()
        assert (await socket.until_event("abort"))["reason"] == "server_lost"
        bye = await socket.until(lambda frame: frame["type"] == "bye")
        assert bye["error"]["retryable"]
        came = socket.text
        server.start()
        async with await server.socket() as again:
            await again.ask(type="open", conversation="c1", after=0)
            await again.until_event("abort")
            assert again.text == came


async def test_a_server_that_is_killed_ends_the_run_as_lost_in_a_new_epoch(tmp_path: Path) -> None:
    with JupyterServer(tmp_path) as server:
        socket = await server.socket()
        first = await socket.ask(type="open", conversation="c1")
        await socket.prompt("c1", "r1", "Go on", model="demo/slow")
        await socket.until_event("text-delta")
        # Another load comes after every append before it, so the start of the run is on disk.
        await socket.ask(type="stop", run="nothing")
        server.kill()
        server.start()
        async with await server.socket() as again:
            opened = await again.ask(type="open", conversation="c1", after=1, epoch=first["epoch"])
            assert opened["epoch"] != first["epoch"]
            snapshot = await again.until(lambda frame: frame["type"] == "snapshot")
            assert snapshot["state"]["runs"]["r1"]["abort_reason"] == "server_lost"
            assert snapshot["state"]["messages"][0]["parts"][0]["text"] == "Go on"


async def test_the_open_files_of_the_server_are_private(jupyter: JupyterServer) -> None:
    assert [
        path.name
        for path in jupyter.runtime_dir.iterdir()
        if path.name.startswith("streamchat-") and path.stat().st_mode & 0o077
    ] == []
