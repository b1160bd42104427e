"""A run that ended a day ago is folded: fewer events, the same conversation, nothing lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import (
    Abort,
    Conversation,
    Event,
    Message,
    MessageAdded,
    ReasoningDelta,
    ReasoningStart,
    Start,
    StartedMessage,
    Status,
    TextDelta,
    TextEnd,
    TextStart,
    ToolInputDelta,
    ToolInputStart,
    fold,
)
from streamchat_relay.protocol.codec import decode_event, encode
from streamchat_relay.stores import SQLiteStore
from streamchat_relay.stores.folding import Folding, folded
from streamchat_relay.stores.lines import gathered
from tests.stores.older import make_older

DAY_S = 24 * 3600.0


def start(run: str) -> Start:
    message = StartedMessage(id=f"{run}-a", role="assistant")
    return Start(run=run, t=0, message=message, model="fake/one", provider="fake")


def answer(run: str, *deltas: str) -> list[bytes]:
    """The events of a whole run."""
    events: list[Event] = [start(run), TextStart(run=run, t=1, part="1")]
    events += [TextDelta(run=run, t=2, part="1", delta=delta) for delta in deltas]
    events += [TextEnd(run=run, t=3, part="1"), Abort(run=run, t=3, reason="user")]
    return list(map(encode, events))


def state(events: Sequence[bytes]) -> Conversation:
    decoded = (decode_event(event) for event in events)
    return fold(Conversation(), (event for event in decoded if event is not None))


run_ids = st.sampled_from(["r1", "r2", "r3", "unknown"])
part_ids = st.sampled_from(["1", "2"])
times = st.integers(0, 9).map(float)
texts = st.text(max_size=3)
any_event = st.one_of(
    *(st.builds(kind, run=run_ids, part=part_ids, t=times) for kind in (TextStart, ReasoningStart)),
    st.builds(ToolInputStart, run=run_ids, part=part_ids, t=times, name=st.just("look")),
    *(
        st.builds(kind, run=run_ids, part=part_ids, t=times, delta=texts)
        for kind in (TextDelta, TextDelta, ReasoningDelta, ToolInputDelta)
    ),
    st.builds(TextEnd, run=run_ids, part=part_ids, t=times),
    st.builds(Status, run=run_ids, t=times, state=st.just("running")),
    st.builds(Abort, run=run_ids, t=times, reason=st.just("user")),
    st.builds(
        MessageAdded,
        t=times,
        message=st.builds(Message, id=st.sampled_from(["m1", "r1-a"]), role=st.just("user")),
    ),
)
encoded = st.one_of(
    any_event.map(encode), st.just(b'{"type":"later-delta","run":"r1","t":1,"delta":"?"}')
)


@given(
    st.lists(encoded, max_size=40),
    st.sets(run_ids),
    st.lists(st.integers(0, 43), max_size=6).map(sorted),
)
def test_a_folded_log_leads_to_the_same_conversation_however_it_is_cut(
    some: list[bytes], old: set[str], cuts: list[int]
) -> None:
    log = [encode(start(run)) for run in ("r1", "r2", "r3")] + some
    folding = Folding(old)
    for begin, end in zip([0, *cuts], [*cuts, len(log)], strict=True):
        folding.add(log[begin:end])
    found = folding.events()
    assert state(found) == state(log)
    assert len(found) <= len(log)
    again = Folding(old)
    again.add(found)
    assert state(again.events()) == state(log)

    def others(events: list[bytes]) -> list[bytes]:
        return [event for event in events if decode_run(event) not in old or b"-delta" not in event]

    assert others(found) == others(log)


def decode_run(event: bytes) -> str | None:
    return getattr(decode_event(event), "run", None)


@given(st.lists(st.lists(st.binary(min_size=1, max_size=9).map(bytes.hex), min_size=1)))
def test_gathering_lines_changes_none_of_them(rows: list[list[str]]) -> None:
    lines = ["\n".join(row).encode() for row in rows]
    assert b"\n".join(gathered(lines)) == b"\n".join(lines)


def test_lines_are_gathered_to_some_64_kib() -> None:
    small, large = [b"x" * 100] * 5000, b"\n".join([b"y" * 100] * 5000)
    for lines in (small, [large], [*small, large]):
        sizes = list(map(len, gathered(lines)))
        assert max(sizes) <= 64 * 1024
        assert min(sizes[:-1]) > 60 * 1024


async def test_no_folded_delta_is_large_beyond_measure() -> None:
    log = answer("r1", *["x" * 1000] * 500)
    found = await folded(gathered(log), {"r1"})
    assert max(map(len, found)) < 40_000
    assert len(found) < 25
    assert state(found) == state(log)


class Calendar:
    """The time of day, which a test sets."""

    def __init__(self) -> None:
        self.time = 1e9

    def now(self) -> float:
        return self.time


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "db.sqlite3"


def rows(path: Path) -> list[bytes]:
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT data FROM events ORDER BY first").fetchall()
    connection.close()
    return [event for (data,) in found for event in data.split(b"\n")]


async def test_a_run_replays_for_a_day_and_is_folded_then_under_a_new_epoch(
    path: Path, calendar: Calendar
) -> None:
    log = answer("r1", *"Hello")
    store = SQLiteStore(path, now=calendar.now)
    store.append("ada", "c1", "e1", 1, log[:4])
    store.append("ada", "c1", "e1", 5, log[4:])
    await store.saved()
    calendar.time += DAY_S - 1
    before = await store.load("ada", "c1")
    assert before is not None
    assert (before.epoch, before.events) == ("e1", log)
    calendar.time += 2
    after = await store.load("ada", "c1")
    assert after is not None
    assert after.epoch != "e1"
    assert len(after.events) == 5
    assert state(after.events) == state(log)
    assert rows(path) == after.events
    # Once is enough, and what follows is kept under the new epoch.
    again = await store.load("ada", "c1")
    assert again == after
    store.append("ada", "c1", after.epoch, 6, answer("r2", "x"))
    await store.close()
    assert rows(path) == [*after.events, *answer("r2", "x")]


async def test_only_runs_that_ended_long_ago_are_folded(path: Path, calendar: Calendar) -> None:
    store = SQLiteStore(path, now=calendar.now)
    old, new, lost = answer("r1", *"old"), answer("r2", *"new"), answer("r3", *"lost")[:-2]
    store.append("ada", "c1", "e1", 1, [*old, *lost])
    await store.saved()
    calendar.time += 2 * DAY_S
    store.append("ada", "c1", "e1", 1 + len(old) + len(lost), new)
    await store.saved()
    loaded = await store.load("ada", "c1")
    assert loaded is not None
    assert loaded.events[-len(new) - len(lost) :] == [*lost, *new]
    assert len(loaded.events) == 5 + len(lost) + len(new)
    await store.close()


async def test_how_long_runs_replay_is_a_setting(path: Path, calendar: Calendar) -> None:
    store = SQLiteStore(path, now=calendar.now, replay_s=60)
    store.append("ada", "c1", "e1", 1, answer("r1", *"Hello"))
    await store.saved()
    calendar.time += 61
    loaded = await store.load("ada", "c1")
    assert loaded is not None
    assert len(loaded.events) == 5
    await store.close()


async def test_a_fold_that_cannot_be_written_leaves_everything_as_it_was(
    path: Path, calendar: Calendar, caplog: pytest.LogCaptureFixture
) -> None:
    log = answer("r1", *"Hello")
    store = SQLiteStore(path, now=calendar.now)
    store.append("ada", "c1", "e1", 1, log)
    await store.saved()
    calendar.time += 2 * DAY_S
    # It fails at its last step, as if the process had ended there.
    with sqlite3.connect(path) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON run BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    other.close()
    loaded = await store.load("ada", "c1")
    assert loaded is not None
    assert (loaded.epoch, loaded.events) == ("e1", log)
    assert rows(path) == log
    assert "disk full" in caplog.text
    await store.close()


async def test_what_another_server_has_opened_meanwhile_is_not_replaced(
    path: Path, calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = answer("r1", *"Hello")
    one, two = (SQLiteStore(path, now=calendar.now) for _ in range(2))
    one.append("ada", "c1", "e1", 1, log)
    await one.saved()

    async def slow(*given: object) -> list[bytes]:
        monkeypatch.undo()
        taken = await two.load("ada", "c1")
        assert taken is not None
        two.append("ada", "c1", taken.epoch, 1 + len(taken.events), answer("r2", "x"))
        await two.saved()
        return await folded(*given)  # type: ignore[arg-type]

    calendar.time += 2 * DAY_S
    monkeypatch.setattr("streamchat_relay.stores.sqlite.folded", slow)
    loaded = await one.load("ada", "c1")
    assert loaded is not None
    assert loaded.events == log
    assert state(rows(path)) == state([*log, *answer("r2", "x")])
    await one.close()
    await two.close()


async def test_a_file_of_the_second_version_is_upgraded_and_its_old_runs_are_folded(
    path: Path, calendar: Calendar
) -> None:
    log = answer("r1", *"Hello")
    store = SQLiteStore(path, now=calendar.now)
    store.append("ada", "c1", "e1", 1, log)
    await store.close()
    make_older(path, 2)
    calendar.time += DAY_S / 2
    store = SQLiteStore(path, now=calendar.now)
    young = await store.load("ada", "c1")
    assert young is not None
    assert young.events == log
    calendar.time += DAY_S
    old = await store.load("ada", "c1")
    assert old is not None
    assert len(old.events) == 5
    assert state(old.events) == state(log)
    await store.close()
