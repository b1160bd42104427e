"""Opens JupyterLab on the quickstart notebook, with the relay and its built-in demo model."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Become JupyterLab; its arguments may follow, for example `--no-browser`."""
    root = Path(__file__).resolve().parent.parent
    command = [
        sys.executable,
        "-m",
        "jupyter",
        "lab",
        f"--ServerApp.root_dir={root}",
        "--LabApp.default_url=/lab/tree/notebooks/quickstart.ipynb",
        *os.environ.get("DEMO_FLAGS", "").split(),
        *sys.argv[1:],
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    sys.stdout.write(
        "JupyterLab opens on notebooks/quickstart.ipynb. The demo model needs no key; others are\n"
        "found by their keys (OPENAI_API_KEY, ANTHROPIC_API_KEY, ...) or on their port (Ollama).\n"
    )
    sys.stdout.flush()
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main()
