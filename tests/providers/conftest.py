"""A fake provider and a registry that points at it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from streamchat_relay.providers import ProviderRegistry
from streamchat_relay.providers.pool import HttpPool
from tests.fakes.provider_server import ProviderServer
from tests.providers.kit import registry_at


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as running:
        yield running


@pytest.fixture
async def registry(server: ProviderServer) -> AsyncIterator[ProviderRegistry]:
    made = registry_at(server)
    yield made
    await made.close()


@pytest.fixture
async def pool() -> AsyncIterator[HttpPool]:
    made = HttpPool()
    yield made
    await made.close()
