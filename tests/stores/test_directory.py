"""Which conversations there are, told without reading them; and how older files come to know it."""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat_relay.model import (
    Event,
    FilePart,
    Finish,
    Message,
    MessageAdded,
    Start,
    StartedMessage,
    TextDelta,
    TextPart,
    Timing,
    TitleChanged,
    Usage,
)
from streamchat_relay.protocol.codec import encode
from streamchat_relay.relay.ports import Keeper
from streamchat_relay.stores import MemoryStore, SQLiteStore, database
from streamchat_relay.stores.archive import archived, put
from streamchat_relay.stores.database import open_database
from streamchat_relay.stores.summary import TITLE_LENGTH, Summary, summarized

# As it was written until version 3.
SCHEMA_3 = """
CREATE TABLE conversation (
    number INTEGER PRIMARY KEY, user TEXT NOT NULL, id TEXT NOT NULL, epoch TEXT NOT NULL,
    open_in TEXT, changed REAL NOT NULL, UNIQUE (user, id)
);
CREATE TABLE events (
    conversation INTEGER NOT NULL REFERENCES conversation (number) ON DELETE CASCADE,
    first INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (conversation, first)
) WITHOUT ROWID;
CREATE TABLE run (
    user TEXT NOT NULL, id TEXT NOT NULL, conversation TEXT NOT NULL, ended REAL,
    PRIMARY KEY (user, id)
) WITHOUT ROWID;
CREATE INDEX unfolded ON run (user, conversation) WHERE ended IS NOT NULL;
PRAGMA user_version = 3;
"""


def asked(text: str, *, run: str = "r1", name: str | None = None) -> list[Event]:
    """A prompt and its whole answer, whose text looks like events."""
    parts: tuple[TextPart | FilePart, ...] = (TextPart(id="1", text=text),)
    if name is not None:
        file = FilePart(id="2", url="data:,x", media_type="text/plain", name=name)
        parts = (*parts, file)
    sly = '\n{"type":"start","model":"no/one"}\n{"type":"title","title":"No."}'
    return [
        MessageAdded(t=0, message=Message(id=f"u{run}", role="user", parts=parts)),
        Start(
            run=run,
            t=0,
            message=StartedMessage(id=f"a{run}", role="assistant"),
            model=f"fake/{run}",
            provider="fake",
        ),
        TextDelta(run=run, t=1, part="1", delta=sly),
        Finish(
            run=run,
            t=2,
            finish_reason="stop",
            raw_reason="stop",
            usage=Usage(input=1, output=1),
            timing=Timing(total_ms=1),
        ),
    ]


def encoded(*events: Event) -> list[bytes]:
    return [encode(event) for event in events]


