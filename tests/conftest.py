"""Fixtures that several folders share: a real Jupyter server, started once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.jupyter import JupyterServer


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """A Jupyter server with the relay, for tests that do not disturb each other."""
    directory: Path = tmp_path_factory.mktemp("jupyter")
    with JupyterServer(directory, base_url="/some/base/") as server:
        yield server
