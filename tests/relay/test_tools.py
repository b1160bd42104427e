"""Calls of tools: offered by a client, run there, and told to the provider in the next round."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import (
    Conversation,
    FinishOutput,
    Output,
    ReasoningOutput,
    SealOutput,
    StartedMessage,
    TextOutput,
    ToolCallOutput,
    ToolInputOutput,
    ToolPart,
    ToolResultOutput,
    Usage,
    UsageOutput,
    fold,
    reduce,
)
from streamchat_relay.protocol.codec import decode_event, encode
from streamchat_relay.relay.budget import Budget, Caps
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.rules import Rules
from streamchat_relay.relay.run import Run
from streamchat_relay.relay.screen import Passage, Screen
from streamchat_relay.relay.tools import GONE_S
from streamchat_relay.stores import MemoryStore, SQLiteLedger
from tests.fakes.relay import (
    FakeCall,
    FakeClient,
    FakeClock,
    FakeProvider,
    FakeRegistry,
    events_in,
    settle,
    types,
)

SPEC = {"name": "add", "description": "Adds.", "input_schema": {"type": "object"}}


class Scene:
    """A hub with a kernel that offers `add`, and a page that looks on."""

    def __init__(self, rules: Rules | None = None, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.provider = FakeProvider()
        registry = FakeRegistry(self.provider)
        self.hub = Hub(MemoryStore(), registry, clock=self.clock, rules=rules)

    async def client(self, user: str = "ada") -> FakeClient:
        return await FakeClient(self.hub, user, self.clock).hello()

    async def begin(self) -> tuple[FakeClient, FakeClient, FakeCall]:
        """Kernel, page, and the provider's first call."""
        kernel, page = await self.client(), await self.client()
        assert await offer(kernel) == [{"type": "ok", "id": "f1"}]
        await page.open("c1")
        await page.send("r1")
        return kernel, page, await self.provider.next_call()


async def offer(kernel: FakeClient, *specs: Any, runner: str = "k1") -> list[dict[str, Any]]:
    tools = specs or [SPEC]
    return await kernel.say(type="offer", id="f1", conversation="c1", tools=tools, runner=runner)


async def called(kernel: FakeClient, call: FakeCall, arguments: str = '{"a":1}') -> dict[str, Any]:
    """Have the provider call `add`; returns what the kernel is told."""
    call.push(ToolCallOutput("0", "add"), ToolInputOutput("0", arguments))
    await end(call)
    (frame,) = kernel.transport.take()
    assert frame["type"] == "tool"
    return frame


async def end(call: FakeCall, reason: str = "tool-calls") -> None:
    call.push(FinishOutput(reason, reason))  # type: ignore[arg-type]
    call.ended.set_result(None)
    await settle()


async def test_the_provider_goes_on_with_what_a_tool_returned() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    assert [tool.name for tool in first.call.tools] == ["add"]
    frame = await called(kernel, first)
    assert (frame["name"], frame["input"], frame["run"]) == ("add", {"a": 1}, "r1")
    await kernel.say(type="returned", call=frame["call"], output=3)
    await settle()
    second = await scene.provider.next_call()
    (part,) = second.call.messages[-1].parts
    assert isinstance(part, ToolPart)
    assert (part.name, part.input, part.output) == ("add", {"a": 1}, 3)
    second.text("It is 3")
    second.finish()
    await settle()
    assert types(page.transport.take()) == [
        *("tool-input-start", "tool-input-delta", "tool-input-available"),
        *("tool-output-available", "status", "text-start", "text-delta", "text-end", "finish"),
    ]


async def test_what_all_rounds_took_is_counted_together_and_settled_each() -> None:
    ledger = SQLiteLedger()
    scene = Scene(Rules(budget=Budget(ledger, Caps(tokens_per_day=100_000))))
    kernel, page, first = await scene.begin()
    first.push(UsageOutput(Usage(input=10, output=5)))
    frame = await called(kernel, first)
    await kernel.say(type="returned", call=frame["call"], output=3)
    await settle()
    second = await scene.provider.next_call()
    spent = await scene.hub._rules.budget.spendings("ada", "c1")
    assert spent.tokens_today.used == 15
    assert spent.tokens_today.held > 0
    second.text("3")
    second.finish(Usage(input=20, output=1))
    await settle()
    finish = events_in(page.transport.take())[-1]
    assert (finish["usage"]["input"], finish["usage"]["output"]) == (30, 6)
    spent = await scene.hub._rules.budget.spendings("ada", "c1")
    assert (spent.tokens_today.used, spent.tokens_today.held) == (36, 0)
    await ledger.close()


