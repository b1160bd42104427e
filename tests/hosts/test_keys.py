"""Where a real server takes its keys from, and whom it lets see them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streamchat_relay.hosts.secrecy import hide_keys
from tests.api.kernel import RunningKernel
from tests.fakes.jupyter import JupyterServer
from tests.fakes.provider_server import ProviderServer, running_provider_server
from tests.hosts.kit import Run, written_by

MARK = "s3cr3t"


def key(place: str, provider: str) -> str:
    return f"sk-{MARK}-{place}-{provider}-0123456789"


@pytest.fixture
def provider() -> Iterator[ProviderServer]:
    with running_provider_server() as server:
        yield server


def write_keys(directory: Path, text: str, mode: int = 0o600) -> Path:
    path = directory / "config" / "streamchat_keys.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def key_seen(provider: ProviderServer) -> str:
    """The key that came with the latest generation."""
    headers = provider.calls[-1].headers
    return headers.get("x-api-key") or headers["authorization"].removeprefix("Bearer ")


async def test_configuration_beats_the_environment_which_beats_the_file(
    tmp_path: Path, provider: ProviderServer
) -> None:
    everywhere = ("openai", "anthropic", "gemini", "lab")
    path = write_keys(tmp_path, json.dumps({name: key("file", name) for name in everywhere}))
    lab = {"base_url": provider.openai_url, "key_variable": "LAB_KEY", "key": key("entry", "lab")}
    with JupyterServer(
        tmp_path,
        # JupyterLab's extension writes the configuration into the log.
        front_ends=True,
        config={
            "ServerApp": {"log_level": 10},
            "StreamChat": {
                "keys": {"openai": key("config", "openai")},
                "providers": {"lab": {**lab, "headers": {"X-Token": key("header", "lab")}}},
            },
        },
        environ={
            "OPENAI_BASE_URL": provider.openai_url,
            "ANTHROPIC_BASE_URL": provider.anthropic_url,
            "GEMINI_BASE_URL": provider.openai_url,
            "OPENAI_API_KEY": key("environ", "openai"),
            "ANTHROPIC_API_KEY": key("environ", "anthropic"),
            "LAB_KEY": key("environ", "lab"),
        },
    ) as server:
        async with await server.socket() as socket:
            seen = {}
            for name in everywhere:
                end = await Run(socket, f"{name}/fake-1").answer()
                assert end["type"] == "finish", end
                seen[name] = key_seen(provider)
            assert seen == {
                "openai": key("config", "openai"),
                "anthropic": key("environ", "anthropic"),
                "gemini": key("file", "gemini"),
                "lab": key("entry", "lab"),
            }
            assert provider.calls[-1].headers["x-token"] == key("header", "lab")

            # What only the file knows hangs on its mode; the others go on.
            path.chmod(0o640)
            error = (await Run(socket, "gemini/fake-1").answer())["error"]
            assert error["code"] == "provider_auth"
            assert "can be read by others" in error["message"]
            assert f"chmod 600 {path}" in error["message"]
            assert (await Run(socket, "openai/fake-1").answer())["type"] == "finish"
            problems = (await socket.ask(type="models"))["problems"]
            assert any("chmod 600" in problem["message"] for problem in problems)

            # A new key needs no restart.
            write_keys(tmp_path, json.dumps({"gemini": key("new", "gemini")}))
            assert (await Run(socket, "gemini/fake-1").answer())["type"] == "finish"
            assert key_seen(provider) == key("new", "gemini")
            write_keys(tmp_path, "gemini: no JSON")
            error = (await Run(socket, "gemini/fake-1").answer())["error"]
            assert "is not a JSON object" in error["message"]
            assert MARK not in json.dumps(socket.frames)
        server.stop()
        # At DEBUG, Jupyter writes its whole configuration into the log.
        assert "'StreamChat': {'keys': {'openai': '…'}" in server.log
        assert MARK.encode() not in written_by(server)


# Backwards, because the kernel keeps what it is asked in its history.
LOOK = (
    "import os, json\n"
    "print(json.dumps(sorted(name for name, value in os.environ.items()"
    f" if {MARK[::-1]!r}[::-1] in value)))"
)
VARIABLES = {
    "OPENAI_API_KEY": key("environ", "openai"),
    "ANTHROPIC_API_KEY": key("environ", "anthropic"),
    "LAB_KEY": key("environ", "lab"),
}


@pytest.mark.parametrize("hidden", [True, False], ids=["hidden", "inherited"])
def test_kernels_inherit_keys_unless_they_are_hidden_and_prompts_work_either_way(
    tmp_path: Path, provider: ProviderServer, hidden: bool
) -> None:
    with JupyterServer(
        tmp_path,
        config={
            "ServerApp": {"log_level": 10},
            "StreamChat": {
                "hide_keys_from_kernels": hidden,
                "providers": {"lab": {"base_url": provider.openai_url, "key_variable": "LAB_KEY"}},
            },
        },
        environ={
            "OPENAI_BASE_URL": provider.openai_url,
            "ANTHROPIC_BASE_URL": provider.anthropic_url,
            **VARIABLES,
        },
    ) as server:
        with RunningKernel(server) as kernel:
            assert json.loads(kernel.run(LOOK).text) == ([] if hidden else sorted(VARIABLES))
            for variable, model in zip(VARIABLES, ("openai", "anthropic", "lab"), strict=True):
                outcome = kernel.run(
                    "from jupyter_streamchat import Chat\n"
                    f"print(Chat('{model}/fake-1').send('Hi').wait(20).text)"
                )
                assert outcome.text == "Hello, world\n", outcome
                assert key_seen(provider) == VARIABLES[variable]
        (door,) = server.runtime_dir.glob("streamchat-*.json")
        capability = json.loads(door.read_text("utf-8"))["capability"]
        server.stop()
        assert MARK.encode() not in written_by(server)
        assert capability not in server.log


@pytest.mark.parametrize(
    "section",
    [
        {"keys": {"openai": MARK}},
        {"providers": {"lab": {"key": MARK, "headers": {"X-Token": MARK}}}},
        {"keys": {"openai": 5}, "providers": {"lab": "wrong", "other": {"headers": "wrong"}}},
        {"keys": "wrong", "providers": "wrong"},
    ],
)
def test_hiding_keys_changes_how_a_configuration_shows_and_nothing_else(section: Any) -> None:
    config = {"StreamChat": json.loads(json.dumps(section))}
    hide_keys(config)
    assert MARK not in repr(config)
    assert config == {"StreamChat": section}
    hide_keys({})
