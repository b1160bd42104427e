"""A budget is never overspent, whoever asks at once and whatever is killed in between."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamchat_relay.model import BudgetExhausted, FinishOutput, TextOutput, Usage, UsageOutput
from streamchat_relay.relay.budget import NANO, Budget, Caps, Price
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.ports import Call, Ledger
from streamchat_relay.relay.rules import Rules
from streamchat_relay.stores import MemoryLedger, MemoryStore, SQLiteLedger
from tests.fakes.relay import (
    FakeCall,
    FakeClient,
    FakeProvider,
    FakeRegistry,
    events_in,
    settle,
    types,
)

TODAY = date(2030, 1, 1)
DAY = 10_000
ANSWER = 1000


@pytest.fixture(params=[SQLiteLedger, MemoryLedger])
async def ledger(request: pytest.FixtureRequest) -> AsyncIterator[Ledger]:
    made: Ledger = request.param()
    yield made
    await made.close()


@pytest.fixture
async def hub(provider: FakeProvider, ledger: Ledger) -> AsyncIterator[Hub]:
    budget = Budget(
        ledger,
        Caps(tokens_per_day=DAY, tokens_per_conversation=3000),
        answer_tokens=ANSWER,
        today=lambda: TODAY,
    )
    made = Hub(MemoryStore(), FakeRegistry(provider), rules=Rules(budget=budget))
    yield made
    await made.close()


async def begun(client: FakeClient, provider: FakeProvider, run: str, **fields: object) -> FakeCall:
    await client.send(run, **fields)
    return await provider.next_call()


async def sent(
    client: FakeClient, ledger: Ledger, run: str, **fields: object
) -> list[dict[str, Any]]:
    """Send what is refused; the ledger's thread takes turns, and is asked twice for a prompt."""
    frames = await client.send(run, **fields)
    for _ in range(2):
        await ledger.taken("ada", TODAY, "")
        await settle()
    return frames + client.transport.take()


async def ended(client: FakeClient, call: FakeCall, usage: Usage) -> None:
    call.finish(usage)
    await settle()
    assert types(client.transport.take())[-1] == "finish"


async def test_ten_thousand_admissions_from_four_tasks_with_kills_stay_within_the_budget(
    tmp_path: Path,
) -> None:
    chance = random.Random(7)
    cap = 1_400_000
    path = tmp_path / "usage.sqlite3"
    ledger = SQLiteLedger(path)
    admitted = refused = killed = 0

    async def taken() -> int:
        day, _ = await ledger.taken("ada", TODAY, "")
        assert day.tokens <= cap
        return day.tokens

    async def call(budget: Budget, run: str) -> None:
        nonlocal admitted, refused
        asked = Call(model="m", messages=(), params={"max_tokens": chance.randint(1, 2000)})
        try:
            hold = await budget.reserve("ada", "c1", run, "fake/one", asked)
        except BudgetExhausted:
            refused += 1
            return
        admitted += 1
        for _ in range(chance.randrange(3)):
            await asyncio.sleep(0)
        assert hold.output is not None
        if chance.random() < 0.98:
            usage = Usage(input=10, output=chance.randint(0, min(hold.output, 400)))
            budget.settle(hold, usage)

    async def task(number: int) -> None:
        nonlocal killed
        budget = Budget(ledger, Caps(tokens_per_day=cap), today=lambda: TODAY)
        for count in range(2500):
            calling = asyncio.ensure_future(call(budget, f"r{number}-{count}"))
            if chance.random() < 0.1:
                for _ in range(chance.randrange(4)):
                    await asyncio.sleep(0)
                calling.cancel()
                killed += 1
            with suppress(asyncio.CancelledError):
                await calling
            if count % 20 == 0:
                await taken()

    await asyncio.gather(*map(task, range(4)))
    before = await taken()
    await ledger.close()
    # What was never settled is charged in full by whoever opens the file next.
    ledger = SQLiteLedger(path)
    assert await taken() == before
    day, _ = await ledger.taken("ada", TODAY, "")
    assert day.held.tokens == 0
    await ledger.close()
    assert admitted > 1000
    assert refused > 100
    assert killed > 500
    assert before > cap * 0.95


