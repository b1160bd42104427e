"""How a kernel finds its own server, and no other."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from jupyter_streamchat import Chat, RelayNotFound, discovery
from jupyter_streamchat.connect import PLACE_VARIABLE
from jupyter_streamchat.discovery import DOOR_VARIABLE, find, read_door
from tests.api.conftest import KERNEL
from tests.api.fake_relay import CAPABILITY, FakeRelay


def write_door(path: Path, **fields: Any) -> Path:
    door = {"url": "http://127.0.0.1:9", "capability": "secret", "pid": os.getpid(), **fields}
    path.write_text(json.dumps(door), "utf-8")
    path.chmod(0o600)
    return path


def dead_pid() -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


async def test_the_door_that_the_environment_names_is_asked_first(
    relay: FakeRelay, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    found = await find(
        KERNEL, environ={DOOR_VARIABLE: str(relay.path)}, runtime_dir=elsewhere, parent=-1
    )
    assert found is not None
    assert found.url.endswith(f"/streamchat/ws?kernel_id={KERNEL}")
    assert found.headers == {"Authorization": f"streamchat {CAPABILITY}"}


async def test_a_scrubbed_environment_and_a_wrapped_kernel_still_find_it(
    relay: FakeRelay, tmp_path: Path
) -> None:
    assert await find(KERNEL, environ={}, runtime_dir=tmp_path, parent=-1) is not None


async def test_of_two_servers_the_one_that_runs_the_kernel_is_taken(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with FakeRelay(tmp_path / "one", "other") as other, FakeRelay(tmp_path / "two", KERNEL) as own:
        for number, fake in enumerate((other, own)):
            (tmp_path / f"streamchat-{number}.json").write_bytes(fake.path.read_bytes())
            (tmp_path / f"streamchat-{number}.json").chmod(0o600)
        # Even when the environment was inherited from the other one.
        found = await find(
            KERNEL, environ={DOOR_VARIABLE: str(other.path)}, runtime_dir=tmp_path, parent=-1
        )
        assert found is not None
        door = read_door(own.path)
        assert door is not None
        assert found.url.startswith(door.url.replace("http", "ws"))
        assert other.probes == [KERNEL]


async def test_what_is_no_live_door_is_passed_over(relay: FakeRelay, tmp_path: Path) -> None:
    write_door(tmp_path / "streamchat-0.json", pid=dead_pid())
    (tmp_path / "streamchat-00.json").write_text("{", "utf-8")
    (tmp_path / "streamchat-000.json").write_text('{"url": 1}', "utf-8")
    (tmp_path / "streamchat-0000.json").mkdir()
    write_door(tmp_path / "streamchat-a.json", url="http://127.0.0.1:99999999")
    unreadable = write_door(tmp_path / "streamchat-b.json")
    unreadable.chmod(0)
    gone = {DOOR_VARIABLE: str(tmp_path / "gone.json")}
    assert await find(KERNEL, environ=gone, runtime_dir=tmp_path, parent=-1) is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "http://192.0.2.1:80"},
        {"url": "https://127.0.0.1:80"},
        {"url": "file:///etc/passwd"},
        {"pid": 0},
        {"pid": -1},
    ],
)
def test_a_door_elsewhere_is_no_door(tmp_path: Path, fields: dict[str, Any]) -> None:
    assert read_door(write_door(tmp_path / "streamchat-1.json", **fields)) is None


def test_a_file_that_others_may_write_is_not_trusted(tmp_path: Path) -> None:
    path = write_door(tmp_path / "streamchat-1.json")
    assert read_door(path) is not None
    path.chmod(0o666)
    assert read_door(path) is None


def test_the_capability_is_in_no_repr(tmp_path: Path) -> None:
    door = read_door(write_door(tmp_path / "streamchat-1.json", capability="hush"))
    assert door is not None
    assert "hush" not in repr(door) + repr(discovery.address(door, KERNEL))


async def test_a_door_that_never_answers_is_given_up_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "PROBE_TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        write_door(tmp_path / "streamchat-1.json", url=f"http://127.0.0.1:{port}")
        assert await find(KERNEL, environ={}, runtime_dir=tmp_path, parent=-1) is None


def test_where_only_a_servers_relay_will_do_the_error_says_what_to_install(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PLACE_VARIABLE, "server")
    chat = Chat()
    with pytest.raises(RelayNotFound, match=r"pip install jupyter-streamchat.*restart"):
        chat.send("hi")
    with pytest.raises(RelayNotFound):
        _ = chat.messages
    with pytest.raises(RelayNotFound):
        chat.models()


def test_outside_of_a_kernel_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLACE_VARIABLE, "server")
    monkeypatch.setattr(discovery, "kernel_id", lambda: None)
    with pytest.raises(RelayNotFound, match=r"not a kernel of a Jupyter server.*open the notebook"):
        Chat().send("hi")


def test_outside_of_a_kernel_there_is_no_kernel_id() -> None:
    assert discovery.kernel_id() is None
