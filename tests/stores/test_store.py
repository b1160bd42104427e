"""One contract for all stores, and what is special about the SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from streamchat_relay.model import Internal, Start, StartedMessage, TextDelta
from streamchat_relay.protocol.codec import encode
from streamchat_relay.relay.ports import Store, StoredLog
from streamchat_relay.stores import MemoryStore, SQLiteStore, database, sqlite
from tests.stores.older import make_older


def delta(number: int) -> bytes:
    return encode(TextDelta(run="r1", t=number, part="1", delta="é"))


def start(run: str) -> bytes:
    message = StartedMessage(id="a1", role="assistant")
    return encode(Start(run=run, t=0, message=message, model="fake/one", provider="fake"))


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    make: dict[str, Callable[[], Store]] = {
        "memory": MemoryStore,
        "sqlite": lambda: SQLiteStore(tmp_path / "deep" / "db.sqlite3"),
    }
    made = make[request.param]()
    yield made
    await made.close()


async def test_a_load_sees_everything_that_was_appended_before_it(store: Store) -> None:
    store.append("ada", "c1", "e1", 1, [delta(1), delta(2)])
    store.append("ada", "c2", "e2", 1, [delta(9)])
    store.append("ada", "c1", "e1", 3, [delta(3)])
    stored = await store.load("ada", "c1")
    assert stored is not None
    assert (stored.epoch, stored.events) == ("e1", [delta(1), delta(2), delta(3)])


async def test_what_is_not_there_is_none(store: Store) -> None:
    assert await store.load("ada", "nothing") is None
    assert await store.find_run("ada", "nothing") is None


async def test_one_user_does_not_see_what_is_anothers(store: Store) -> None:
    store.append("ada", "c1", "e1", 1, [start("r1")])
    assert await store.load("bob", "c1") is None
    assert await store.find_run("bob", "r1") is None


async def test_a_run_is_found_in_its_conversation(store: Store) -> None:
    store.append("ada", "c1", "e1", 1, [start("r1"), delta(1)])
    store.append("ada", "c2", "e2", 1, [start("r2")])
    assert await store.find_run("ada", "r1") == "c1"
    assert await store.find_run("ada", "r2") == "c2"


async def test_what_is_saved_survives_a_process_that_never_closes(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite3"
    store = SQLiteStore(path)
    store.append("ada", "c1", "e1", 1, [start("r1"), delta(1)])
    await store.saved()
    other = SQLiteStore(path)
    stored = await other.load("ada", "c1")
    assert stored is not None
    assert stored.events == [start("r1"), delta(1)]
    await other.close()
    await store.close()


async def test_a_file_that_cannot_be_written_ends_nobodys_wait(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "db.sqlite3")
    with sqlite3.connect(tmp_path / "db.sqlite3") as other:
        other.execute("DROP TABLE events")
    store.append("ada", "c1", "e1", 1, [delta(1)])
    await store.saved()
    await store.close()


async def test_a_clean_restart_keeps_events_and_epoch(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite3"
    first = SQLiteStore(path)
    first.append("ada", "c1", "e1", 1, [start("r1"), delta(1)])
    await first.close()
    second = SQLiteStore(path)
    stored = await second.load("ada", "c1")
    assert stored is not None
    assert (stored.epoch, stored.events) == ("e1", [start("r1"), delta(1)])
    assert await second.find_run("ada", "r1") == "c1"
    await second.close()


async def test_a_process_that_did_not_close_costs_the_epoch_but_no_event(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite3"
    lost = SQLiteStore(path)
    lost.append("ada", "c1", "e1", 1, [delta(1)])
    await lost.load("ada", "c1")
    after = SQLiteStore(path)
    stored = await after.load("ada", "c1")
    assert stored is not None
    assert stored.events == [delta(1)]
    assert stored.epoch != "e1"
    again = await after.load("ada", "c1")
    assert again is not None
    assert again.epoch == stored.epoch
    await after.close()
    await lost.close()


async def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite3"
    store = SQLiteStore(path)
    store.append("ada", "c1", "e1", 1, [delta(1)])
    await store.load("ada", "c1")
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    await store.close()


@pytest.fixture
def unreadable(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, bytes]:
    """A file that is no database, a broken one, or one of a newer version; and what is in it."""
    path = tmp_path / "db.sqlite3"
    if request.param == "garbage":
        path.write_bytes(b"This is not a database. " * 100)
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE newer (x)")
            connection.execute("PRAGMA user_version = 99")
        connection.close()
    if request.param == "broken":
        path.write_bytes(path.read_bytes()[:100] + b"\xff" * 8000)
    return path, path.read_bytes()


UNREADABLE = pytest.mark.parametrize("unreadable", ["garbage", "broken", "newer"], indirect=True)


@UNREADABLE
async def test_a_file_that_cannot_be_read_is_moved_aside_as_it_was_and_a_new_one_begins(
    unreadable: tuple[Path, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    path, before = unreadable
    store = SQLiteStore(path)
    store.append("ada", "c1", "e1", 1, [delta(1)])
    await store.close()
    (aside,) = path.parent.glob("db.sqlite3.unread-*")
    assert aside.read_bytes() == before
    assert str(aside) in caplog.text
    again = SQLiteStore(path)
    stored = await again.load("ada", "c1")
    assert stored is not None
    assert stored.events == [delta(1)]
    await again.close()
    assert list(path.parent.glob("db.sqlite3.unread-*")) == [aside]


@UNREADABLE
async def test_servers_that_find_it_unreadable_at_once_move_it_once(
    unreadable: tuple[Path, bytes],
) -> None:
    path, before = unreadable
    stores = await asyncio.gather(*(asyncio.to_thread(SQLiteStore, path) for _ in range(6)))
    for number, store in enumerate(stores):
        store.append("ada", f"c{number}", "e1", 1, [delta(number)])
    for store in stores:
        await store.close()
    (aside,) = path.parent.glob("db.sqlite3.unread-*")
    assert aside.read_bytes() == before
    store = SQLiteStore(path)
    for number in range(6):
        assert await store.load("ada", f"c{number}") is not None
    await store.close()


async def test_a_file_of_the_first_version_is_upgraded_and_keeps_its_conversations(
    tmp_path: Path,
) -> None:
    path = tmp_path / "db.sqlite3"
    store = SQLiteStore(path)
    store.append("ada", "c1", "e1", 1, [delta(1)])
    await store.close()
    make_older(path, 1)
    store = SQLiteStore(path)
    stored = await store.load("ada", "c1")
    assert stored is not None
    assert stored.events == [delta(1)]
    store.append("ada", "c2", "e2", 1, [delta(2)])
    await store.close()
    with sqlite3.connect(path) as connection:
        ages = connection.execute("SELECT strftime('%s', 'now') - changed FROM conversation")
        assert all(-1 < age < 600 for (age,) in ages)
    connection.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.01)
    monkeypatch.setattr(sqlite, "RETRY_S", 0.01)


@pytest.mark.usefixtures("impatient")
async def test_what_could_not_be_written_is_not_read_around_and_is_written_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "db.sqlite3"
    store = SQLiteStore(path)
    store.append("ada", "c1", "e1", 1, [start("r1")])
    await store.load("ada", "c1")
    other = sqlite3.connect(path)
    other.execute("BEGIN IMMEDIATE")
    store.append("ada", "c1", "e1", 2, [delta(1)])
    for question in (store.load("ada", "c1"), store.find_run("ada", "r1")):
        with pytest.raises(Internal, match="cannot be saved") as caught:
            await question
        assert caught.value.retryable
    assert caplog.text.count("not being saved") == 1
    other.rollback()
    # Nothing is appended any more: it writes by itself.
    while True:
        ((data,), *more) = other.execute("SELECT data FROM events ORDER BY first").fetchall()
        if more:
            break
        await asyncio.sleep(0)
    assert (data, more) == (start("r1"), [(delta(1),)])
    other.close()
    stored = await store.load("ada", "c1")
    assert stored is not None
    assert stored.events == [start("r1"), delta(1)]
    await store.close()


@pytest.mark.usefixtures("impatient")
async def test_a_store_that_closes_without_writing_everything_costs_the_epoch(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "db.sqlite3"
    store = SQLiteStore(path)
    store.append("ada", "c1", "e1", 1, [start("r1")])
    await store.load("ada", "c1")
    other = sqlite3.connect(path)
    other.execute("BEGIN IMMEDIATE")
    store.append("ada", "c1", "e1", 2, [delta(1)])
    await store.close()
    assert "may be lost" in caplog.text
    other.close()
    again = SQLiteStore(path)
    stored = await again.load("ada", "c1")
    assert stored is not None
    assert stored.epoch != "e1"
    await again.close()


@pytest.mark.usefixtures("impatient")
async def test_a_transaction_that_failed_mixes_no_conversations(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite3"
    store = SQLiteStore(path)
    other = sqlite3.connect(path)
    # The second row of the transaction fails, so the first conversation's number is taken back.
    with other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON conversation WHEN NEW.id = 'c2' "
            "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    store.append("ada", "c1", "e1", 1, [delta(1)])
    store.append("ada", "c2", "e2", 1, [delta(2)])
    with pytest.raises(Internal):
        await store.load("ada", "c1")
    with other:
        other.execute("DROP TRIGGER full")
        other.execute(
            "INSERT INTO conversation (user, id, epoch, changed) VALUES ('bob', 'c9', 'e9', 0)"
        )
    other.close()
    found = [await store.load(*key) for key in (("ada", "c1"), ("ada", "c2"), ("bob", "c9"))]
    assert [one and one.events for one in found] == [[delta(1)], [delta(2)], []]
    await store.close()


async def test_of_two_servers_the_one_that_opened_a_conversation_last_keeps_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "db.sqlite3"
    one, two = SQLiteStore(path), SQLiteStore(path)
    one.append("ada", "c1", "e1", 1, [start("r1")])
    await one.load("ada", "c1")
    taken = await two.load("ada", "c1")
    assert taken is not None
    assert taken.epoch != "e1"
    two.append("ada", "c1", taken.epoch, 2, [delta(2), delta(3)])
    one.append("ada", "c1", "e1", 2, [delta(7), delta(8), delta(9)])
    one.append("ada", "c1", "e1", 5, [start("r9")])
    assert await one.find_run("ada", "r9") is None
    await two.find_run("ada", "nothing")
    assert "another Jupyter server" in caplog.text
    again = await one.load("ada", "c1")
    assert again is not None
    assert again.events == [start("r1"), delta(2), delta(3)]
    assert again.epoch not in {"e1", taken.epoch}
    await one.close()
    await two.close()


async def test_of_two_servers_that_begin_one_conversation_the_first_keeps_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "db.sqlite3"
    one, two = SQLiteStore(path), SQLiteStore(path)
    assert await one.load("ada", "c1") is None
    assert await two.load("ada", "c1") is None
    one.append("ada", "c1", "e1", 1, [delta(1)])
    await one.find_run("ada", "nothing")
    two.append("ada", "c1", "e2", 1, [delta(2), delta(3)])
    await two.find_run("ada", "nothing")
    await one.close()
    await two.close()
    three = SQLiteStore(path)
    stored = await three.load("ada", "c1")
    assert stored == StoredLog(epoch="e1", lines=[delta(1)])
    await three.close()


async def test_servers_that_start_at_once_make_the_file_once(tmp_path: Path) -> None:
    for number in range(5):
        path = tmp_path / f"{number}.sqlite3"
        stores = await asyncio.gather(*(asyncio.to_thread(SQLiteStore, path) for _ in range(6)))
        for store in stores:
            await store.close()


async def test_a_closed_store_answers_instead_of_hanging(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "db.sqlite3")
    await store.close()
    await store.close()
    with pytest.raises(Internal, match="stopping"):
        await store.load("ada", "c1")


@pytest.mark.parametrize("kind", ["a directory", "under a file"])
async def test_a_place_that_cannot_hold_the_file_is_refused_in_words(
    tmp_path: Path, kind: str
) -> None:
    (tmp_path / "file").write_text("x")
    path = tmp_path if kind == "a directory" else tmp_path / "file" / "db.sqlite3"
    with pytest.raises(Internal, match=r"c\.StreamChat\.database"):
        SQLiteStore(path)
