"""Thirty clients that a provider told to come back later: none is early, and none is in step."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from types import SimpleNamespace

import pytest

from streamchat_relay.providers import refusal
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.retries import SPREAD
from streamchat_relay.relay.rules import Rules
from streamchat_relay.stores import MemoryStore
from tests.fakes.provider_server import Answer, ProviderServer
from tests.fakes.relay import FakeClient, FakeClock
from tests.hosts.kit import soon
from tests.providers.kit import registry_at

CLIENTS = 30
WAIT_S = 30.0
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc)


class WatchedClock(FakeClock):
    """Tells when so many sleep, and how long each wants to."""

    def __init__(self) -> None:
        super().__init__()
        self.wakes: list[float] = []
        self.enough = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        # The time limit of an answer sleeps too.
        if seconds < 10 * WAIT_S:
            self.wakes.append(self.now() + seconds)
            if len(self.wakes) == CLIENTS:
                self.enough.set()
        await super().sleep(seconds)


@pytest.mark.parametrize(
    "header",
    ["30", "30.0", format_datetime(NOW + timedelta(seconds=30), usegmt=True)],
    ids=["seconds", "a fraction", "a date"],
)
async def test_of_30_clients_none_comes_early_and_none_in_step(
    monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    monkeypatch.setattr(refusal, "time", SimpleNamespace(time=NOW.timestamp))
    clock = WatchedClock()
    told = clock.now()
    async with ProviderServer() as server:
        registry = registry_at(server)
        hub = Hub(MemoryStore(), registry, rules=Rules(max_runs_per_user=CLIENTS), clock=clock)
        server.default = Answer(status=429, headers={"retry-after": header}, body={})
        for number in range(CLIENTS):
            client = await FakeClient(hub).hello()
            await client.send(f"r{number}", conversation=f"c{number}", model="openai/fake-1")
        await soon(clock.enough.wait())
        assert len(server.calls) == CLIENTS
        server.default = Answer()
        # Just before the time nobody has come, and then one after another.
        clock.advance(WAIT_S - 0.001)
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(server.calls) == CLIENTS
        for count, wake in enumerate(sorted(clock.wakes), 1):
            clock.advance(wake - clock.now() + 1e-9)
            await soon(server.wait_requests(CLIENTS + count))
            assert len(server.calls) == CLIENTS + count
        waits = [wake - told for wake in clock.wakes]
        assert WAIT_S <= min(waits) < max(waits) <= WAIT_S * (1 + SPREAD)
        assert len(set(waits)) == CLIENTS
        # Spread over the whole time, and not only apart.
        assert max(waits) - min(waits) > WAIT_S * SPREAD / 2
        await hub.close()
        await registry.close()
