"""A real server before a fake provider, for tests that ask much of it and leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.jupyter import JupyterServer
from tests.fakes.provider_server import ProviderServer, running_provider_server


@pytest.fixture(scope="session")
def upstream() -> Iterator[ProviderServer]:
    """The provider of `hosted`: OpenAI's."""
    with running_provider_server() as server:
        yield server


@pytest.fixture(scope="session")
def hosted(
    upstream: ProviderServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JupyterServer]:
    """It lets one connection ask as often as it can."""
    with JupyterServer(
        tmp_path_factory.mktemp("hosted"),
        config={"StreamChat": {"retries": 0, "requests_per_second": 10_000}},
        environ={"OPENAI_BASE_URL": upstream.openai_url, "OPENAI_API_KEY": "sk-none"},
    ) as server:
        yield server
