"""A model that a kernel serves is asked where its kernel is then, also in the middle of a run."""

from __future__ import annotations

from typing import Any

from tests.fakes.relay import FakeClient, events_in, settle, types
from tests.relay.test_tools import Scene, offer


async def kernel_of(scene: Scene) -> FakeClient:
    """A kernel that serves `kernel/agent` and runs `add`."""
    kernel = await scene.client()
    await offer(kernel)
    await kernel.say(type="serve", id="v1", model="agent")
    return kernel


async def asked(kernel: FakeClient) -> dict[str, Any]:
    """What the kernel is told, the one frame that it is."""
    await settle()
    (frame,) = kernel.transport.take()
    return frame


async def test_the_next_round_is_asked_over_the_socket_that_there_is_then() -> None:
    scene = Scene()
    kernel, page = await kernel_of(scene), await scene.client()
    await page.open("c1")
    await page.send("r1", model="kernel/agent")
    call = (await asked(kernel))["call"]
    piece = {"kind": "tool-call", "id": "t1", "tool": "add", "value": {"a": 1}}
    await kernel.say(type="said", call=call, pieces=[piece])
    await kernel.say(type="done", call=call)
    tool = await asked(kernel)
    kernel.connection.closed()
    again = await scene.client()
    assert (await offer(again))[0] == tool
    await again.say(type="serve", id="v1", model="agent")
    await again.say(type="returned", call=tool["call"], output=2)
    frame = await asked(again)
    assert frame["messages"][-1]["parts"][0]["output"] == 2
    await again.say(type="done", call=frame["call"])
    await settle()
    assert types(page.transport.take())[-1] == "finish"


async def test_a_model_whose_kernel_is_gone_before_it_spoke_ends_the_run() -> None:
    scene = Scene()
    kernel, page = await kernel_of(scene), await scene.client()
    await page.open("c1")
    await page.send("r1", model="kernel/agent")
    kernel.connection.closed()
    for _ in range(5):
        await settle()
        scene.clock.advance(60)
    await settle()
    error = events_in(page.transport.take())[-1]
    assert error["error"]["code"] == "truncated"
    assert "is gone" in error["error"]["message"]


async def test_a_prompt_that_waited_in_line_for_a_kernel_that_came_back_is_answered() -> None:
    scene = Scene()
    kernel, page = await kernel_of(scene), await scene.client()
    await page.open("c1")
    await page.send("r0")
    first = await scene.provider.next_call()
    await page.send("r1", model="kernel/agent")
    kernel.connection.closed()
    again = await kernel_of(scene)
    first.finish()
    frame = await asked(again)
    assert frame["type"] == "call"
