"""Fixtures that several folders share: a real Jupyter server, started once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.fakes.jupyter import JupyterServer

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that runs `make test &` lets it ignore interrupts, but here they are tested.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more of the machine than of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """A Jupyter server with the relay, for tests that do not disturb each other."""
    directory: Path = tmp_path_factory.mktemp("jupyter")
    with JupyterServer(directory, base_url="/some/base/") as server:
        yield server
