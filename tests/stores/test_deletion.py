"""Deleted conversations: hidden at once, restored for a while, and then without a trace."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from streamchat_relay.model import (
    FilePart,
    Finish,
    Internal,
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
from streamchat_relay.relay.ports import RESTORE_S, Keeper
from streamchat_relay.stores import FileBlobs, MemoryStore, SQLiteStore, UnavailableStore
from streamchat_relay.stores.archive import archived, put
from streamchat_relay.stores.blobs import blob_directory
from streamchat_relay.stores.database import open_database
from streamchat_relay.stores.sqlite import LOOK_S, REPLAY_S

SECRET = "xylophone-of-the-deep"


class Time:
    """Seconds since 1970 that a test owns."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def talk(text: str = SECRET, *, run: str = "r1", url: str = "") -> list[bytes]:
    """A prompt and its answer, encoded."""
    parts: tuple[TextPart | FilePart, ...] = (TextPart(id="1", text=text),)
    if url:
        parts = (*parts, FilePart(id="2", url=url, media_type="text/plain"))
    return [
        encode(one)
        for one in (
            MessageAdded(t=0, message=Message(id=f"u{run}", role="user", parts=parts)),
            Start(
                run=run,
                t=0,
                message=StartedMessage(id=f"a{run}", role="assistant"),
                model="fake/one",
                provider="fake",
            ),
            TextDelta(run=run, t=1, part="1", delta=f"About the {text}."),
            Finish(
                run=run,
                t=2,
                finish_reason="stop",
                raw_reason="stop",
                usage=Usage(input=1, output=1),
                timing=Timing(total_ms=1),
            ),
        )
    ]


@pytest.fixture
def now() -> Time:
    return Time()


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, now: Time) -> AsyncIterator[Keeper]:
    make: dict[str, Callable[[], Keeper]] = {
        "memory": lambda: MemoryStore(now=now),
        "sqlite": lambda: SQLiteStore(tmp_path / "db.sqlite3", now=now),
    }
    made = make[request.param]()
    yield made
    await made.close()


async def ids(store: Keeper, user: str = "ada") -> list[str]:
    return [one.id for one in await store.conversations(user, limit=9)]


async def test_a_deletion_hides_at_once_and_can_be_taken_back(store: Keeper, now: Time) -> None:
    store.append("ada", "c1", "e1", 1, talk())
    store.append("ada", "c2", "e2", 1, talk(run="r2"))
    assert await store.delete("ada", "c1")
    assert await ids(store) == ["c2"]
    assert [one.id for one in await store.conversations("ada", limit=9, search=SECRET)] == ["c2"]
    stored = await store.load("ada", "c1")
    assert stored is not None
    assert stored.deleted
    now.now += RESTORE_S - 1
    assert await store.restore("ada", "c1")
    assert sorted(await ids(store)) == ["c1", "c2"]
    stored = await store.load("ada", "c1")
    assert stored is not None
    assert (stored.deleted, stored.events) == (False, talk())


async def test_what_a_stopped_run_still_says_is_there_after_an_undo(store: Keeper) -> None:
    store.append("ada", "c1", "e1", 1, talk())
    await store.delete("ada", "c1")
    more = encode(TitleChanged(t=0, title="Later"))
    store.append("ada", "c1", "e1", 5, [more])
    assert await store.restore("ada", "c1")
    stored = await store.load("ada", "c1")
    assert stored is not None
    assert stored.events == [*talk(), more]


async def test_after_its_time_a_deletion_is_final_and_the_id_is_never_used_again(
    store: Keeper, now: Time
) -> None:
    store.append("ada", "c1", "e1", 1, talk())
    await store.delete("ada", "c1")
    now.now += 60
    # Deleting it again does not give it more time.
    assert await store.delete("ada", "c1")
    now.now += RESTORE_S - 60
    await store.saved()
    assert not await store.restore("ada", "c1")
    assert await store.find_run("ada", "r1") is None
    # Who had it open, and who comes with a new log of the same name.
    store.append("ada", "c1", "e1", 5, talk(run="r3"))
    store.append("ada", "c1", "e9", 1, talk(run="r4"))
    stored = await store.load("ada", "c1")
    assert stored is not None
    assert (stored.deleted, stored.events) == (True, [])
    assert await ids(store) == []


async def test_a_deleted_conversation_is_still_deleted_when_its_old_runs_are_folded(
    tmp_path: Path, now: Time
) -> None:
    store = SQLiteStore(tmp_path / "chats.sqlite3", now=now)
    store.append("ada", "c1", "e1", 1, talk())
    await store.saved()
    now.now += REPLAY_S - 1
    assert await store.delete("ada", "c1")
    now.now += 2
    found = await store.load("ada", "c1")
    assert found is not None
    assert found.epoch != "e1", "it was folded"
    assert found.deleted
    await store.close()


