"""`jupyter streamchat`, run on the files of stores."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import stat
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from streamchat_relay.hosts.command import DAY_S, default_database, main
from streamchat_relay.model import (
    FilePart,
    Finish,
    Message,
    MessageAdded,
    Start,
    StartedMessage,
    TextDelta,
    TextEnd,
    TextPart,
    TextStart,
    Timing,
    TitleChanged,
    Usage,
)
from streamchat_relay.model.media import blob_url
from streamchat_relay.protocol.codec import encode
from streamchat_relay.stores import FileBlobs, SQLiteStore
from streamchat_relay.stores.blobs import blob_directory


def talk(run: str, answer: str) -> list[bytes]:
    """A prompt and its answer, as their events."""
    prompt = Message(id=f"p-{run}", role="user", parts=(TextPart(id="1", text="Why?"),), run=run)
    message = StartedMessage(id=f"a-{run}", role="assistant", parent=prompt.id)
    usage, timing = Usage(input=1, output=1), Timing(total_ms=2)
    return [
        encode(event)
        for event in (
            TitleChanged(t=0, title=f"About {run}"),
            MessageAdded(t=0, message=prompt),
            Start(run=run, t=0, message=message, model="fake/one", provider="fake"),
            TextStart(run=run, t=1, part="1"),
            TextDelta(run=run, t=1, part="1", delta=answer),
            TextEnd(run=run, t=2, part="1"),
            Finish(
                run=run, t=2, finish_reason="stop", raw_reason="stop", usage=usage, timing=timing
            ),
        )
    ]


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    """Two conversations of two users."""
    path = tmp_path / "db.sqlite3"
    store = SQLiteStore(path)
    store.append("owner", "c1", "e1", 1, talk("r1", "Because\nof *that*."))
    store.append("user:bob", "c2", "e2", 1, talk("r2", "So."))
    await store.close()
    return path


async def logs(path: Path) -> dict[tuple[str, str], Any]:
    store = SQLiteStore(path)
    keys = [("owner", "c1"), ("user:bob", "c2"), ("user:eve", "c1"), ("user:eve", "c2")]
    found = {key: await store.load(*key) for key in keys}
    await store.close()
    return {key: stored.events for key, stored in found.items() if stored is not None}


async def test_what_is_exported_and_imported_is_the_same(database: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "all.jsonl", tmp_path / "other.sqlite3"
    assert main(["--database", str(database), "export", str(file)]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert main(["--database", str(other), "import", str(file)]) == 0
    assert await logs(other) == await logs(database)
    store = SQLiteStore(other)
    assert await store.find_run("owner", "r1") == "c1"
    await store.close()


async def test_an_import_changes_nothing_that_is_there(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "all.jsonl"
    main(["--database", str(database), "export", str(file)])
    store = SQLiteStore(database)
    stored = await store.load("owner", "c1")
    assert stored is not None
    store.append("owner", "c1", stored.epoch, len(stored.events) + 1, talk("r9", "More."))
    await store.close()
    before = await logs(database)
    assert main(["--database", str(database), "import", str(file)]) == 0
    said = capsys.readouterr()
    assert "c1 is there already" in said.err
    assert "Imported 0 of 2" in said.out
    assert await logs(database) == before


async def test_an_import_can_be_for_another_user(database: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "all.jsonl", tmp_path / "other.sqlite3"
    main(["--database", str(database), "export", str(file)])
    assert main(["--database", str(other), "import", str(file), "--user", "user:eve"]) == 0
    assert set(await logs(other)) == {("user:eve", "c1"), ("user:eve", "c2")}


@pytest.mark.parametrize("damage", ["cut", "foreign", "newer", "wrong event"])
async def test_a_file_that_is_damaged_is_refused_in_words_and_nothing_of_it_is_kept(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    file, other = tmp_path / "all.jsonl", tmp_path / "other.sqlite3"
    main(["--database", str(database), "export", str(file)])
    lines = file.read_bytes().split(b"\n")
    if damage == "cut":
        lines = lines[:-3]
    elif damage == "foreign":
        lines = [b"Hello"]
    elif damage == "newer":
        lines[0] = json.dumps({**json.loads(lines[0]), "streamchat": 99}).encode()
    else:
        lines[2] = b'{"type": "text-delta"}'
    file.write_bytes(b"\n".join(lines))
    assert main(["--database", str(other), "import", str(file)]) == 1
    assert "line " in capsys.readouterr().err
    assert await logs(other) == {}


async def test_one_conversation_is_exported_as_markdown_to_read(
    database: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    arguments = ["export", "--format", "markdown", "--conversation", "c1"]
    assert main(["--database", str(database), *arguments]) == 0
    written = capsysbinary.readouterr().out.decode()
    expected = "# About r1\n\n## You\n\nWhy?\n\n## fake/one\n\nBecause\nof *that*.\n\n"
    assert written == expected


async def test_a_conversation_that_is_not_there_is_said(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--database", str(database), "export", "--conversation", "nope"]) == 1
    assert "There is no conversation nope." in capsys.readouterr().err


async def test_prune_deletes_what_was_not_changed_for_long_and_only_that(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(database) as connection:
        old = time.time() - 31 * DAY_S
        connection.execute("UPDATE conversation SET changed = ? WHERE id = 'c1'", (old,))
    connection.close()
    prune = ["--database", str(database), "prune", "--older-than", "30"]
    assert main([*prune, "--dry-run"]) == 0
    assert len(await logs(database)) == 2
    assert main(prune) == 0
    said = capsys.readouterr().out
    assert said == "1 conversations would be deleted.\nDeleted 1 conversations.\n"
    assert set(await logs(database)) == {("user:bob", "c2")}
    store = SQLiteStore(database)
    assert await store.find_run("owner", "r1") is None
    assert await store.find_run("user:bob", "r2") == "c2"
    await store.close()


async def test_what_is_said_in_a_pruned_conversation_leaves_no_log_with_a_hole(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = SQLiteStore(database)
    stored = await store.load("owner", "c1")
    assert stored is not None
    assert main(["--database", str(database), "prune", "--older-than", "0"]) == 0
    store.append("owner", "c1", stored.epoch, len(stored.events) + 1, talk("r9", "More."))
    assert await store.load("owner", "c1") is None
    assert "pruned" in caplog.text
    await store.close()


@pytest.mark.parametrize("command", [["export"], ["prune", "--older-than", "1"]])
def test_where_there_is_nothing_yet_it_says_so_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    path = tmp_path / "none.sqlite3"
    assert main(["--database", str(path), *command]) == 1
    assert "no conversations yet" in capsys.readouterr().err
    assert not path.exists()


def test_a_file_that_is_no_database_is_left_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "db.sqlite3"
    path.write_text("Not a database. " * 100)
    assert main(["--database", str(path), "export"]) == 1
    assert "cannot be opened" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_an_import_reads_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert main(["--database", str(tmp_path / "db.sqlite3"), "import"]) == 0
    assert "Imported 0 of 0" in capsys.readouterr().out


def test_the_database_is_the_one_that_the_server_is_configured_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    config = {"StreamChat": {"database": "/somewhere/chats.sqlite3"}}
    (tmp_path / "jupyter_server_config.json").write_text(json.dumps(config))
    assert default_database() == Path("/somewhere/chats.sqlite3")


async def uploaded(database: Path, data: bytes, *, days_ago: float) -> Path:
    """A file of the owner's, as a server keeps it."""
    blobs = FileBlobs(blob_directory(database), now=lambda: time.time() - days_ago * DAY_S)
    name = hashlib.sha256(data).hexdigest()
    await blobs.keep("owner", name, data)
    await blobs.find("owner", name)
    return next(blob_directory(database).rglob(name))


