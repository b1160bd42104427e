"""Every notebook of the repository runs from top to bottom, in a kernel of a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from tests.fakes.jupyter import JupyterServer

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def test_there_is_a_quickstart() -> None:
    assert "quickstart.ipynb" in [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs_from_top_to_bottom(jupyter: JupyterServer, path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    kernel = jupyter.post("api/kernels")["id"]
    client = BlockingKernelClient(
        connection_file=str(jupyter.runtime_dir / f"kernel-{kernel}.json")
    )
    client.load_connection_file()
    # A kernel that is only slow misses heartbeats, and would be taken for dead.
    client.start_channels(hb=False)
    try:
        client.wait_for_ready(timeout=30)
        for cell in book.cells:
            if cell.cell_type == "code":
                run(client, cell.source)
    finally:
        client.stop_channels()
        jupyter.delete(f"api/kernels/{kernel}")


def run(client: BlockingKernelClient, source: str) -> None:
    """Execute one cell; fails with its traceback."""
    shown: list[Any] = []
    reply = client.execute_interactive(
        source, timeout=60, output_hook=shown.append, allow_stdin=False
    )
    assert reply["content"]["status"] == "ok", "\n".join(
        [source, *reply["content"].get("traceback", [])]
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_is_kept_without_outputs(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
