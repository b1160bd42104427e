"""A budget over several rounds of calls: never overspent, and nothing is held after any ending."""

from __future__ import annotations

import asyncio
import random
from datetime import date

import pytest

from streamchat_relay.model import (
    FinishOutput,
    ProviderError,
    TextPart,
    ToolCallOutput,
    ToolSpec,
    Usage,
    UsageOutput,
)
from streamchat_relay.protocol.frames import Offer, Prompt, Returned, Send, ServerFrame, ToolRun
from streamchat_relay.relay.budget import Budget, Caps
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.offers import Workshop
from streamchat_relay.relay.ports import Call, Sink
from streamchat_relay.relay.report import RunReport
from streamchat_relay.relay.rules import Rules
from streamchat_relay.stores import MemoryStore, SQLiteLedger
from tests.fakes.relay import FakeRegistry, events_in, settle
from tests.relay.test_tools import Scene, called

TODAY = date(2030, 1, 1)
ADD = ToolSpec(name="add", description="Adds.", input_schema={"type": "object"})


class Reports:
    """What is reported of the runs that ended."""

    def __init__(self) -> None:
        self.all: list[RunReport] = []

    def began(self) -> None:
        pass

    def ended(self, report: RunReport, /) -> None:
        self.all.append(report)


class Rounds:
    """A provider that calls a tool in nearly every round, and fails, by chance."""

    name = "fake"

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def context(self, model: str, /) -> int | None:
        return None

    async def stream(self, call: Call, sink: Sink, /) -> None:
        chance = self._chance
        for _ in range(chance.randrange(3)):
            await asyncio.sleep(0)
        if chance.random() < 0.05:
            raise ProviderError("It failed.", retryable=False)
        output = chance.randint(1, call.params["max_tokens"])
        sink.push([UsageOutput(Usage(input=10, output=output))])
        for number in range(chance.randrange(3)):
            sink.push([ToolCallOutput(str(number), "add")])
        await asyncio.sleep(0)
        if chance.random() < 0.05:
            raise ProviderError("It broke off.", retryable=False)
        sink.push([FinishOutput("tool-calls", "tool-calls")])


@pytest.mark.parametrize("seed", range(4))
async def test_many_rounds_with_kills_stay_within_the_budget_and_hold_nothing_at_the_end(
    seed: int,
) -> None:
    chance, cap, reports = random.Random(seed), 400_000, Reports()
    ledger = SQLiteLedger()
    budget = Budget(ledger, Caps(tokens_per_day=cap), today=lambda: TODAY)
    hub = Hub(
        MemoryStore(),
        FakeRegistry(Rounds(chance)),  # type: ignore[arg-type]
        rules=Rules(budget=budget),
        observer=reports,
    )
    loop = asyncio.get_running_loop()
    patient: set[str] = set()

    def write(frame: ServerFrame) -> None:
        # A kernel that sometimes never answers.
        if isinstance(frame, ToolRun) and (frame.run in patient or chance.random() < 0.9):
            loop.call_soon(hub.tools.returned, "ada", Returned(call=frame.call, output=1))

    workshop = Workshop(write)

    async def conversation(number: int) -> None:
        name = f"c{number}"
        hub.tools.offer("ada", Offer(id="f", conversation=name, tools=(ADD,)), workshop)
        for count in range(15):
            run = f"r{number}-{count}"
            prompt = Prompt(parts=(TextPart(text="go"),))
            params = {"max_tokens": 2000}
            send = Send(
                id="x", conversation=name, run=run, model="fake/one", message=prompt, params=params
            )
            if chance.random() < 0.4:
                patient.add(run)
            sending = asyncio.ensure_future(hub.send("ada", send))
            for _ in range(chance.randrange(200)):
                await asyncio.sleep(0)
            await asyncio.wait([sending])
            if sending.exception() is None:
                while run in patient and ("ada", run) in hub._runs.active:
                    # Also lets the ledger's thread have its turn.
                    await ledger.taken("ada", TODAY, "")
                await hub.stop("ada", run)
            day, _ = await ledger.taken("ada", TODAY, "")
            assert day.tokens <= cap

    await asyncio.gather(*map(conversation, range(8)))
    while hub.active_runs:  # noqa: ASYNC110 - runs have yet to hear that they are stopped
        await asyncio.sleep(0)
    day, _ = await ledger.taken("ada", TODAY, "")
    assert day.held.tokens == 0
    # What is reported is what was charged.
    assert sum((one.input or 0) + (one.output or 0) for one in reports.all) == day.used.tokens
    outcomes = {(one.outcome, one.reason) for one in reports.all}
    assert {("finish", "tool-calls"), ("abort", "user"), ("error", "provider_error")} <= outcomes
    await hub.close()
    await ledger.close()


async def test_a_round_is_charged_before_its_tools_run_and_holds_nothing_meanwhile() -> None:
    ledger = SQLiteLedger()
    scene = Scene(Rules(budget=Budget(ledger, Caps(tokens_per_day=100_000))))
    kernel, page, first = await scene.begin()
    first.push(UsageOutput(Usage(input=10, output=5)))
    frame = await called(kernel, first)
    await kernel.say(type="asking", call=frame["call"])
    spent = (await scene.hub.spendings("ada", "c1")).tokens_today
    assert (spent.used, spent.held) == (15, 0)
    await page.say(type="stop", id="s1", run="r1")
    await settle()
    assert events_in(page.transport.take())[-1]["reason"] == "user"
    spent = (await scene.hub.spendings("ada", "c1")).tokens_today
    assert (spent.used, spent.held) == (15, 0)
    await ledger.close()


async def test_a_run_whose_second_round_the_budget_refuses_still_reports_the_first() -> None:
    ledger, reports = SQLiteLedger(), Reports()
    scene = Scene(Rules(budget=Budget(ledger, Caps(tokens_per_day=10_000))))
    scene.hub._runs._observer = reports
    kernel, page, first = await scene.begin()
    first.push(UsageOutput(Usage(input=10, output=9_980)))
    frame = await called(kernel, first)
    await kernel.say(type="returned", call=frame["call"], output=3)
    await settle()
    await ledger.taken("ada", TODAY, "")
    await settle()
    assert events_in(page.transport.take())[-1]["error"]["code"] == "budget_exhausted"
    (report,) = reports.all
    assert (report.input, report.output) == (10, 9_980)
    spent = (await scene.hub.spendings("ada", "c1")).tokens_today
    assert (spent.used, spent.held) == (9_990, 0)
    await ledger.close()
