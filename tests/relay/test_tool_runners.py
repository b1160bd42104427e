"""Who runs a tool: a call is run once, by one client, whatever becomes of its sockets."""

from __future__ import annotations

from typing import Any

import pytest

from streamchat_relay.relay.rates import WINDOW_S, Rates
from streamchat_relay.relay.rules import Rules
from streamchat_relay.relay.tools import GONE_S
from tests.fakes.relay import FakeClient, FakeClock, events_in, settle, types
from tests.relay.test_tools import Scene, called, offer


async def approve(page: FakeClient, *, allow: bool = True) -> None:
    asked = [one for one in events_in(page.transport.take()) if "digest" in one][-1]
    decision = {"run": "r1", "part": asked["part"], "digest": asked["digest"], "allow": allow}
    assert {"type": "ok", "id": "d1"} in await page.say(type="approve", id="d1", **decision)
    await settle()


async def test_a_call_that_one_kernel_has_begun_is_never_given_to_another() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    await called(kernel, first)
    kernel.connection.closed()
    other = await scene.client()
    assert await offer(other, runner="k2") == [{"type": "ok", "id": "f1"}]
    await settle()
    scene.clock.advance(GONE_S)
    await settle()
    assert [one for one in other.transport.take() if one["type"] == "tool"] == []
    assert events_in(page.transport.take())[-1]["error"]["code"] == "timeout"


async def test_an_approval_is_not_carried_to_the_kernel_that_takes_the_place_of_another() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    frame = await called(kernel, first)
    await kernel.say(type="asking", call=frame["call"])
    await approve(page)
    kernel.connection.closed()
    other = await scene.client()
    assert await offer(other, runner="k2") == [{"type": "ok", "id": "f1"}]
    await other.say(type="asking", call=frame["call"])
    assert [one for one in other.transport.take() if one["type"] == "approved"] == []


async def test_a_client_that_is_back_before_its_old_socket_is_known_dead_goes_on_at_once() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    frame = await called(kernel, first)
    again = await scene.client()
    assert await offer(again) == [frame, {"type": "ok", "id": "f1"}]
    await again.say(type="asking", call=frame["call"])
    await approve(page)
    assert [one["type"] for one in again.transport.take()] == ["approved"]
    assert kernel.transport.take() == []
    kernel.connection.closed()
    await settle()
    scene.clock.advance(GONE_S)
    await again.say(type="returned", call=frame["call"], output=3)
    await settle()
    (await scene.provider.next_call()).finish()
    await settle()
    assert types(page.transport.take())[-1] == "finish"


@pytest.mark.parametrize("stage", ["told", "asked", "allowed while away", "allowed", "returned"])
async def test_a_kernel_may_lose_its_connection_at_any_stage_of_a_call(stage: str) -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    frame = await called(kernel, first)
    if stage in {"asked", "allowed while away", "allowed"}:
        await kernel.say(type="asking", call=frame["call"])
    if stage == "allowed":
        await approve(page)
    kernel.connection.closed()
    if stage == "allowed while away":
        await approve(page)
    if stage == "returned":
        # Over a socket that the relay does not hear any more.
        await settle()
    again = await scene.client()
    assert (await offer(again))[0] == frame
    if stage in {"asked", "allowed while away", "allowed"}:
        # What the product's kernel does with a call that it is told again.
        told = await again.say(type="asking", call=frame["call"])
        if stage == "asked":
            await approve(page)
            told = again.transport.take()
        assert [one["type"] for one in told] == ["approved"]
    await again.say(type="returned", call=frame["call"], output=3)
    await settle()
    (await scene.provider.next_call()).finish()
    await settle()
    seen = types(page.transport.take())
    assert seen[-1] == "finish"
    assert seen.count("tool-approval-request") == 0


async def test_what_is_said_of_a_call_after_its_end_changes_nothing() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    frame = await called(kernel, first)
    await page.say(type="stop", id="s1", run="r1")
    await settle()
    assert types(page.transport.take())[-1] == "abort"
    await kernel.say(type="asking", call=frame["call"])
    await kernel.say(type="returned", call=frame["call"], output=3)
    decide: dict[str, Any] = {"run": "r1", "part": "1", "digest": "0", "allow": True}
    (answer,) = await page.say(type="approve", id="d1", **decide)
    assert answer["error"]["code"] == "not_found"
    await settle()
    assert page.transport.take() == []
    assert scene.provider.count == 1


async def test_a_client_that_asks_after_it_has_returned_is_not_heard() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    frame = await called(kernel, first)
    await kernel.say(type="returned", call=frame["call"], output=3)
    await kernel.say(type="asking", call=frame["call"])
    await settle()
    assert "tool-approval-request" not in types(page.transport.take())


async def test_the_time_limit_ends_a_run_that_waits_for_a_person_and_its_kernel_is_told() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    frame = await called(kernel, first)
    await kernel.say(type="asking", call=frame["call"])
    scene.clock.advance(scene.hub._rules.limits.answer_s)
    await settle()
    assert kernel.transport.take() == [{"type": "cancel", "call": frame["call"]}]
    output, error = events_in(page.transport.take())[-2:]
    assert (output["type"], error["error"]["code"]) == ("tool-output-error", "timeout")


async def test_a_prompt_behind_a_run_whose_tool_waits_begins_when_that_is_stopped() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    await called(kernel, first)
    await page.send("r2", "and then")
    assert scene.provider.count == 1
    await page.say(type="stop", id="s1", run="r1")
    await settle()
    (await scene.provider.next_call()).finish()
    await settle()
    assert types(page.transport.take())[-1] == "finish"


@pytest.mark.parametrize("how", ["stopped", "denied", "given up"])
async def test_a_kernel_hears_when_it_is_back_that_nobody_waits_for_its_call(how: str) -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    frame = await called(kernel, first)
    await kernel.say(type="asking", call=frame["call"])
    kernel.connection.closed()
    await settle()
    if how == "stopped":
        await page.say(type="stop", id="s1", run="r1")
    elif how == "denied":
        await approve(page, allow=False)
    else:
        scene.clock.advance(GONE_S)
    await settle()
    other = await scene.client()
    assert await offer(other, runner="k2") == [{"type": "ok", "id": "f1"}]
    again = await scene.client()
    cancel = {"type": "cancel", "call": frame["call"]}
    assert await offer(again) == [cancel, {"type": "ok", "id": "f1"}]
    assert await offer(again) == [{"type": "ok", "id": "f1"}]


async def test_a_later_round_waits_for_its_providers_next_minute_too() -> None:
    clock = FakeClock()
    scene = Scene(Rules(rates=Rates({"fake": 1}, now=clock.now)), clock)
    kernel, page, first = await scene.begin()
    frame = await called(kernel, first)
    await kernel.say(type="returned", call=frame["call"], output=3)
    await settle()
    assert scene.provider.count == 1
    scene.clock.advance(WINDOW_S)
    await settle()
    (await scene.provider.next_call()).finish()
    await settle()
    assert types(page.transport.take())[-1] == "finish"
