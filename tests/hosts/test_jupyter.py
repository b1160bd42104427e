"""The extension's life in a Jupyter server: a start that goes wrong is told, and stays small."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.jupyter import JupyterServer


async def test_a_database_that_cannot_be_opened_is_told_in_the_chat_and_the_server_goes_on(
    tmp_path: Path,
) -> None:
    database = tmp_path / "db.sqlite3"
    database.mkdir()
    with JupyterServer(tmp_path, config={"StreamChat": {"database": str(database)}}) as server:
        assert server.get("api/contents")["type"] == "directory"
        async with await server.socket() as socket:
            for frame in (
                {"type": "open", "conversation": "c1"},
                {
                    "type": "send",
                    "conversation": "c1",
                    "run": "r1",
                    "message": {"parts": [{"type": "text", "text": "hi"}]},
                },
                {"type": "stop", "run": "r1"},
            ):
                answer = await socket.ask(**frame)
                assert answer["error"]["code"] == "internal"
                assert str(database) in answer["error"]["message"]
                assert "c.StreamChat.database" in answer["error"]["message"]
        server.stop()
        assert "c.StreamChat.database" in server.log
        assert "Traceback" not in server.log


async def test_a_database_that_cannot_be_read_is_moved_aside_and_the_chat_goes_on(
    tmp_path: Path,
) -> None:
    database = tmp_path / "db.sqlite3"
    database.write_bytes(b"This is not a database. " * 100)
    with JupyterServer(tmp_path, config={"StreamChat": {"database": str(database)}}) as server:
        async with await server.socket() as socket:
            assert (await socket.ask(type="open", conversation="c1"))["type"] == "ok"
        server.stop()
        (aside,) = tmp_path.glob("db.sqlite3.unread-*")
        assert str(aside) in server.log
        assert "Traceback" not in server.log
    assert aside.read_bytes() == b"This is not a database. " * 100


def test_an_extension_that_failed_at_its_start_does_not_disturb_the_servers_end(
    tmp_path: Path,
) -> None:
    (tmp_path / "broken.py").write_text(
        "import streamchat_relay.hosts.jupyter as host\n"
        "def fail(*args, **kwargs):\n"
        "    raise RuntimeError('cannot listen')\n"
        "host.Door = fail\n"
        "def _jupyter_server_extension_points():\n"
        "    return [{'module': 'broken'}]\n"
        "def _load_jupyter_server_extension(server):\n"
        "    pass\n"
    )
    with JupyterServer(
        tmp_path,
        config={"ServerApp": {"jpserver_extensions": {"broken": True}}},
        environ={"PYTHONPATH": str(tmp_path)},
    ) as server:
        assert server.get("api/contents")["type"] == "directory"
        assert "cannot listen" in server.log
        before = len(server.log)
        server.stop()
        assert "Traceback" not in server.log[before:]
        assert "AttributeError" not in server.log


async def test_without_a_place_for_the_side_doors_file_the_widget_still_works(
    tmp_path: Path,
) -> None:
    with JupyterServer(tmp_path) as server:
        pid_file = next(server.runtime_dir.glob("streamchat-*.json"))
    (tmp_path / "sitecustomize.py").write_text(
        "import os, pathlib\n"
        f"where = pathlib.Path({str(pid_file.parent)!r}, f'streamchat-{{os.getpid()}}.json')\n"
        "where.mkdir(parents=True, exist_ok=True)\n"
    )
    with JupyterServer(tmp_path, environ={"PYTHONPATH": str(tmp_path)}) as server:
        async with await server.socket() as socket:
            assert (await socket.ask(type="open", conversation="c1"))["head"] == 0
        assert "cannot be written" in server.log
        server.stop()
        assert "Traceback" not in server.log