async def refers(database: Path, user: str, conversation: str, *files: Path) -> None:
    """Add a conversation whose prompt has these files."""
    store = SQLiteStore(database)
    parts = tuple(
        FilePart(id=str(number), url=blob_url(file.name), media_type="text/plain", size=3)
        for number, file in enumerate(files)
    )
    prompt = Message(id="p", role="user", parts=parts, run="r7")
    store.append(user, conversation, "e1", 1, [encode(MessageAdded(t=0, message=prompt))])
    await store.close()


async def test_prune_deletes_files_that_no_conversation_of_their_user_holds(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = await uploaded(database, b"held", days_ago=9)
    unsent = await uploaded(database, b"new", days_ago=0)
    unused = await uploaded(database, b"old", days_ago=9)
    others = await uploaded(database, b"of another", days_ago=9)
    await refers(database, "owner", "c7", held)
    await refers(database, "user:eve", "c7", others)
    prune = ["--database", str(database), "prune", "--older-than", "30"]
    assert main([*prune, "--dry-run"]) == 0
    assert unused.exists()
    assert main(prune) == 0
    assert held.exists()
    assert unsent.exists()
    assert not unused.exists()
    assert not others.exists()
    said = capsys.readouterr().out
    assert said.endswith("Deleted 2 files that no conversation holds any more.\n")
    # What goes with its conversation goes at once.
    assert main(["--database", str(database), "prune", "--older-than", "0"]) == 0
    assert not held.exists()


async def test_an_export_holds_the_files_that_its_prompts_refer_to(
    database: Path, tmp_path: Path
) -> None:
    notes = await uploaded(database, b"abc", days_ago=0)
    await refers(database, "owner", "c1b", notes)
    file, other = tmp_path / "all.jsonl", tmp_path / "other.sqlite3"
    arguments = ["export", "--conversation", "c1b", str(file)]
    assert main(["--database", str(database), *arguments]) == 0
    assert main(["--database", str(other), "import", str(file)]) == 0
    store = SQLiteStore(other)
    stored = await store.load("owner", "c1b")
    await store.close()
    assert stored is not None
    part = json.loads(stored.events[0])["message"]["parts"][0]
    assert part["url"] == "data:text/plain;base64,YWJj"
