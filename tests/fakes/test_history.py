"""The judge of histories finds what is planted in them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from streamchat_relay.model import Conversation, fold
from streamchat_relay.protocol.codec import decode_event, encode
from streamchat_relay.protocol.outcomes import Deliver, Replace
from tests.fakes.history import Diary, Said, judge

WORDS = ["One ", "two ", "three"]
RUN: dict[str, Any] = {"run": "r1", "t": 1.0}
EVENTS: list[dict[str, Any]] = [
    {
        "type": "start", **RUN, "model": "mine/one", "provider": "mine",
        "message": {"id": "m1", "role": "assistant", "parent": None},
    },
    {"type": "text-start", **RUN, "part": "p1"},
    *({"type": "text-delta", **RUN, "part": "p1", "delta": word} for word in WORDS),
    {"type": "text-end", **RUN, "part": "p1"},
    {
        "type": "finish", **RUN, "finish_reason": "stop", "raw_reason": "stop",
        "usage": {"input": 1, "output": 1},
        "timing": {"ttft_ms": 1.0, "total_ms": 2.0, "output_per_s": 3.0},
    },
]  # fmt: skip
SAID = {"r1": Said("".join(WORDS))}
Frames = list[dict[str, Any]]


def events(first: int, *some: dict[str, Any]) -> dict[str, Any]:
    frame = {"type": "events", "conversation": "c1", "epoch": "e1"}
    return {**frame, "from": first, "to": first + len(some) - 1, "events": list(some)}


def state(count: int) -> Conversation:
    return fold(Conversation(), [decode_event(encode(event)) for event in EVENTS[:count]])  # type: ignore[misc]


def sockets() -> list[Frames]:
    """Two sockets of one client: a snapshot and live events, then a replay and the rest."""
    ok = {"type": "ok", "id": "q1", "conversation": "c1", "epoch": "e1"}
    opened = {"type": "open", "id": "q1", "conversation": "c1"}
    snapshot = {"type": "snapshot", "conversation": "c1", "epoch": "e1", "seq": 1}
    return [
        [
            opened,
            {**ok, "head": 1},
            {**snapshot, "state": json.loads(encode(state(1)))},
            *(events(seq, EVENTS[seq - 1]) for seq in (2, 3, 4)),
        ],
        [
            {**opened, "after": 4, "epoch": "e1"},
            {**ok, "head": 6},
            events(5, EVENTS[4], EVENTS[5]),
            events(7, EVENTS[6]),
        ],
    ]


def verdict(
    change: Callable[[list[Frames]], None] = lambda _: None, said: dict[str, Said] = SAID
) -> list[str]:
    """What the judge says of a client that was sent this, and of one that saw the whole log."""
    plan = copy.deepcopy(sockets())
    change(plan)
    diary = Diary("tab")
    for frames in plan:
        diary.socket()
        known = 0
        for frame in frames:
            text = json.dumps(frame)
            if frame["type"] == "open":
                diary.wrote(text)
                continue
            diary.got(text)
            if frame["type"] == "snapshot":
                diary.told(Replace("c1", frame["seq"], state(frame["seq"])))
            elif frame["type"] == "events" and frame["to"] > known:
                known = frame["to"]
                decoded = [decode_event(encode(event)) for event in frame["events"]]
                diary.told(Deliver("c1", known, tuple(decoded)))  # type: ignore[arg-type]
    whole = Diary("whole")
    whole.wrote('{"type": "open", "id": "q1", "conversation": "c1", "after": 0}')
    whole.got('{"type": "ok", "id": "q1", "conversation": "c1", "epoch": "e1", "head": 7}')
    whole.got(json.dumps(events(1, *EVENTS)))
    decoded = [decode_event(encode(event)) for event in EVENTS]
    whole.told(Deliver("c1", 7, tuple(decoded)))  # type: ignore[arg-type]
    return judge("c1", [diary, whole], said)


def lose(plan: list[Frames]) -> None:
    del plan[0][4]


def lose_the_last(plan: list[Frames]) -> None:
    plan[1].pop()


def lose_in_the_gap(plan: list[Frames]) -> None:
    del plan[1][2]


def double(plan: list[Frames]) -> None:
    plan[0].insert(5, plan[0][4])


def swap(plan: list[Frames]) -> None:
    plan[0][4], plan[0][5] = plan[0][5], plan[0][4]


def swap_what_they_carry(plan: list[Frames]) -> None:
    plan[0][4]["events"], plan[0][5]["events"] = plan[0][5]["events"], plan[0][4]["events"]


def alter(plan: list[Frames]) -> None:
    plan[1][2]["events"][0]["delta"] = "tree"


def alter_the_snapshot(plan: list[Frames]) -> None:
    plan[0][2]["state"]["title"] = "Another"


def miscount(plan: list[Frames]) -> None:
    plan[1][2]["to"] += 1


def forget_the_cursor(plan: list[Frames]) -> None:
    plan[1][0]["after"] = 3


def change_the_epoch(plan: list[Frames]) -> None:
    plan[1][1]["epoch"] = "e2"


def bring_a_snapshot_that_nobody_asked_for(plan: list[Frames]) -> None:
    plan[1].insert(2, {**plan[0][2], "seq": 4, "state": json.loads(encode(state(4)))})


def test_a_sound_history_has_no_faults() -> None:
    assert verdict() == []


@pytest.mark.parametrize(
    ("plant", "word"),
    [
        (lose, "lost"),
        (lose_the_last, "lost"),
        (lose_in_the_gap, "lost"),
        (double, "doubled"),
        (swap, "lost"),
        (swap_what_they_carry, "elsewhere"),
        (alter, "elsewhere"),
        (alter_the_snapshot, "snapshot"),
        (miscount, "are 2"),
        (forget_the_cursor, "lost"),
        (change_the_epoch, "epochs"),
        (bring_a_snapshot_that_nobody_asked_for, "nobody asked for"),
    ],
)
def test_what_happens_to_frames_is_found(plant: Callable[[list[Frames]], None], word: str) -> None:
    found = verdict(plant)
    assert any(word in fault for fault in found), found


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"r1": Said("One two three.")}, "the provider 'One two three.'"),
        ({"r1": Said("One two thre")}, "the provider 'One two thre'"),
        ({"r1": Said("".join(WORDS), generations=2)}, "generated 2 times"),
        ({"r1": Said("".join(WORDS), generations=0)}, "generated 0 times"),
        ({**SAID, "r2": Said("")}, "the runs are ['r1']"),
        ({}, "the runs are ['r1']"),
    ],
)
def test_what_the_provider_did_not_say_is_found(said: dict[str, Said], word: str) -> None:
    found = verdict(said=said)
    assert any(word in fault for fault in found), found


def logged(*log: dict[str, Any], told: int | None = None, stopped: bool = False) -> list[str]:
    """What the judge says of one client that got this whole log, and was told so much of it."""
    diary = Diary("tab")
    diary.wrote('{"type": "open", "id": "q1", "conversation": "c1", "after": 0}')
    diary.got('{"type": "ok", "id": "q1", "conversation": "c1", "epoch": "e1", "head": 9}')
    diary.got(json.dumps(events(1, *log)))
    seq = len(log) if told is None else told
    decoded = [decode_event(encode(event)) for event in log[:seq]]
    diary.told(Deliver("c1", seq, tuple(decoded)))  # type: ignore[arg-type]
    return judge("c1", [diary], {"r1": Said("".join(WORDS), stopped=stopped)})


ABORT = {"type": "abort", **RUN, "reason": "user"}


def test_the_ends_of_runs_are_judged() -> None:
    assert logged(*EVENTS) == []
    assert "ended with ['finish', 'finish']" in logged(*EVENTS, EVENTS[-1])[0]
    assert "ended with []" in logged(*EVENTS[:-1])[0]
    assert "ended with ['finish']" in logged(*EVENTS, EVENTS[1])[0]
    assert logged(*EVENTS[:4], EVENTS[5], ABORT, stopped=True) == []
    assert any("stopped by nobody" in fault for fault in logged(*EVENTS[:6], ABORT))
    twice = logged(*EVENTS[:4], EVENTS[3], EVENTS[5], ABORT, stopped=True)
    assert any("says 'One two two '" in fault or "says" in fault for fault in twice)


def test_a_delta_that_the_log_itself_has_twice_or_not_at_all_is_found() -> None:
    assert any("says" in fault for fault in logged(*EVENTS[:4], *EVENTS[3:]))
    assert any("says" in fault for fault in logged(*EVENTS[:3], *EVENTS[4:]))


def test_a_session_that_tells_its_owner_less_than_it_got_is_found() -> None:
    assert "was told up to 6 of 7" in logged(*EVENTS, told=6)[0]