async def test_a_kernel_that_is_gone_ends_the_run_with_a_timeout() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    await called(kernel, first)
    kernel.connection.closed()
    await settle()
    assert "error" not in types(page.transport.take())
    scene.clock.advance(GONE_S)
    await settle()
    output, error = events_in(page.transport.take())
    assert output["type"] == "tool-output-error"
    assert (error["type"], error["error"]["code"]) == ("error", "timeout")
    assert "'add' is gone" in error["error"]["message"]


async def test_a_kernel_that_comes_back_in_time_is_asked_for_the_same_call() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    frame = await called(kernel, first)
    kernel.connection.closed()
    await settle()
    scene.clock.advance(GONE_S / 2)
    again = await scene.client()
    written = await offer(again)
    assert written == [frame, {"type": "ok", "id": "f1"}]
    scene.clock.advance(GONE_S)
    await again.say(type="returned", call=frame["call"], output=3)
    await settle()
    second = await scene.provider.next_call()
    second.finish()
    await settle()
    assert types(page.transport.take())[-1] == "finish"


async def test_a_call_that_a_person_denies_is_not_run_and_the_model_is_told() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    frame = await called(kernel, first)
    await kernel.say(type="asking", call=frame["call"])
    asked = events_in(page.transport.take())[-1]
    assert asked["type"] == "tool-approval-request"
    decide = {"type": "approve", "id": "d1", "run": "r1", "part": "1", "digest": asked["digest"]}
    answer = await page.say(**decide, allow=False)
    assert answer[-1] == {"type": "ok", "id": "d1"}
    await settle()
    assert kernel.transport.take() == [{"type": "cancel", "call": frame["call"]}]
    second = await scene.provider.next_call()
    (part,) = second.call.messages[-1].parts
    assert isinstance(part, ToolPart)
    assert (part.state, part.allowed) == ("output-error", False)
    assert "did not allow" in part.error


async def test_an_approval_is_of_one_call_by_its_owner_and_cannot_be_changed() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    frame = await called(kernel, first)
    decide = {"type": "approve", "id": "d1", "run": "r1", "part": "1", "allow": True}

    async def code(client: FakeClient, **fields: Any) -> str:
        (answer,) = [one for one in await client.say(**decide, **fields) if "id" in one]
        return answer["error"]["code"] if answer["type"] == "fail" else "ok"

    # Before anybody was asked there is nothing to decide.
    assert await code(page, digest="0") == "not_found"
    await kernel.say(type="asking", call=frame["call"])
    digest = events_in(page.transport.take())[-1]["digest"]
    eve = await scene.client("eve")
    assert await code(eve, digest=digest) == "not_found"
    assert await code(page, digest="0" * 64) == "conflict"
    assert kernel.transport.take() == []
    assert await code(page, digest=digest) == "ok"
    approved = {"type": "approved", "call": frame["call"], "digest": digest}
    assert kernel.transport.take() == [approved]
    # A repetition after a lost answer is no second approval.
    assert await code(page, digest=digest) == "ok"
    assert kernel.transport.take() == []
    decide["allow"] = False
    assert await code(page, digest=digest) == "conflict"


async def test_another_user_cannot_answer_for_a_tool() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    frame = await called(kernel, first)
    eve = await scene.client("eve")
    await eve.say(type="returned", call=frame["call"], output="forged")
    await eve.say(type="asking", call=frame["call"])
    await settle()
    assert scene.provider.count == 1
    assert "tool-approval-request" not in types(page.transport.take())


async def test_stop_tells_the_kernel_that_nobody_waits() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    frame = await called(kernel, first)
    await page.say(type="stop", id="s1", run="r1")
    await settle()
    assert kernel.transport.take() == [{"type": "cancel", "call": frame["call"]}]
    assert types(page.transport.take())[-2:] == ["tool-output-error", "abort"]