class Time:
    """The stores' clock."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture(params=["memory", "sqlite"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Time
) -> AsyncIterator[Keeper]:
    make: dict[str, Callable[[], Keeper]] = {
        "memory": lambda: MemoryStore(now=clock),
        "sqlite": lambda: SQLiteStore(tmp_path / "db.sqlite3", now=clock),
    }
    made = make[request.param]()
    yield made
    await made.close()


async def test_a_conversation_is_told_with_its_first_line_its_count_and_its_last_model(
    store: Keeper, clock: Time
) -> None:
    first = encoded(*asked("\n  Explain \t gradient descent\nin French", run="r1"))
    store.append("ada", "c1", "e1", 1, first[:1])
    store.append("ada", "c1", "e1", 2, first[1:])
    clock.now += 5
    await store.saved()
    store.append("ada", "c1", "e1", 5, encoded(*asked("Go on", run="r2")))
    (told,) = await store.conversations("ada", limit=9)
    assert (told.id, told.title) == ("c1", "Explain gradient descent")
    assert (told.messages, told.model) == (4, "fake/r2")
    assert told.used == clock.now


async def test_a_title_that_was_given_comes_before_the_prompt(store: Keeper) -> None:
    store.append(
        "ada", "c1", "e1", 1, encoded(*asked("Hello"), TitleChanged(t=0, title="Greetings"))
    )
    (told,) = await store.conversations("ada", limit=9)
    assert told.title == "Greetings"


async def test_a_prompt_of_a_file_alone_is_told_by_its_name(store: Keeper) -> None:
    store.append("ada", "c1", "e1", 1, encoded(*asked(" ", name="figures.csv")))
    (told,) = await store.conversations("ada", limit=9)
    assert told.title == "figures.csv"


async def test_a_long_title_is_cut(store: Keeper) -> None:
    store.append("ada", "c1", "e1", 1, encoded(*asked("word " * 10_000)))
    (told,) = await store.conversations("ada", limit=9)
    assert len(told.title) == TITLE_LENGTH
    assert told.title.endswith("…")


async def test_nobody_sees_the_conversations_of_another(store: Keeper) -> None:
    store.append("ada", "c1", "e1", 1, encoded(*asked("Mine")))
    store.append("bob", "c2", "e2", 1, encoded(*asked("His")))
    assert [one.title for one in await store.conversations("ada", limit=9)] == ["Mine"]
    assert await store.conversations("eve", limit=9) == []


async def test_pages_have_each_conversation_once_also_those_of_one_moment(
    store: Keeper, clock: Time
) -> None:
    for number in range(25):
        # Many are written in one transaction, and are then equally old.
        if number % 10 == 0:
            await store.saved()
            clock.now += 1
        store.append("ada", f"c{number:02}", "e", 1, encoded(*asked(f"Number {number}")))
    await store.saved()
    pages = []
    before = None
    while page := await store.conversations("ada", limit=7, before=before):
        pages.append([one.id for one in page])
        before = (page[-1].used, page[-1].id)
    assert [len(page) for page in pages] == [7, 7, 7, 4]
    assert list(itertools.chain(*pages)) == [f"c{number:02}" for number in reversed(range(25))]


@given(st.lists(st.integers(1, 30), max_size=8))
def test_a_summary_is_the_same_however_its_events_were_gathered(cuts: list[int]) -> None:
    events = encoded(
        *asked("One", run="r1"), TitleChanged(t=0, title="T"), *asked("Two", run="r2"), *asked("x")
    )
    whole = summarized(Summary(), b"\n".join(events))
    assert whole == Summary("T", "One", 6, "fake/r1")
    summary = Summary()
    places = sorted({0, len(events), *(cut % len(events) for cut in cuts)})
    for begin, end in itertools.pairwise(places):
        summary = summarized(summary, b"\n".join(events[begin:end]))
    assert summary == whole


def test_an_event_that_is_damaged_costs_no_more_than_its_title() -> None:
    broken = (
        b'{"type":"message","message":7}',
        b'{"type":"start","model":8}',
        b'{"type":"title","title":"\xff"}',
        b'{"type":"title","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    )
    summary = summarized(Summary(), b"\n".join([*broken, *encoded(*asked("Whole"))]))
    assert summary == Summary("", "Whole", 4, "fake/r1")


async def test_an_upgrade_that_is_broken_off_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "db.sqlite3"
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA_3)
    connection.execute("INSERT INTO conversation VALUES (1, 'ada', 'c1', 'e', NULL, 1000)")
    events = b"\n".join(encoded(*asked("Still here")))
    connection.execute("INSERT INTO events VALUES (1, 1, ?)", (events,))
    connection.commit()

    def broken_off(_summary: Summary, _lines: bytes) -> Summary:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(database, "summarized", broken_off)
        with pytest.raises(KeyboardInterrupt):
            SQLiteStore(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    connection.close()
    store = SQLiteStore(path)
    (told,) = await store.conversations("ada", limit=9)
    assert (told.title, told.messages) == ("Still here", 2)
    await store.close()


async def test_a_file_of_version_3_is_upgraded_and_knows_what_it_keeps(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite3"
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA_3)
    for number in range(3):
        connection.execute(
            "INSERT INTO conversation (user, id, epoch, changed) VALUES ('ada', ?, 'e', ?)",
            (f"c{number}", 1000.0 + number),
        )
        events = encoded(*asked(f"Number {number}"), *asked("More", run="r2"))
        for first in range(0, len(events), 3):
            connection.execute(
                "INSERT INTO events VALUES (?, ?, ?)",
                (number + 1, first + 1, b"\n".join(events[first : first + 3])),
            )
    connection.commit()
    connection.close()
    store = SQLiteStore(path)
    told = await store.conversations("ada", limit=9)
    assert [(one.id, one.title, one.used, one.messages, one.model) for one in told] == [
        (f"c{number}", f"Number {number}", 1000.0 + number, 4, "fake/r2") for number in (2, 1, 0)
    ]
    kept = await store.load("ada", "c1")
    assert kept is not None
    store.append("ada", "c1", kept.epoch, 9, encoded(*asked("And now", run="r3")))
    newest, *_ = await store.conversations("ada", limit=9)
    assert (newest.id, newest.title, newest.messages) == ("c1", "Number 1", 6)
    await store.close()


async def test_what_is_imported_is_told_as_it_was(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "one.sqlite3", now=Time())
    store.append("ada", "c1", "e1", 1, encoded(*asked("Hello")))
    before = await store.conversations("ada", limit=9)
    await store.close()
    connections = [open_database(tmp_path / f"{name}.sqlite3", None) for name in ("one", "two")]
    for one in archived(connections[0]):
        assert put(connections[1], one)
    for connection in connections:
        connection.close()
    store = SQLiteStore(tmp_path / "two.sqlite3")
    assert await store.conversations("ada", limit=9) == before
    await store.close()


async def test_a_thousand_long_conversations_are_told_without_reading_them(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite3"
    connection = open_database(path, None)
    long = b"\n".join(encoded(TextDelta(run="r", t=1, part="1", delta="x" * 50_000)))
    with connection:
        for number in range(1000):
            connection.execute(
                "INSERT INTO conversation (user, id, epoch, changed, asked) "
                "VALUES ('ada', ?, 'e', ?, 'Hello')",
                (f"c{number}", float(number)),
            )
            connection.execute("INSERT INTO events VALUES (?, 1, ?)", (number + 1, long))

    connection.close()
    store = SQLiteStore(path)
    begun = time.perf_counter()
    told = await store.conversations("ada", limit=1000)
    took_s = time.perf_counter() - begun
    assert [one.id for one in told[:2]] == ["c999", "c998"]
    assert len(told) == 1000
    # 50 MB of events would take longer to read than this, on any machine.
    assert took_s < 1
    await store.close()
    plan = open_database(path, None)
    (row,) = plan.execute(
        "EXPLAIN QUERY PLAN SELECT id FROM conversation WHERE user = 'ada' "
        "AND (changed, id) < (1, 'x') ORDER BY changed DESC, id DESC LIMIT 5"
    ).fetchall()
    assert "USING COVERING INDEX used" in row[3]
    plan.close()
