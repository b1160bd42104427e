"""The run is a pure machine: one terminal, open parts closed, illegal moves refused."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import (
    Abort,
    AbortReason,
    Event,
    Finish,
    FinishOutput,
    ProviderError,
    ReasoningOutput,
    StartedMessage,
    Terminal,
    TextDelta,
    TextOutput,
    Usage,
    UsageOutput,
)
from streamchat_relay.relay.run import IllegalMove, Run, RunState

outputs = st.lists(
    st.one_of(
        st.builds(TextOutput, st.text(max_size=3)),
        st.builds(ReasoningOutput, st.text(max_size=3)),
        st.just(UsageOutput(Usage(input=1, output=2))),
        st.just(FinishOutput("stop", "stop")),
        st.just(FinishOutput("other", "other", "user")),
    ),
    max_size=20,
)


def new_run() -> Run:
    return Run("r1", StartedMessage(id="a1", role="assistant"), "fake/one", "fake")


def well_formed(events: list[Event]) -> None:
    """Parts open before and close after their deltas; the last event is the only terminal."""
    open_part: str | None = None
    seen: set[str] = set()
    for event in events[:-1]:
        assert not isinstance(event, get_args(Terminal))
        name = type(event).__name__
        if name.endswith("Start") and name != "Start":
            assert open_part is None
            assert event.part not in seen
            open_part = event.part
            seen.add(open_part)
        elif name.endswith("Delta"):
            assert event.part == open_part
        elif name.endswith("End"):
            assert event.part == open_part
            open_part = None
    assert open_part is None
    assert isinstance(events[-1], get_args(Terminal))


@given(outputs, st.sampled_from(["finish", "fail", "stop", "lose"]))
def test_a_run_ends_in_exactly_one_terminal_with_its_parts_closed(
    given_outputs: list[object], end: str
) -> None:
    run = new_run()
    events = [*run.start(), *run.begin(0)]
    for t, output in enumerate(given_outputs):
        events += run.push([output], float(t))
    if end == "finish":
        events += run.finish(99, input_tokens=2)
    elif end == "fail":
        events += run.fail(ProviderError("It failed."), 99)
    elif end == "stop":
        run.stop()
        events += run.interrupt("user", 99)
    else:
        events += run.interrupt("server_lost", 99)
    well_formed(events)
    assert run.ended
    text = "".join(one.delta for one in given_outputs if isinstance(one, TextOutput))
    assert "".join(one.delta for one in events if isinstance(one, TextDelta)) == text


@given(outputs, st.lists(st.integers(0, 20)))
def test_outputs_in_any_batches_give_the_same_events(
    given_outputs: list[object], cuts: list[int]
) -> None:
    whole, cut = new_run(), new_run()
    whole.begin(0)
    cut.begin(0)
    at_once = whole.push(given_outputs, 1.0)
    bounds = sorted({0, len(given_outputs), *(c for c in cuts if c <= len(given_outputs))})
    in_batches = [
        event
        for start, end in pairwise(bounds)
        for event in cut.push(given_outputs[start:end], 1.0)
    ]
    assert at_once == in_batches


def test_a_stream_that_ends_without_saying_so_is_truncated_and_keeps_its_text() -> None:
    run = new_run()
    run.begin(0)
    run.push([TextOutput("par")], 1)
    *_, terminal = run.finish(2, input_tokens=0)
    assert terminal.error.code == "truncated"
    assert run.state is RunState.ERROR


def test_usage_is_an_estimate_only_where_the_provider_gave_none() -> None:
    counted, guessed, uncounted = new_run(), new_run(), new_run()
    for run in (counted, guessed, uncounted):
        run.begin(0)
        run.push([TextOutput("12345678"), FinishOutput("stop", "end_turn")], 100)
    counted.push([UsageOutput(Usage(input=7, output=9))], 100)
    uncounted.push([UsageOutput(Usage(input=0, output=0))], 100)
    assert counted.finish(200, input_tokens=2)[-1].usage == Usage(input=7, output=9)
    for run in (guessed, uncounted):
        usage = run.finish(200, input_tokens=2)[-1].usage
        assert usage == Usage(input=2, output=2, estimated=True)


def test_timing_counts_from_when_the_provider_was_asked_however_long_the_run_waited() -> None:
    run = new_run()
    run.wait(1, 0)
    run.begin(5000)
    run.push([TextOutput("a")], 5100)
    run.push([TextOutput("b"), UsageOutput(Usage(input=1, output=50))], 5600)
    run.push([FinishOutput("length", "max_tokens")], 5700)
    end = run.finish(5710, input_tokens=1)[-1]
    assert isinstance(end, Finish)
    assert (end.timing.ttft_ms, end.timing.total_ms, end.timing.output_per_s) == (100, 710, 100)
    assert (end.finish_reason, end.raw_reason) == ("length", "max_tokens")


def test_after_a_stop_the_provider_is_not_heard_any_more() -> None:
    run = new_run()
    run.begin(0)
    run.stop()
    assert run.push([TextOutput("late")], 1) == []
    assert run.interrupt("user", 2) == [Abort(run="r1", t=2, reason="user")]


def test_a_terminal_never_changes() -> None:
    run = new_run()
    run.begin(0)
    run.interrupt("user", 1)
    for again in (
        lambda: run.interrupt("user", 2),
        lambda: run.fail(ProviderError("x"), 2),
        lambda: run.finish(2, input_tokens=0),
        lambda: run.begin(2),
        run.stop,
    ):
        with pytest.raises(IllegalMove):
            again()


@pytest.mark.parametrize("reason", get_args(AbortReason))
def test_an_answer_that_is_played_ends_as_it_was_ended(reason: AbortReason) -> None:
    run = new_run()
    run.begin(0)
    run.push([TextOutput("so far"), FinishOutput("other", "other", reason)], 5)
    *_, end = run.finish(9, input_tokens=1)
    assert end == Abort(run="r1", t=9, reason=reason)
    assert run.state is RunState.INTERRUPTED
