"""What holds for the events of any run with tools, and after any end of its server."""

from __future__ import annotations

from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import (
    StartedMessage,
    Terminal,
    ToolCallOutput,
    ToolInputOutput,
    ToolPart,
)
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.run import Run
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import FakeClient, FakeProvider, FakeRegistry, types
from tests.model.random_events import run_events
from tests.relay.test_tools import called, end, offer

_AFTER: dict[str, set[str]] = {
    "ToolInputDelta": {"ToolInputStart", "ToolInputDelta"},
    "ToolInputAvailable": {"ToolInputStart", "ToolInputDelta"},
    "ToolApprovalRequest": {"ToolInputAvailable"},
    "ToolApprovalResponse": {"ToolApprovalRequest"},
    "ToolOutputAvailable": {"ToolInputAvailable", "ToolApprovalRequest", "ToolApprovalResponse"},
    "ToolOutputError": {
        *("ToolInputStart", "ToolInputDelta", "ToolInputAvailable"),
        *("ToolApprovalRequest", "ToolApprovalResponse"),
    },
}
"""Of each kind of event: what came of its part just before."""


@given(st.randoms(use_true_random=False))
def test_a_part_begins_before_all_else_of_it_and_everything_is_closed_before_the_one_terminal(
    chance: Random,
) -> None:
    run = Run("r", StartedMessage(id="a", role="assistant"), "x/y", "x")
    events = list(run_events(chance, run))
    assert [isinstance(one, get_args(Terminal)) for one in events].index(True) == len(events) - 1
    latest: dict[str, str] = {}
    for event in events:
        part = getattr(event, "part", None)
        if part is None:
            continue
        kind = type(event).__name__
        if kind.endswith("Start"):
            assert part not in latest
        elif kind in _AFTER:
            assert latest[part] in _AFTER[kind]
        latest[part] = kind
    ends = {"TextEnd", "ReasoningEnd", "ToolOutputAvailable", "ToolOutputError"}
    if type(events[-1]).__name__ == "Finish":
        # A call that nobody runs has no result.
        ends |= {"ToolInputAvailable", "ToolApprovalRequest", "ToolApprovalResponse"}
    assert set(latest.values()) <= ends


@pytest.mark.parametrize("stage", ["writing", "told", "asked", "decided"])
async def test_a_call_of_a_server_that_was_killed_is_closed_and_its_prompt_can_be_followed(
    stage: str,
) -> None:
    store, provider = MemoryStore(), FakeProvider()
    kernel, page = await _clients(Hub(store, FakeRegistry(provider)))
    await offer(kernel)
    await page.open("c1")
    await page.send("r1")
    call = await provider.next_call()
    if stage == "writing":
        call.push(ToolCallOutput("0", "add"), ToolInputOutput("0", '{"a'))
    else:
        frame = await called(kernel, call)
        if stage != "told":
            await kernel.say(type="asking", call=frame["call"])
        if stage == "decided":
            decision: dict[str, Any] = {"part": "1", "digest": _digest(page), "allow": True}
            await page.say(type="approve", id="d1", run="r1", **decision)
    # Another server finds what that one wrote, and no more.
    later = FakeProvider()
    kernel, page = await _clients(Hub(store, FakeRegistry(later)))
    await offer(kernel)
    (_, snapshot) = await page.open("c1")
    part = snapshot["state"]["messages"][-1]["parts"][0]
    assert (part["state"], part["error"]) == ("output-error", "Not run: the answer ended before.")
    assert not part.get("open")
    assert snapshot["state"]["runs"]["r1"]["abort_reason"] == "server_lost"
    assert kernel.transport.take() == []
    await page.send("r2", "and now")
    second = await later.next_call()
    told = next(one for one in second.call.messages if one.role == "assistant").parts[0]
    assert isinstance(told, ToolPart)
    assert told.ended
    await end(second, "stop")
    assert types(page.transport.take())[-1] == "finish"


async def _clients(hub: Hub) -> tuple[FakeClient, FakeClient]:
    return await FakeClient(hub).hello(), await FakeClient(hub).hello()


def _digest(page: FakeClient) -> str:
    found = [
        event["digest"]
        for frame in page.transport.take()
        for event in frame.get("events", ())
        if "digest" in event
    ]
    return str(found[-1])