async def test_a_call_that_was_charged_as_lost_corrects_that_when_it_settles(
    tmp_path: Path,
) -> None:
    one = SQLiteLedger(tmp_path / "usage.sqlite3")
    budget = Budget(one, Caps(tokens_per_day=DAY), today=lambda: TODAY)
    hold = await budget.reserve("ada", "c1", "r1", "fake/one", Call(model="m", messages=()))
    other = SQLiteLedger(tmp_path / "usage.sqlite3")
    day, _ = await other.taken("ada", TODAY, "")
    assert day.used == hold.amount
    budget.settle(hold, Usage(input=5, output=7))
    await one.close()
    day, _ = await other.taken("ada", TODAY, "")
    assert (day.used.tokens, day.held.tokens) == (12, 0)
    await other.close()


async def test_the_provider_is_told_how_much_is_left_and_the_cap_ends_the_run_with_what_came(
    client: FakeClient, provider: FakeProvider
) -> None:
    call = await begun(client, provider, "r1", params={"max_tokens": 500_000})
    most = call.call.params["max_tokens"]
    assert 2900 < most < 3000
    call.push(
        TextOutput("as far as it goes"),
        UsageOutput(Usage(input=9, output=most)),
        FinishOutput("length", "length"),
    )
    call.ended.set_result(None)
    await settle()
    events = events_in(client.transport.take())
    assert [event["type"] for event in events[-3:]] == ["text-delta", "text-end", "abort"]
    assert events[-1]["reason"] == "budget"


async def test_a_limit_of_the_prompts_own_is_no_cap(
    client: FakeClient, provider: FakeProvider
) -> None:
    call = await begun(client, provider, "r1", params={"max_completion_tokens": 40})
    assert call.call.params == {"max_tokens": 40}
    call.push(TextOutput("short"), FinishOutput("length", "length"))
    call.ended.set_result(None)
    await settle()
    assert events_in(client.transport.take())[-1]["finish_reason"] == "length"


async def test_a_provider_that_does_not_keep_to_its_limit_is_ended(
    client: FakeClient, provider: FakeProvider
) -> None:
    call = await begun(client, provider, "r1")
    assert call.call.params["max_tokens"] == ANSWER
    for _ in range(10):
        call.text("x" * ANSWER)
    await settle()
    assert call.closed
    assert events_in(client.transport.take())[-1] | {"t": 0} == {
        "type": "abort",
        "run": "r1",
        "reason": "budget",
        "t": 0,
    }


async def test_what_is_used_up_refuses_the_next_prompt_and_nothing_of_it_is_logged(
    hub: Hub, client: FakeClient, provider: FakeProvider, ledger: Ledger
) -> None:
    await ended(client, await begun(client, provider, "r1"), Usage(input=2000, output=990))
    frames = await sent(client, ledger, "r2")
    (failed,) = [frame for frame in frames if frame["type"] == "fail"]
    assert failed["error"]["code"] == "budget_exhausted"
    assert "2,990 of its 3,000 tokens" in failed["error"]["message"]
    assert "Begin a new one" in failed["error"]["message"]
    assert not types(frames)
    # Another conversation still goes, until the day's budget is used up too.
    for number in range(3):
        await client.open(f"d{number}")
        call = await begun(client, provider, f"d{number}", conversation=f"d{number}")
        await ended(client, call, Usage(input=1500, output=900))
    frames = await sent(client, ledger, "r3", conversation="d9")
    (failed,) = [frame for frame in frames if frame["type"] == "fail"]
    assert "of your 10,000 tokens for today" in failed["error"]["message"]
    bob = await FakeClient(hub, "bob").hello()
    call = await begun(bob, provider, "b1", conversation="c1")
    call.finish()


async def test_answers_that_are_being_written_hold_their_part(
    hub: Hub, client: FakeClient, provider: FakeProvider, ledger: Ledger
) -> None:
    calls = []
    for number in range(9):
        await client.open(f"d{number}")
        calls.append(await begun(client, provider, f"r{number}", conversation=f"d{number}"))
    client.transport.take()
    spendings = await hub.spendings("ada", "d1")
    assert spendings.tokens_today.used == 0
    assert 9000 < spendings.tokens_today.held <= DAY
    await client.open("d9")
    await client.send("r9", conversation="d9")
    call = await asyncio.wait_for(provider.next_call(), 5)
    assert call.call.params["max_tokens"] < ANSWER
    await client.open("e1")
    events = events_in(await sent(client, ledger, "e1", conversation="e1"))
    assert events[-1]["error"]["code"] == "budget_exhausted"
    assert "hold a part of it" in events[-1]["error"]["message"]
    for one in [*calls, call]:
        one.finish(Usage(input=5, output=5))


