"""What tools may be and return: bounded by the relay, whoever runs them."""

from __future__ import annotations

from typing import Any

import pytest

from streamchat_relay.model import (
    MAX_ERROR,
    MAX_RESULT,
    MAX_TOOLS,
    ToolCallOutput,
    ToolInputOutput,
    ToolPart,
)
from streamchat_relay.relay.calls import MOST_CALLS
from streamchat_relay.relay.offers import MAX_OFFERS
from streamchat_relay.relay.rules import Limits, Rules
from tests.fakes.relay import events_in, settle
from tests.relay.test_tools import SPEC, Scene, called, end, offer


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


async def returned(scene: Scene, **fields: Any) -> ToolPart:
    """What the provider is told of a call that returned this."""
    kernel, _page, first = await scene.begin()
    frame = await called(kernel, first)
    await kernel.say(type="returned", call=frame["call"], **fields)
    await settle()
    second = await scene.provider.next_call()
    (part,) = second.call.messages[-1].parts
    assert isinstance(part, ToolPart)
    return part


async def test_a_result_that_is_too_large_is_told_to_the_model_as_an_error() -> None:
    part = await returned(Scene(), output="x" * MAX_RESULT)
    assert part.state == "output-error"
    assert "at most 256 go to a model" in part.error
    part = await returned(Scene(), error="x" * MAX_RESULT)
    assert len(part.error) == MAX_ERROR


async def test_a_result_that_is_too_deep_for_a_reader_is_told_to_the_model_as_an_error() -> None:
    output: Any = 1
    for _ in range(900):
        output = [output]
    part = await returned(Scene(), output=output)
    assert "nested more than 32 levels deep" in part.error


@pytest.mark.parametrize("levels", [33, 996, 998, 999, 5000])
async def test_arguments_that_are_too_deep_for_a_reader_are_refused_and_can_be_read(
    levels: int,
) -> None:
    scene = Scene()
    kernel, _page, first = await scene.begin()
    first.push(ToolCallOutput("0", "add"), ToolInputOutput("0", nested(levels)))
    await end(first)
    assert kernel.transport.take() == []
    second = await scene.provider.next_call()
    (part,) = second.call.messages[-1].parts
    assert isinstance(part, ToolPart)
    assert part.error.startswith("Not run: ")
    late = await scene.client()
    assert (await late.open("c1"))[-1]["type"] == "snapshot"


async def test_what_a_provider_wants_to_see_again_is_dropped_where_it_is_too_deep() -> None:
    scene = Scene()
    kernel, _page, first = await scene.begin()
    deep: Any = {}
    for _ in range(990):
        deep = {"a": deep}
    first.push(ToolCallOutput("0", "add", {"openai": deep}), ToolInputOutput("0", "{}"))
    await end(first)
    assert [one["type"] for one in kernel.transport.take()] == ["tool"]


async def test_an_offer_of_more_than_models_take_is_refused_in_words() -> None:
    scene = Scene()
    kernel = await scene.client()
    many = [{**SPEC, "name": f"t{number}"} for number in range(MAX_TOOLS + 1)]
    deep: Any = {}
    for _ in range(900):
        deep = {"items": deep}
    for tools, words in (
        (many, "at most 128 tools"),
        ([{**SPEC, "description": "x" * 300_000}], "of 256 KiB in all"),
        ([{**SPEC, "input_schema": deep}], "at most 32 levels"),
    ):
        (answer,) = await offer(kernel, *tools)
        assert answer["error"]["code"] == "bad_request"
        assert words in answer["error"]["message"]
    assert scene.hub.tools.specs("ada", "c1") == ()


async def test_of_two_tools_of_one_name_in_an_offer_one_is_told() -> None:
    scene = Scene()
    kernel = await scene.client()
    await offer(kernel, SPEC, {**SPEC, "description": "Again."})
    assert [one.description for one in scene.hub.tools.specs("ada", "c1")] == ["Again."]


async def test_offers_without_end_take_no_memory_without_end() -> None:
    scene = Scene()
    kernel = await scene.client()
    for number in range(MAX_OFFERS + 100):
        fields = {"conversation": f"c{number}", "tools": [SPEC]}
        await kernel.say(type="offer", id="f1", runner="k1", **fields)
        if number % 7 == 0:
            # What is taken back is forgotten, too.
            await kernel.say(type="offer", id="f1", conversation=f"c{number}", tools=[])
    assert len(scene.hub.tools._offers) <= MAX_OFFERS
    assert scene.hub.tools.specs("ada", f"c{MAX_OFFERS + 98}") != ()
    kernel.connection.closed()
    assert len(scene.hub.tools._offers) == 0


async def test_calls_of_one_round_beyond_the_most_are_not_run() -> None:
    scene = Scene()
    kernel, page, first = await scene.begin()
    for number in range(MOST_CALLS + 5):
        first.push(ToolCallOutput(str(number), "add"))
    await end(first)
    frames = [one for one in kernel.transport.take() if one["type"] == "tool"]
    assert len(frames) == MOST_CALLS
    errors = [one for one in events_in(page.transport.take()) if "error" in one]
    assert len(errors) == 5
    assert "at most 128 calls" in errors[0]["error"]


async def test_what_tools_return_counts_as_the_answer_and_ends_one_that_grows_too_large() -> None:
    scene = Scene(Rules(limits=Limits(answer_bytes=300_000)))
    kernel, page, first = await scene.begin()
    for number in range(2):
        first.push(ToolCallOutput(str(number), "add"))
    await end(first)
    for frame in kernel.transport.take():
        await kernel.say(type="returned", call=frame["call"], output="x" * 200_000)
    await settle()
    frames = page.transport.take()
    frames += await page.say(type="ack", conversation="c1", seq=frames[-1]["to"])
    assert events_in(frames)[-1]["error"]["code"] == "too_large"
    assert scene.provider.count == 1
