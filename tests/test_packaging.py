"""One wheel holds both packages, the front end, and what enables the extension."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import jupyter_streamchat
import streamchat_relay

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    directory = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = directory.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_carries_both_packages_and_the_front_end(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    for wanted in (
        "jupyter_streamchat/chat.py",
        "jupyter_streamchat/py.typed",
        "jupyter_streamchat/static/widget.js",
        "jupyter_streamchat/static/widget.css",
        "streamchat_relay/hosts/jupyter.py",
        "streamchat_relay/py.typed",
    ):
        assert wanted in names
    assert not [name for name in names if "node_modules" in name or name.startswith("tests")]


def test_installing_the_wheel_enables_the_server_extension(wheel: zipfile.ZipFile) -> None:
    (config,) = [name for name in wheel.namelist() if name.endswith("jupyter_streamchat.json")]
    assert "data/etc/jupyter/jupyter_server_config.d/" in config
    assert b'"streamchat_relay": true' in wheel.read(config)


def test_the_front_end_loads_nothing_from_elsewhere(wheel: zipfile.ZipFile) -> None:
    script = wheel.read("jupyter_streamchat/static/widget.js").decode()
    assert "import(" not in script
    assert 'from"' not in script.replace(" ", "")


def test_the_public_names_are_these() -> None:
    assert sorted(jupyter_streamchat.__all__) == sorted(set(jupyter_streamchat.__all__))
    assert {"Chat", "Reply", "RelayNotFound", "StreamChatError"} <= set(jupyter_streamchat.__all__)
    for name in jupyter_streamchat.__all__:
        assert getattr(jupyter_streamchat, name) is not None


def test_both_packages_have_one_version() -> None:
    assert jupyter_streamchat.__version__ == streamchat_relay.__version__