async def test_arguments_that_are_no_json_object_go_back_to_the_model() -> None:
    scene = Scene()
    kernel, _page, first = await scene.begin()
    first.push(ToolCallOutput("0", "add"), ToolInputOutput("0", '{"a": 1'))
    await end(first)
    assert kernel.transport.take() == []
    second = await scene.provider.next_call()
    (part,) = second.call.messages[-1].parts
    assert isinstance(part, ToolPart)
    assert part.error.startswith("Not run: the arguments are no JSON object")


async def test_a_call_that_its_model_ran_is_not_run_again_whatever_its_arguments() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    for call, arguments in (("0", '{"a": 1}'), ("1", "[removed]")):
        first.push(ToolCallOutput(call, "add"), ToolInputOutput(call, arguments))
        first.push(ToolResultOutput(call, 3))
    first.text("It is 3")
    await end(first, "stop")
    assert kernel.transport.take() == []
    assert scene.provider.count == 1
    events = events_in(page.transport.take())
    assert [one["output"] for one in events if one["type"] == "tool-output-available"] == [3, 3]
    assert events[-1]["finish_reason"] == "stop"


async def test_a_call_that_the_length_cut_off_is_not_run() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    first.push(ToolCallOutput("0", "add"), ToolInputOutput("0", '{"a": 1}'))
    await end(first, "length")
    assert kernel.transport.take() == []
    assert scene.provider.count == 1
    assert events_in(page.transport.take())[-1]["finish_reason"] == "length"


async def test_the_content_filter_sees_arguments_and_results() -> None:
    seen: list[tuple[str, str]] = []

    def look(passage: Passage) -> str | None:
        seen.append((passage.role, passage.text))
        return passage.text.replace("secret", "***") if passage.role == "tool" else None

    scene = Scene(Rules(screen=Screen(look)))
    kernel, _page, first = await scene.begin()
    first.push(ToolCallOutput("0", "add"))
    for piece in ('{"a"', ":1}"):
        first.push(ToolInputOutput("0", piece))
    await end(first)
    while not (frames := kernel.transport.take()):
        await settle()
    await kernel.say(type="returned", call=frames[0]["call"], output="a secret")
    second = await scene.provider.next_call()
    (part,) = second.call.messages[-1].parts
    assert isinstance(part, ToolPart)
    assert part.output == "a ***"
    assert ("assistant", '{"a":1}') in seen
    assert ("tool", "a secret") in seen


OUTPUTS = st.one_of(
    st.builds(TextOutput, st.text(max_size=3)),
    st.builds(ReasoningOutput, st.text(max_size=3)),
    st.builds(SealOutput, st.just({"x": {"y": 1}})),
    st.builds(ToolCallOutput, st.sampled_from("abc"), st.sampled_from(["add", "mul"])),
    st.builds(ToolInputOutput, st.sampled_from("abc"), st.sampled_from(['{"a":', "1}", "{}", "x"])),
    st.builds(ToolResultOutput, st.sampled_from("abc"), st.just(1), st.sampled_from(["", "no"])),
)


@given(
    st.lists(OUTPUTS, max_size=25),
    st.lists(st.integers(0, 25), max_size=5),
    st.sampled_from(["finish", "interrupt"]),
)
def test_however_outputs_are_cut_into_reads_the_message_is_the_same_and_every_part_is_closed(
    outputs: list[Output], cuts: list[int], how: str
) -> None:
    def message(places: list[int]) -> Any:
        run = Run("r", StartedMessage(id="m", role="assistant"), "fake/one", "fake")
        events = [*run.start(), *run.begin(0.0)]
        edges = [0, *sorted(min(place, len(outputs)) for place in places), len(outputs)]
        for begin, stop in pairwise(edges):
            events += run.push(outputs[begin:stop], 1.0)
        if how == "finish":
            events += run.push([FinishOutput("stop", "stop")], 1.0)
            events += run.finish(1.0, input_tokens=1)
        else:
            run.stop()
            events += run.interrupt("user", 1.0)
        state = Conversation()
        for event in events:
            decoded = decode_event(encode(event))
            assert decoded is not None
            state = reduce(state, decoded)
        assert fold(Conversation(), events) == state
        return state.messages[0]

    made = message(cuts)
    assert made == message([])
    assert not any(part.open for part in made.parts)
    if how == "interrupt":
        assert all(part.ended for part in made.parts if isinstance(part, ToolPart))
