"""What tests may rely on when they start a server of their own."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from streamchat_relay.providers.compatible import ANTHROPIC, OPENAI, READY_MADE
from tests.api.kernel import RunningKernel
from tests.fakes.jupyter import JupyterServer, clean_environ


def test_a_server_that_loses_its_port_before_it_starts_takes_another_and_then_keeps_it(
    tmp_path: Path,
) -> None:
    server = JupyterServer(tmp_path)
    lost = server.port
    with socket.create_server(("127.0.0.1", lost)), server:
        port = server.port
        assert port != lost
        server.restart()
        assert server.port == port
        assert server.get("api/status")["kernels"] == 0


def test_a_clean_environment_knows_no_provider_of_the_developers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = (OPENAI, ANTHROPIC, *READY_MADE)
    read = {name for entry in entries for name in (*entry.address_variables, *entry.key_variables)}
    assert {"OPENAI_API_KEY", "GOOGLE_API_KEY", "VLLM_BASE_URL"} <= read
    for name in read:
        monkeypatch.setenv(name, "the developer's")
    left = clean_environ(tmp_path)
    assert {name: left[name] for name in read & left.keys()} == {"OLLAMA_HOST": "127.0.0.1:9"}


def test_a_kernel_that_is_left_is_shut_down(jupyter: JupyterServer) -> None:
    with RunningKernel(jupyter) as kernel:
        assert kernel.id in [one["id"] for one in jupyter.get("api/kernels")]
    assert kernel.id not in [one["id"] for one in jupyter.get("api/kernels")]
