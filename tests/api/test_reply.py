"""What `Reply` promises to notebook code."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_streamchat import Chat, ModelUnknown, ProviderOverloaded, Reply, Truncated
from jupyter_streamchat.recording import Recording
from streamchat_relay.model import (
    Abort,
    Conversation,
    Event,
    Message,
    ReasoningDelta,
    ReasoningStart,
    RunEvent,
    Start,
    StartedMessage,
    TextDelta,
    TextStart,
    fold,
)
from streamchat_relay.protocol.frames import Send
from tests.api.fake_relay import FakeRelay, ending, problem

pytestmark = pytest.mark.filterwarnings("error")
DELTAS = ["Grad", "ient ", "descent", " — ∇f"]


def asked(relay: FakeRelay, prompt: str = "Explain", **arguments: str) -> tuple[Reply, Send]:
    reply = Chat().send(prompt, **arguments)
    return reply, relay.next_send()


def test_a_reply_iterates_over_its_deltas_and_ends_with_its_facts(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    relay.answer(send, DELTAS)
    assert list(reply) == DELTAS
    assert reply.text == "".join(DELTAS)
    assert (reply.done, reply.state, reply.finish_reason) == (True, "done", "stop")
    assert reply.usage is not None
    assert reply.usage.output == 2
    assert reply.timing is not None
    assert reply.model == "fake/model"
    assert reply.error is None


def test_iterating_again_begins_at_the_start(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    relay.answer(send, DELTAS)
    assert list(reply) == list(reply) == DELTAS


def test_a_delta_is_there_before_the_next_one_came(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    relay.accept(send)
    deltas = iter(reply)
    for delta in DELTAS:
        relay.say(send, delta)
        assert next(deltas) == delta
    assert not reply.done
    relay.finish(send)
    assert list(deltas) == []


def test_threads_and_loops_read_one_reply_at_once(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    relay.accept(send)
    begun = threading.Barrier(5)

    def in_thread() -> list[str]:
        begun.wait()
        return list(reply)

    def in_loop() -> list[str]:
        async def collect() -> list[str]:
            return [delta async for delta in reply]

        begun.wait()
        return asyncio.run(collect())

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(job) for job in (in_thread, in_loop, in_thread, in_loop)]
        begun.wait()
        for delta in DELTAS:
            relay.say(send, delta)
        relay.finish(send)
        assert [job.result(20) for job in jobs] == [DELTAS] * 4


async def test_async_for_and_await_work_on_the_callers_loop(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    teller = threading.Thread(target=relay.answer, args=(send, DELTAS))
    teller.start()
    assert [delta async for delta in reply] == DELTAS
    assert await reply is reply
    assert [delta async for delta in reply] == DELTAS
    teller.join()


def test_text_never_waits(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    assert reply.text == ""
    relay.accept(send)
    relay.say(send, "half")
    assert next(iter(reply)) == "half"
    assert reply.text == "half"
    assert repr(reply) == "<Reply running, 4 characters>"


def test_break_does_not_stop_the_run(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    relay.accept(send)
    relay.say(send, "one")
    for _ in reply:
        break
    relay.say(send, "two")
    relay.finish(send)
    assert reply.wait().text == "onetwo"
    assert relay._stops.empty()


def test_a_stopped_reply_ends_without_an_error(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    relay.accept(send)
    relay.say(send, "part")
    deltas = iter(reply)
    assert next(deltas) == "part"
    reply.stop()
    assert reply.state == "stopping"
    assert relay.next_stop().run == send.run
    relay.abort(send)
    assert list(deltas) == []
    assert (reply.state, reply.finish_reason, reply.error) == ("interrupted", None, None)
    assert reply.abort_reason == "user"


def test_an_error_comes_after_the_text_that_came(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    relay.accept(send)
    relay.say(send, "half an")
    relay.error(send, problem("provider_overloaded", "Try later."))
    seen = []
    with pytest.raises(ProviderOverloaded, match="Try later"):
        seen.extend(iter(reply))
    assert seen == ["half an"]
    assert reply.text == "half an"
    assert reply.state == "error"
    with pytest.raises(ProviderOverloaded):
        reply.wait()


async def test_an_error_is_raised_by_await_and_async_for(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    relay.accept(send)
    relay.error(send, problem("provider_overloaded", "Try later."))
    with pytest.raises(ProviderOverloaded):
        await reply
    with pytest.raises(ProviderOverloaded):
        async for _ in reply:
            pass


def test_a_refused_prompt_raises_what_the_relay_said(relay: FakeRelay) -> None:
    relay.refuse(problem("model_unknown", "There is no model 'x/y'."))
    with pytest.raises(ModelUnknown, match="x/y"):
        Chat("x/y").send("hi").wait()


def test_an_answer_that_the_server_lost_is_never_called_done(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    relay.accept(send)
    relay.say(send, "kept")
    relay.abort(send, "server_lost")
    with pytest.raises(Truncated, match="kept"):
        reply.wait()
    assert (reply.text, reply.abort_reason) == ("kept", "server_lost")


def test_wait_gives_up_in_time_and_the_run_goes_on(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    relay.accept(send)
    with pytest.raises(TimeoutError):
        reply.wait(0.01)
    relay.finish(send)
    assert reply.wait(20).done
    assert relay._stops.empty()


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def interrupted_in(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let an interrupt come from outside when the main thread begins to wait."""
    original = getattr(Recording, name)

    def wait(self: Recording, *arguments: float) -> object:
        threading.Thread(target=interrupt).start()
        return original(self, *arguments)

    monkeypatch.setattr(Recording, name, wait)