@pytest.mark.parametrize("spoke", [False, True])
async def test_a_call_that_failed_is_charged_for_what_came_alone(
    hub: Hub, client: FakeClient, provider: FakeProvider, spoke: bool
) -> None:
    call = await begun(client, provider, "r1", text="x" * 400)
    if spoke:
        call.text("y" * 400)
    call.ended.set_exception(BudgetExhausted("whatever went wrong"))
    await settle()
    used = (await hub.spendings("ada")).tokens_today
    assert used.used == (200 if spoke else 0)
    assert used.held == 0


async def test_without_a_cap_nothing_is_limited_and_what_was_used_is_still_told(
    ledger: Ledger, provider: FakeProvider
) -> None:
    budget = Budget(ledger, prices={"fake/*": Price(2, 10, 0.5)}, today=lambda: TODAY)
    hub = Hub(MemoryStore(), FakeRegistry(provider), rules=Rules(budget=budget))
    client = await FakeClient(hub).hello()
    await client.open("c1")
    call = await begun(client, provider, "r1")
    assert call.call.params == {}
    await ended(client, call, Usage(input=1000, output=100, cached=400))
    told = await hub.spendings("ada", "c1")
    assert told.tokens_today.used == 1100
    assert told.tokens_today.limit is None
    assert told.usd_today is not None
    assert told.usd_today.used == pytest.approx((600 * 2 + 400 * 0.5 + 100 * 10) / 1e6)
    assert told.tokens_in_conversation is not None
    assert told.tokens_in_conversation.used == 1100
    await hub.close()


async def test_dollars_are_held_by_the_price_of_the_model_and_free_models_go_on(
    ledger: Ledger,
) -> None:
    prices = {"fake/dear": Price(10, 100), "fake/*": Price(0, 0)}
    budget = Budget(ledger, Caps(usd_per_day=0.05), prices, today=lambda: TODAY)
    call = Call(model="m", messages=(), params={"max_tokens": 10_000})
    hold = await budget.reserve("ada", "c1", "r1", "fake/dear", call)
    assert hold.output is not None
    assert 490 <= hold.output < 500
    assert hold.amount.nano_usd <= NANO // 20
    with pytest.raises(BudgetExhausted, match=r"of your \$0\.05"):
        await budget.reserve("ada", "c1", "r2", "fake/dear", call)
    free = await budget.reserve("ada", "c1", "r3", "fake/free", call)
    assert free.output == 10_000
    unpriced = await budget.reserve("ada", "c1", "r4", "other/one", call)
    assert unpriced.output == 10_000


async def own(provider: FakeProvider, ledger: SQLiteLedger) -> tuple[Hub, FakeClient]:
    """A relay that limits nothing by itself, and a client of it."""
    budget = Budget(ledger, answer_tokens=ANSWER, today=lambda: TODAY)
    hub = Hub(MemoryStore(), FakeRegistry(provider), rules=Rules(budget=budget))
    client = await FakeClient(hub).hello()
    await client.open("c1")
    return hub, client


async def test_a_chats_own_budget_limits_its_answers_and_no_provider_is_told_of_it(
    provider: FakeProvider, ledger: SQLiteLedger
) -> None:
    hub, client = await own(provider, ledger)
    call = await begun(client, provider, "r1", params={"budget_tokens": 500, "top_p": 1})
    assert set(call.call.params) == {"top_p", "max_tokens"}
    assert 400 < call.call.params["max_tokens"] < 500
    most = call.call.params["max_tokens"]
    call.push(
        TextOutput("so far"), UsageOutput(Usage(input=9, output=most)), FinishOutput("length", "l")
    )
    call.ended.set_result(None)
    await settle()
    assert events_in(client.transport.take())[-1]["reason"] == "budget"
    await hub.close()


async def test_a_chat_without_a_budget_left_is_refused_before_any_provider_is_asked(
    provider: FakeProvider, ledger: SQLiteLedger
) -> None:
    hub, client = await own(provider, ledger)
    params = {"budget_tokens": 500}
    await ended(
        client, await begun(client, provider, "r1", params=params), Usage(input=9, output=490)
    )
    # The params of the last prompt hold where none are named.
    for fields in ({"params": params}, {}):
        frames = await sent(client, ledger, "r2", **fields)
        (failed,) = [frame for frame in frames if frame["type"] == "fail"]
        assert failed["error"]["code"] == "budget_exhausted"
        assert "499 of the 500 tokens of its own budget" in failed["error"]["message"]
        assert "chat.budget" in failed["error"]["message"]
    assert provider.count == 1
    # More is left than nothing, but not enough for this prompt: it is known when it has its turn.
    frames = await sent(client, ledger, "r3", text="x" * 4000, params={"budget_tokens": 600})
    assert events_in(frames)[-1]["error"]["code"] == "budget_exhausted"
    assert provider.count == 1
    call = await begun(client, provider, "r4", params={"budget_tokens": 9000})
    call.finish()
    await hub.close()


