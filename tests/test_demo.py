"""`make demo`: one command, and JupyterLab stands open on the quickstart notebook."""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path

from tests.fakes.jupyter import JupyterServer

SCRIPT = Path(__file__).parent.parent / "scripts" / "demo.py"


def test_the_demo_is_jupyterlab_on_the_quickstart_notebook(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--no-browser"]
    with JupyterServer(tmp_path, command=command, environ={"DEMO_FLAGS": ""}) as server:
        request = urllib.request.Request(
            server.url, headers={"Authorization": f"token {server.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as page:
            assert page.url == f"{server.url}lab/tree/notebooks/quickstart.ipynb"
            assert b"jupyter-config-data" in page.read()
        notebook = server.get("api/contents/notebooks/quickstart.ipynb")
        assert "jupyter_streamchat" in str(notebook["content"]["cells"])
        assert server.get("streamchat/models")["default"] == "demo/fast"
    assert "opens on notebooks/quickstart.ipynb" in server.log
