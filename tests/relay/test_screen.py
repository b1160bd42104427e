"""The content filter sees what is asked and what is answered, and nothing passes it unseen."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import Self

from streamchat_relay.model import (
    ContentFiltered,
    FinishOutput,
    Output,
    ProviderError,
    ReasoningOutput,
    TextOutput,
    Usage,
    UsageOutput,
)
from streamchat_relay.relay.hub import Hub
from streamchat_relay.relay.ports import Call, Sink
from streamchat_relay.relay.rules import Limits, Rules
from streamchat_relay.relay.screen import ContentFilter, Passage, Screen
from streamchat_relay.stores import MemoryStore
from tests.fakes.relay import FakeCall, FakeClient, FakeProvider, FakeRegistry, events_in

SECRET = "4111-1111"


class Filtered:
    """A hub with a filter, and a client that follows `c1`."""

    def __init__(self, content_filter: ContentFilter, **rules: Any) -> None:
        screen = Screen(content_filter, timeout_s=rules.pop("timeout_s", 30))
        self.provider = FakeProvider()
        self.got: list[dict[str, Any]] = []
        self.hub = Hub(
            MemoryStore(), FakeRegistry(self.provider), rules=Rules(screen=screen, **rules)
        )

    async def __aenter__(self) -> Self:
        self.client = await FakeClient(self.hub).hello()
        await self.client.open("c1")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hub.close()

    async def send(self, text: str = "hi", **fields: Any) -> None:
        self.got += await self.client.send("r1", text, **fields)

    async def begun(self, text: str = "hi", **fields: Any) -> FakeCall:
        await self.send(text, **fields)
        return await self.provider.next_call()

    async def frames(self, kind: str) -> list[dict[str, Any]]:
        """The frames until one of this type came, or an event of it."""
        while True:
            self.got += self.client.transport.take()
            seen = [*self.got, *events_in(self.got)]
            if any(one["type"] == kind for one in seen):
                return self.got
            # The filter runs in a thread.
            await asyncio.sleep(0)


def hides(passage: Passage) -> str:
    return passage.text.replace(SECRET, "[number]")


async def test_a_prompt_is_redacted_before_it_is_logged_or_sent() -> None:
    async with Filtered(hides) as room:
        call = await room.begun(f"my card is {SECRET}", params={"system": f"Know {SECRET}."})
        assert call.call.messages[-1].text == "my card is [number]"
        assert call.call.params == {"system": "Know [number]."}
        assert SECRET not in str(room.got)
        call.finish()


async def test_a_refused_prompt_is_answered_with_the_filters_words_and_never_logged() -> None:
    def refuse(passage: Passage) -> None:
        raise ContentFiltered(f"No {passage.role} texts about cards, {passage.user}.")

    async with Filtered(refuse) as room:
        await room.send()
        frames = await room.frames("fail")
        (failed,) = [frame for frame in frames if frame["type"] == "fail"]
        assert failed["error"]["code"] == "content_filtered"
        assert failed["error"]["message"] == "No user texts about cards, ada."
        assert not events_in(frames)
        assert room.provider.count == 0


async def test_an_answer_comes_part_by_part_as_the_filter_lets_it_through() -> None:
    seen: list[Passage] = []

    async def watch(passage: Passage) -> str:
        seen.append(passage)
        return hides(passage)

    async with Filtered(watch) as room:
        call = await room.begun()
        call.push(ReasoningOutput("Think "), ReasoningOutput(f"of {SECRET}."))
        call.push(TextOutput("It is "), TextOutput(SECRET[:4]), TextOutput(SECRET[4:]))
        call.finish(Usage(input=3, output=9))
        events = events_in(await room.frames("finish"))
        assert [event.get("delta") for event in events if "delta" in event] == [
            "Think of [number].",
            "It is [number]",
        ]
        assert events[-1]["usage"] == {"input": 3, "output": 9}
        assert [(one.role, one.model) for one in seen] == [
            ("user", "fake/one"),
            ("reasoning", "fake/one"),
            ("assistant", "fake/one"),
        ]


async def test_a_refused_part_ends_the_run_and_the_providers_call_and_nobody_saw_it() -> None:
    def refuse(passage: Passage) -> None:
        if passage.role == "reasoning":
            raise ContentFiltered("Not this.")

    async with Filtered(refuse) as room:
        call = await room.begun()
        call.push(ReasoningOutput(SECRET), TextOutput("and so on"))
        frames = await room.frames("error")
        assert events_in(frames)[-1]["error"]["code"] == "content_filtered"
        assert SECRET not in str(frames)
        assert call.closed


@pytest.mark.parametrize("answer", [ZeroDivisionError(SECRET), 7, b"bytes"])
async def test_a_filter_that_fails_refuses_and_says_nothing_of_the_text(
    answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Passage) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with Filtered(fail) as room:
        await room.send(SECRET)
        (failed,) = [one for one in await room.frames("fail") if one["type"] == "fail"]
        assert failed["error"]["code"] == "content_filtered"
        assert "filter failed" in failed["error"]["message"]
        assert type(answer).__name__ in caplog.text
        assert SECRET not in caplog.text + str(failed)


async def test_a_filter_that_hangs_refuses() -> None:
    async def hang(_: Passage) -> None:
        await asyncio.get_running_loop().create_future()

    async with Filtered(hang, timeout_s=0.01) as room:
        await room.send()
        (failed,) = [one for one in await room.frames("fail") if one["type"] == "fail"]
        assert failed["error"]["code"] == "content_filtered"


async def test_what_came_before_an_error_is_shown_once_it_has_passed() -> None:
    async with Filtered(hides) as room:
        call = await room.begun()
        call.text("as far ", f"as {SECRET}")
        call.ended.set_exception(ProviderError("Broken."))
        events = events_in(await room.frames("error"))
        assert [event["delta"] for event in events if "delta" in event] == ["as far as [number]"]
        assert events[-1]["error"]["message"] == "Broken."


async def test_stop_ends_it_while_the_filter_looks_and_closes_the_provider() -> None:
    looking = asyncio.Event()

    async def look(passage: Passage) -> None:
        if passage.role == "assistant":
            looking.set()
            await asyncio.get_running_loop().create_future()

    async with Filtered(look) as room:
        call = await room.begun()
        call.push(TextOutput("x"), UsageOutput(Usage(input=1, output=1)))
        await looking.wait()
        await room.client.say(type="stop", id="s", run="r1")
        events = events_in(await room.frames("abort"))
        assert events[-1]["reason"] == "user"
        assert call.closed


async def test_what_is_held_back_has_the_bound_of_every_answer() -> None:
    async with Filtered(hides, limits=Limits(answer_bytes=2**20)) as room:
        call = await room.begun()
        for _ in range(20):
            call.text("x" * 2**17)
        events = events_in(await room.frames("error"))
        assert events[-1]["error"]["code"] == "too_large"
        assert call.closed


outputs = st.one_of(st.text(max_size=3).map(TextOutput), st.text(max_size=3).map(ReasoningOutput))


@given(st.lists(outputs, max_size=30), st.lists(st.integers(0, 30)))
def test_however_it_is_cut_the_filter_sees_whole_parts_and_they_keep_their_order(
    said: list[TextOutput | ReasoningOutput], cuts: list[int]
) -> None:
    seen: list[str] = []
    bounds = sorted({0, len(said), *(cut for cut in cuts if cut < len(said))})

    class Provider:
        name = "fake"

        async def stream(self, call: Call, sink: Sink) -> None:
            for start, end in itertools.pairwise(bounds):
                sink.push(said[start:end])
                await asyncio.sleep(0)
            sink.push([FinishOutput("stop", "stop")])

    class Kept:
        def __init__(self) -> None:
            self.outputs: list[Output] = []

        def push(self, outputs: Any) -> None:
            self.outputs += outputs

    async def note(passage: Passage) -> None:
        seen.append(passage.text)

    kept = Kept()
    about = Passage("", "assistant", "ada", "c1", "fake/one")
    stream: Callable[..., Awaitable[None]] = Screen(note).stream
    asyncio.run(stream(Provider(), Call(model="m", messages=()), kept, about, most_bytes=99))
    whole: list[TextOutput | ReasoningOutput] = []
    for output in said:
        if not output.delta and not (whole and type(whole[-1]) is type(output)):
            whole.append(output)
        elif whole and type(whole[-1]) is type(output):
            whole[-1] = type(output)(whole[-1].delta + output.delta)
        else:
            whole.append(output)
    expected = [one for one in whole if one.delta]
    assert kept.outputs == [*expected, FinishOutput("stop", "stop")]
    assert seen == [one.delta for one in expected]
