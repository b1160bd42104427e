"""`reduce` is the only way a conversation grows; `fold` is the same, faster."""

from __future__ import annotations

import json
import sys
from functools import reduce as left_fold
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import (
    Conversation,
    Event,
    ReasoningDelta,
    ReasoningStart,
    Start,
    StartedMessage,
    TextDelta,
    TextEnd,
    TextStart,
    branch,
    fold,
    reduce,
)
from streamchat_relay.model.deltas import Deltas
from tests.model import random_events

TRANSCRIPTS = sorted((Path(__file__).parent.parent / "transcripts").glob("reduce-*.jsonl"))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_reduce_gives_the_state_of_the_transcript(path: Path) -> None:
    conversation = Conversation()
    for line in path.read_text("utf-8").splitlines()[1:]:
        step = json.loads(line)
        if "event" in step:
            conversation = reduce(conversation, msgspec.convert(step["event"], Event))
        else:
            # Through the type, so that defaults and integers for floats compare as what they mean.
            assert conversation == msgspec.convert(step["state"], Conversation)
    assert TRANSCRIPTS


def test_the_random_transcript_is_what_its_maker_makes() -> None:
    assert random_events.PATH.read_text("utf-8") == random_events.transcript()


@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 300), max_size=4))
def test_events_of_tools_folded_in_any_slices_and_after_their_deltas_are_joined_are_the_same(
    chance: Random, cuts: list[int]
) -> None:
    told = list(random_events.random_events(chance))
    whole = left_fold(reduce, told, Conversation())
    sliced, before = Conversation(), 0
    for cut in [*sorted(cuts), len(told)]:
        sliced = fold(sliced, told[before:cut])
        before = max(before, cut)
    assert sliced == whole
    deltas, joined = Deltas(), []
    for event in told:
        joined += deltas.add(event)
    joined += deltas.rest()
    assert left_fold(reduce, joined, Conversation()) == whole
    assert msgspec.json.decode(msgspec.json.encode(whole), type=Conversation) == whole


def start(run: str) -> Event:
    message = StartedMessage(id=f"{run}-a", role="assistant")
    return Start(run=run, t=0, message=message, model="demo/fast", provider="demo")


run_ids = st.sampled_from(["r1", "r2", "unknown"])
part_ids = st.sampled_from(["1", "2"])
times = st.integers(0, 99).map(float)
deltas = st.text(max_size=4)
events = st.lists(
    st.one_of(
        st.builds(TextStart, run=run_ids, part=part_ids, t=times),
        st.builds(ReasoningStart, run=run_ids, part=part_ids, t=times),
        st.builds(TextDelta, run=run_ids, part=part_ids, t=times, delta=deltas),
        st.builds(ReasoningDelta, run=run_ids, part=part_ids, t=times, delta=deltas),
        st.builds(TextEnd, run=run_ids, part=part_ids, t=times),
    ),
    max_size=40,
)


@given(events)
def test_fold_equals_reducing_one_by_one(given_events: list[Event]) -> None:
    whole = [start("r1"), start("r2"), *given_events]
    assert fold(Conversation(), whole) == left_fold(reduce, whole, Conversation())


@given(events, st.integers(0, 42))
def test_folding_in_two_halves_equals_folding_at_once(given_events: list[Event], cut: int) -> None:
    whole = [start("r1"), start("r2"), *given_events]
    halves = fold(fold(Conversation(), whole[:cut]), whole[cut:])
    assert halves == fold(Conversation(), whole)


def test_two_runs_that_write_at_once_copy_their_texts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reduced: list[Event] = []

    def count(conversation: Conversation, event: Event) -> Conversation:
        reduced.append(event)
        return reduce(conversation, event)

    monkeypatch.setattr(sys.modules[fold.__module__], "reduce", count)
    opened = [start("r1"), start("r2"), *(TextStart(run=r, t=0, part="1") for r in ("r1", "r2"))]
    deltas = [TextDelta(run=r, t=1, part="1", delta="x") for _ in range(100) for r in ("r1", "r2")]
    state = fold(Conversation(), [*opened, *deltas])
    assert [message.text for message in state.messages] == ["x" * 100] * 2
    assert len(reduced) == 6


def test_a_branch_leads_from_the_root_to_its_leaf() -> None:
    path = TRANSCRIPTS[0].read_text("utf-8").splitlines()
    state = msgspec.convert(json.loads(path[-1])["state"], Conversation)
    assert [message.id for message in branch(state)] == ["m1", "a1", "m2", "a3"]
    assert [message.id for message in branch(state, "a2")] == ["m1", "a1", "m2", "a2"]
    with pytest.raises(KeyError):
        branch(state, "nobody")
