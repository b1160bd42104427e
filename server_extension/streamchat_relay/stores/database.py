"""The SQLite file: readable by its owner alone, with our tables; moved aside if it has others."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir

from streamchat_relay.model import Internal
from streamchat_relay.stores.summary import Summary, summarized

SCHEMA_VERSION = 5
BUSY_S = 10.0
"""How long another process may keep the file locked before that is a failure."""

# None for a conversation that was not searched since it was written to.
_WORDS = """CREATE TABLE words (
    conversation INTEGER PRIMARY KEY REFERENCES conversation (number) ON DELETE CASCADE,
    folded TEXT NOT NULL, -- the columns of `Words`
    plain TEXT NOT NULL
)"""

_SCHEMA = f"""
CREATE TABLE conversation (
    number INTEGER PRIMARY KEY,
    user TEXT NOT NULL,
    id TEXT NOT NULL,
    epoch TEXT NOT NULL,
    open_in TEXT, -- the store that may have events which are not written yet
    changed REAL NOT NULL, -- when something was last written to it, in seconds since 1970
    title TEXT NOT NULL DEFAULT '', -- the columns of a `Summary`
    asked TEXT NOT NULL DEFAULT '',
    messages INTEGER NOT NULL DEFAULT 0,
    model TEXT NOT NULL DEFAULT '',
    deleted REAL, -- when, in seconds since 1970
    UNIQUE (user, id)
);
CREATE INDEX used ON conversation (user, changed, id);
CREATE INDEX deleted ON conversation (deleted) WHERE deleted IS NOT NULL;
{_WORDS};
CREATE TABLE events (
    conversation INTEGER NOT NULL REFERENCES conversation (number) ON DELETE CASCADE,
    first INTEGER NOT NULL, -- the seq of the first of these events
    data BLOB NOT NULL, -- JSON, an event a line
    PRIMARY KEY (conversation, first)
) WITHOUT ROWID;
CREATE TABLE run (
    user TEXT NOT NULL,
    id TEXT NOT NULL,
    conversation TEXT NOT NULL,
    ended REAL, -- in seconds since 1970, and NULL while it goes on and once it is folded
    PRIMARY KEY (user, id)
) WITHOUT ROWID;
CREATE INDEX unfolded ON run (user, conversation) WHERE ended IS NOT NULL;
PRAGMA user_version = {SCHEMA_VERSION}
"""

_UPGRADES = {
    # Nobody knows how old they are: as if they had been used now.
    1: "ALTER TABLE conversation ADD COLUMN changed REAL NOT NULL DEFAULT 0;"
    "UPDATE conversation SET changed = strftime('%s', 'now');"
    "PRAGMA user_version = 2",
    # Not before it was last written to; who finds a run without an end ends it.
    2: "ALTER TABLE run ADD COLUMN ended REAL;"
    "UPDATE run SET ended = (SELECT changed FROM conversation"
    " WHERE conversation.user = run.user AND conversation.id = run.conversation);"
    "CREATE INDEX unfolded ON run (user, conversation) WHERE ended IS NOT NULL;"
    "PRAGMA user_version = 3",
    # What they hold `_summarize` reads from the events.
    3: "ALTER TABLE conversation ADD COLUMN title TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE conversation ADD COLUMN asked TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE conversation ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE conversation ADD COLUMN model TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX used ON conversation (user, changed, id);"
    "PRAGMA user_version = 4",
    4: "ALTER TABLE conversation ADD COLUMN deleted REAL;"
    "CREATE INDEX deleted ON conversation (deleted) WHERE deleted IS NOT NULL;"
    f"{_WORDS};"
    "PRAGMA user_version = 5",
}
"""By version: what makes the next one of it."""


SUMMARIZE = "UPDATE conversation SET title = ?, asked = ?, messages = ?, model = ? WHERE number = ?"


class _Unreadable(Exception):
    """The file is no database, a broken one, or one of a newer version."""


def database_path(configured: str) -> Path:
    """Where the database is: at the configured place, else in Jupyter's data directory."""
    return Path(
        configured or Path(jupyter_data_dir(), "streamchat/conversations.sqlite3")
    ).expanduser()


def open_database(path: Path, log: logging.Logger | None) -> sqlite3.Connection:
    """The database at `path`, made if it is not there.

    What cannot be read is never overwritten: it is moved aside, the log says where, and a new
    file begins. Raises `Internal` when there can be no file at that place, and without a log
    also when there is one that cannot be read.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(path.parent):
            try:
                return _connected(path)
            except _Unreadable as unreadable:
                if log is None:
                    raise
                move_aside(path, str(unreadable), log)
                return _connected(path)
    except (_Unreadable, OSError, sqlite3.Error) as error:
        raise Internal(
            f"The conversations in {path} cannot be opened ({error}). Move that file "
            "away, or set c.StreamChat.database to another one."
        ) from None


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block's changes, or none."""
    # Immediate: who reads first and writes then must not meet another writer in between.
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        yield


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Of several servers that start at once, let one after the other open the file.

    Where the system has no such locks, they meet in SQLite's own.
    """
    descriptor = None
    try:
        with contextlib.suppress(OSError, ImportError):
            import fcntl  # noqa: PLC0415 - Windows has none

            descriptor = os.open(directory, os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _connected(path: Path) -> sqlite3.Connection:
    # Made before SQLite does, so that there is no moment in which others could read it.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)
    connection = sqlite3.connect(path, check_same_thread=False, timeout=BUSY_S)
    try:
        _prepare(connection)
    except BaseException as error:
        connection.close()
        # What is busy, full or forbidden is an OperationalError, which says nothing of the content.
        if type(error) is sqlite3.DatabaseError:
            raise _Unreadable(str(error)) from None
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    # In one transaction, because two servers may start at once.
    with transaction(connection):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise _Unreadable(
                f"a newer jupyter_streamchat wrote version {version}, this one reads "
                f"{SCHEMA_VERSION}"
            )
        script = (
            _SCHEMA
            if version == 0
            else ";".join(upgrade for since, upgrade in _UPGRADES.items() if since >= version)
        )
        for statement in script.split(";"):
            connection.execute(statement)
        if 0 < version < 4:
            _summarize(connection)
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    # What is deleted is overwritten.
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA foreign_keys = ON")


def _summarize(connection: sqlite3.Connection) -> None:
    """Read once what a list tells of each conversation; from then on it is kept up."""
    for (number,) in connection.execute("SELECT number FROM conversation").fetchall():
        summary = Summary()
        rows = connection.execute(
            "SELECT data FROM events WHERE conversation = ? ORDER BY first", (number,)
        )
        for (lines,) in rows:
            summary = summarized(summary, lines)
        connection.execute(SUMMARIZE, (*summary, number))


def move_aside(
    path: Path, why: str, log: logging.Logger, *, what: str = "The conversations"
) -> None:
    """Give a file that cannot be read another name, and say so."""
    now = datetime.now(timezone.utc)
    aside = path.with_name(f"{path.name}.unread-{now:%Y%m%dT%H%M%S.%f}")
    # What SQLite has not put into the file yet stands beside it.
    for ending in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
    log.error(
        "%s in %s cannot be read (%s). The file is %s now, as it was, and an empty one takes its "
        "place. To go back, move that one to its place while no server runs.",
        what,
        path,
        why,
        aside,
    )


def _use_wal(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:  # noqa: PERF203 - it is a wait
            # SQLite does not wait here by itself while another server that starts does the same.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
