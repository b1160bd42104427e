"""Who plays in the relay's tests: a provider, and a client that follows `c1` of the file's hub."""

from __future__ import annotations

import pytest

from streamchat_relay.relay.hub import Hub
from tests.fakes.relay import FakeClient, FakeClock, FakeProvider


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def client(hub: Hub) -> FakeClient:
    made = await FakeClient(hub).hello()
    await made.open("c1")
    return made