async def test_a_chats_own_budget_lowers_what_the_server_allows_and_never_raises_it(
    client: FakeClient, provider: FakeProvider
) -> None:
    call = await begun(client, provider, "r1", params={"max_tokens": 9000, "budget_tokens": 10**9})
    assert 2900 < call.call.params["max_tokens"] < 3000
    call.finish(Usage(input=10, output=10))
    await settle()
    call = await begun(client, provider, "r2", params={"max_tokens": 9000, "budget_tokens": 300})
    assert call.call.params["max_tokens"] < 280
    call.finish()


async def test_a_budget_without_measure_leaves_the_ledger_as_it_is(ledger: Ledger) -> None:
    budget = Budget(ledger, today=lambda: TODAY)
    call = Call(model="m", messages=(), params={"budget_tokens": 10**40, "max_tokens": 10**30})
    holds = [await budget.reserve("ada", "c", f"r{at}", "m", call) for at in range(3)]
    for hold in holds:
        assert "budget_tokens" not in hold.bounded(call).params
        budget.settle(hold, Usage(input=1, output=1))
    assert (await ledger.taken("ada", TODAY, "c"))[1].used.tokens == 6


@pytest.mark.parametrize("wrong", [-1, 1.5, "20", True, [1]])
async def test_a_budget_that_is_no_number_of_tokens_is_refused(
    client: FakeClient, provider: FakeProvider, wrong: object
) -> None:
    (failed,) = await client.send("r1", params={"budget_tokens": wrong})
    assert failed["error"]["code"] == "bad_request"
    assert "whole number of tokens" in failed["error"]["message"]
    assert provider.count == 0


class Said(NamedTuple):
    """What a provider says to one prompt: so many tokens, or less where it may not."""

    tokens: int
    prompt: int
    how: Literal["finish", "fail", "stop"]


@settings(max_examples=50)
@given(
    st.integers(0, 4000),
    st.lists(
        st.builds(
            Said,
            st.integers(0, 3000),
            st.integers(1, 800),
            st.sampled_from(["finish", "finish", "fail", "stop"]),
        ),
        max_size=12,
    ),
)
def test_a_chat_never_uses_more_than_its_own_budget(limit: int, answers: list[Said]) -> None:
    async def chat() -> None:
        provider, ledger = FakeProvider(), SQLiteLedger()
        hub, client = await own(provider, ledger)
        asked = 0
        for number, said in enumerate(answers):
            frames = await sent(
                client,
                ledger,
                f"r{number}",
                text="x" * said.prompt,
                params={"budget_tokens": limit},
            )
            failed = [frame for frame in frames if frame["type"] == "fail"]
            if not failed and "error" not in types(frames):
                call = await provider.next_call()
                asked += 1
                output = min(said.tokens, call.call.params["max_tokens"])
                told = sum(len(message.text) for message in call.call.messages) // 4
                call.text("word" * output)
                if said.how == "finish":
                    call.finish(Usage(input=told, output=output))
                elif said.how == "fail":
                    call.ended.set_exception(BudgetExhausted("whatever went wrong"))
                else:
                    await client.say(type="stop", id="s1", run=f"r{number}")
                await settle()
                client.transport.take()
            _, here = await ledger.taken("ada", TODAY, "c1")
            assert here.held.tokens == 0
            assert here.used.tokens <= limit
        assert provider.count == asked
        await hub.close()
        await ledger.close()

    asyncio.run(chat())


@given(
    st.integers(0, 10**7),
    st.integers(0, 10**7),
    st.integers(0, 10**6),
    st.floats(0, 1000),
    st.floats(0, 1000),
)
def test_a_price_is_never_rounded_down(
    read: int, output: int, cached: int, dear: float, cheap: float
) -> None:
    cost = Price(dear, dear, cheap).of(Usage(input=read, output=output, cached=min(cached, read)))
    exact = ((read - min(cached, read) + output) * dear + min(cached, read) * cheap) * 1000
    assert cost >= exact * (1 - 1e-12)
    assert cost <= exact * (1 + 1e-12) + 1
