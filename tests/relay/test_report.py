"""What is reported of runs: each once, however it ended, and nothing that was said."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from streamchat_relay.model import ProviderAuth, Usage
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.report import RunReport
from streamchat_relay.relay.rules import Rules
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import FakeClient, FakeProvider, FakeRegistry, settle


class Reports:
    def __init__(self) -> None:
        self.begun = 0
        self.all: list[RunReport] = []

    def began(self) -> None:
        self.begun += 1

    def ended(self, report: RunReport) -> None:
        self.all.append(report)


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
async def hub(provider: FakeProvider, reports: Reports) -> AsyncIterator[Hub]:
    rules = Rules(max_runs=1, max_runs_per_user=1)
    made = Hub(MemoryStore(), FakeRegistry(provider), rules=rules, observer=reports)
    yield made
    await made.close()


async def test_each_run_is_reported_once_however_it_ended(
    hub: Hub, client: FakeClient, provider: FakeProvider, reports: Reports
) -> None:
    await client.send("r1", "a secret prompt")
    call = await provider.next_call()
    call.text("a secret answer")
    call.finish(Usage(input=3, output=5))
    await settle()
    await client.send("r2")
    (await provider.next_call()).ended.set_exception(ProviderAuth("No key."))
    await settle()
    await client.send("r3")
    await provider.next_call()
    await client.send("r4", conversation="c2")
    await client.say(type="stop", id="s4", run="r4")
    await client.say(type="stop", id="s3", run="r3")
    await settle()
    await client.send("r5")
    await hub.close()
    found = [(one.run, one.outcome, one.reason) for one in reports.all]
    assert found == [
        ("r1", "finish", "stop"),
        ("r2", "error", "provider_auth"),
        ("r4", "abort", "user"),
        ("r3", "abort", "user"),
        ("r5", "abort", "server_lost"),
    ]
    assert reports.begun == len(reports.all)
    first = reports.all[0]
    assert (first.user, first.model, first.input, first.output) == ("ada", "fake/one", 3, 5)
    assert b"secret" not in msgspec.json.encode(reports.all)