async def test_only_its_owner_deletes_and_restores_a_conversation(store: Keeper) -> None:
    store.append("ada", "c1", "e1", 1, talk())
    assert not await store.delete("bob", "c1")
    assert await ids(store) == ["c1"]
    await store.delete("ada", "c1")
    assert not await store.restore("bob", "c1")
    assert not await store.delete("ada", "nothing")
    assert not await store.restore("ada", "nothing")


async def test_a_store_that_cannot_be_opened_says_why() -> None:
    store = UnavailableStore(Internal("The disk is away."))
    for asked in (store.delete("ada", "c1"), store.restore("ada", "c1")):
        with pytest.raises(Internal, match="The disk is away"):
            await asked


def on_disk(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


async def test_nothing_of_the_text_remains_in_the_file(tmp_path: Path, now: Time) -> None:
    store = SQLiteStore(tmp_path / "db.sqlite3", now=now)
    store.append("ada", "kept", "e1", 1, talk("something else"))
    store.append("ada", "c1", "e1", 1, talk(SECRET + " " * 100_000))
    store.append("ada", "c1", "e1", 5, [encode(TitleChanged(t=0, title=f"Of {SECRET}"))])
    # So that its searched words are kept, too.
    assert len(await store.conversations("ada", limit=9, search="xylophone")) == 1
    await store.delete("ada", "c1")
    assert SECRET.encode() in on_disk(tmp_path)
    now.now += RESTORE_S
    await store.saved()
    await store.saved()
    assert SECRET.encode() not in on_disk(tmp_path)
    assert b"something else" in on_disk(tmp_path)
    assert await ids(store) == ["kept"]
    await store.close()


async def test_what_was_due_while_no_server_ran_goes_when_one_starts(
    tmp_path: Path, now: Time
) -> None:
    store = SQLiteStore(tmp_path / "db.sqlite3", now=now)
    store.append("ada", "c1", "e1", 1, talk())
    await store.delete("ada", "c1")
    await store.close()
    now.now += RESTORE_S
    after = SQLiteStore(tmp_path / "db.sqlite3", now=now)
    await after.saved()
    assert not await after.restore("ada", "c1")
    await after.close()
    assert SECRET.encode() not in on_disk(tmp_path)


async def test_what_another_server_deleted_goes_though_that_one_is_gone(
    tmp_path: Path, now: Time
) -> None:
    path = tmp_path / "chats.sqlite3"
    stays, goes = SQLiteStore(path, now=now), SQLiteStore(path, now=now)
    goes.append("ada", "c1", "e1", 1, talk())
    assert await goes.delete("ada", "c1")
    await goes.close()
    now.now += max(RESTORE_S, LOOK_S) + 1
    # Once to wake it, and once to wait for what it then does.
    await stays.saved()
    await stays.saved()
    assert SECRET.encode() not in on_disk(tmp_path)
    await stays.close()


async def test_files_that_nothing_else_uses_go_with_it(tmp_path: Path, now: Time) -> None:
    path = tmp_path / "db.sqlite3"
    blobs = FileBlobs(blob_directory(path), now=now)
    store = SQLiteStore(path, now=now, forget=blobs.forget)
    urls = {}
    for name in ("own", "shared", "asked for again"):
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        await blobs.keep("ada", sha256, name.encode())
        await blobs.keep("bob", sha256, name.encode())
        urls[name] = sha256
        for file in blob_directory(path).rglob(sha256):
            os.utime(file, (now.now, now.now))
    for number, (name, sha256) in enumerate(urls.items()):
        run = f"r{number}"
        events = talk(name, run=run, url=f"blob:sha256/{sha256}")
        store.append("ada", "c1", "e1", 4 * number + 1, events)
    store.append("ada", "c2", "e2", 1, talk(run="r9", url=f"blob:sha256/{urls['shared']}"))
    await store.delete("ada", "c1")
    now.now += 1
    assert await blobs.find("ada", urls["asked for again"]) is not None
    now.now += RESTORE_S
    await store.saved()
    await store.close()
    there = [await blobs.find("ada", sha256) is not None for sha256 in urls.values()]
    assert there == [False, True, True]
    # What is another's stays whatever happens.
    assert await blobs.find("bob", urls["own"]) is not None


async def test_what_was_deleted_is_in_no_export_and_can_be_imported_when_it_is_gone(
    tmp_path: Path, now: Time
) -> None:
    path = tmp_path / "db.sqlite3"
    store = SQLiteStore(path, now=now)
    store.append("ada", "c1", "e1", 1, talk())
    await store.saved()
    connection = open_database(path, None)
    (kept,) = archived(connection)
    await store.delete("ada", "c1")
    assert list(archived(connection)) == []
    assert not put(connection, kept)
    now.now += RESTORE_S
    await store.saved()
    assert put(connection, kept)
    connection.close()
    assert await ids(store) == ["c1"]
    await store.close()
