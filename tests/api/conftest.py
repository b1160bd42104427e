"""Fixtures for the kernel's half: a relay that is found as a real one is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from jupyter_streamchat import connect, discovery
from tests.api.fake_relay import FakeRelay

KERNEL = "0a1b2c3d-kernel"


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """This process is the kernel `KERNEL`; yields the runtime directory of its machine."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    for variable in (discovery.DOOR_VARIABLE, "JPY_PARENT_PID"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(discovery, "kernel_id", lambda: KERNEL)
    yield tmp_path
    connect.disconnect()


@pytest.fixture
def relay(kernel: Path) -> Iterator[FakeRelay]:
    """A relay that runs this process's kernel."""
    with FakeRelay(kernel, KERNEL) as fake:
        yield fake


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    """A terminal's IPython with the magics."""
    config = Config()
    config.HistoryManager.enabled = False
    InteractiveShell.clear_instance()
    # A shell takes the place of the main module, from which other processes are started.
    main = sys.modules["__main__"]
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("load_ext", "jupyter_streamchat")
    yield shell
    shell.run_line_magic("unload_ext", "jupyter_streamchat")
    shell.reset(new_session=False)
    InteractiveShell.clear_instance()
    sys.modules["__main__"] = main