def interrupt_at_each(reply: Reply) -> None:
    for _ in reply:
        interrupt()


def test_an_interrupt_while_waiting_for_a_delta_stops_the_run(
    relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply, send = asked(relay)
    relay.accept(send)
    relay.say(send, "what came")
    deltas = iter(reply)
    assert next(deltas) == "what came"
    interrupted_in(monkeypatch, "wait")
    with pytest.raises(KeyboardInterrupt):
        next(deltas)
    assert relay.next_stop().run == send.run
    assert reply.text == "what came"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_in_the_body_of_the_loop_stops_the_run(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    relay.accept(send)
    relay.say(send, "one", "two")
    with pytest.raises(KeyboardInterrupt):
        interrupt_at_each(reply)
    assert relay.next_stop().run == send.run
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_while_waiting_for_the_end_stops_the_run(
    relay: FakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply, send = asked(relay)
    relay.accept(send)
    interrupted_in(monkeypatch, "wait_end")
    with pytest.raises(KeyboardInterrupt):
        reply.wait()
    assert relay.next_stop().run == send.run


def test_an_interrupt_after_a_break_stops_nothing(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    relay.accept(send)
    relay.say(send, "one")
    for _ in reply:
        break
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    relay.finish(send)
    reply.wait()
    assert relay._stops.empty()


async def test_cancelling_async_for_stops_the_run(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    relay.accept(send)
    relay.say(send, "one")
    reached = asyncio.Event()

    async def read() -> None:
        async for _ in reply:
            reached.set()

    task = asyncio.create_task(read())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await asyncio.to_thread(relay.next_stop)).run == send.run


def test_a_cut_network_changes_nothing_of_the_reply(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    relay.accept(send)
    deltas = iter(reply)
    for delta in DELTAS:
        relay.say(send, delta)
        assert next(deltas) == delta
        relay.cut()
    relay.finish(send)
    assert list(deltas) == []
    assert reply.text == "".join(DELTAS)


def test_a_new_epoch_that_has_lost_the_answer_says_so(relay: FakeRelay) -> None:
    reply, send = asked(relay)
    relay.accept(send)
    relay.say(send, "kept")
    assert next(iter(reply)) == "kept"
    relay.forget()
    relay.cut()
    with pytest.raises(Truncated, match="lost this answer"):
        reply.wait()
    assert reply.text == "kept"


texts = st.lists(st.text(min_size=1, max_size=5), max_size=20)


@given(deltas=texts, thoughts=texts, data=st.data())
def test_any_split_into_frames_and_snapshots_gives_the_same_reply(
    deltas: list[str], thoughts: list[str], data: st.DataObject
) -> None:
    events: list[RunEvent] = [
        Start(
            run="r",
            t=0,
            message=StartedMessage(id="a", role="assistant"),
            model="m/n",
            provider="m",
        ),
        ReasoningStart(run="r", t=0, part="0"),
        *(ReasoningDelta(run="r", t=0, part="0", delta=one) for one in thoughts),
        TextStart(run="r", t=0, part="1"),
        *(TextDelta(run="r", t=0, part="1", delta=one) for one in deltas),
        *ending(Send(id="q", conversation="c", run="r")),  # type: ignore[list-item]
    ]
    cuts = data.draw(st.lists(st.integers(0, len(events)), max_size=6).map(sorted))
    by_snapshot = data.draw(st.lists(st.booleans(), min_size=7, max_size=7))
    recording = Recording()
    for (begin, end), jump in zip(
        itertools.pairwise([0, *cuts, len(events)]), by_snapshot, strict=False
    ):
        if jump:
            seen: list[Event] = list(events[:end])
            state = fold(Conversation(), seen)
            if "r" in state.runs:
                recording.restore(state.runs["r"], state.messages[0])
        else:
            for event in events[begin:end]:
                recording.feed(event)
        recording.publish()
    assert recording.text == "".join(deltas)
    assert "".join(recording.reasoning) == "".join(thoughts)
    assert (recording.state, recording.finish_reason) == ("done", "stop")
    assert recording.model == "m/n"
    if not any(by_snapshot):
        assert recording.deltas == deltas


def test_a_snapshot_that_is_behind_takes_nothing_away() -> None:
    recording = Recording()
    recording.feed(TextDelta(run="r", t=0, part="1", delta="more than the log has"))
    start = Start(
        run="r", t=0, message=StartedMessage(id="a", role="assistant"), model="m/n", provider="m"
    )
    state = fold(Conversation(), [start, Abort(run="r", t=1, reason="server_lost")])
    recording.restore(state.runs["r"], Message(id="a", role="assistant"))
    assert recording.text == "more than the log has"
    assert isinstance(recording.error, Truncated)
