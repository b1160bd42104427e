"""The archive: whole conversations out of the SQLite file, into it, and away from it."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Iterator, Sequence

import msgspec

from streamchat_relay.stores.database import SUMMARIZE, transaction
from streamchat_relay.stores.lines import started_run
from streamchat_relay.stores.summary import Summary, summarized


class Archived(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation: whose it is, when it was last changed (seconds since 1970), its events."""

    user: str
    conversation: str
    changed: float
    events: Sequence[bytes]


def archived(
    connection: sqlite3.Connection, *, user: str | None = None, ids: Sequence[str] = ()
) -> Iterator[Archived]:
    """The conversations, the one that was changed last first: of one user, of these ids, or all."""
    rows = connection.execute(
        "SELECT number, user, id, changed FROM conversation "
        "WHERE deleted IS NULL AND (? IS NULL OR user = ?) ORDER BY changed DESC, number DESC",
        (user, user),
    ).fetchall()
    for number, owner, conversation, changed in rows:
        if ids and conversation not in ids:
            continue
        data = connection.execute(
            "SELECT data FROM events WHERE conversation = ? ORDER BY first", (number,)
        ).fetchall()
        events = [event for (one,) in data for event in one.split(b"\n")]
        yield Archived(user=owner, conversation=conversation, changed=changed, events=events)


def put(connection: sqlite3.Connection, one: Archived) -> bool:
    """Add a conversation; False, and nothing is changed, where its user has one of that id."""
    with transaction(connection):
        # One that is gone for good left nothing but its id.
        connection.execute(
            "DELETE FROM conversation WHERE user = ? AND id = ? AND epoch = ''",
            (one.user, one.conversation),
        )
        added = connection.execute(
            "INSERT OR IGNORE INTO conversation (user, id, epoch, changed) VALUES (?, ?, ?, ?)",
            (one.user, one.conversation, secrets.token_hex(4), one.changed),
        )
        if not added.rowcount:
            return False
        lines = b"\n".join(one.events)
        connection.execute("INSERT INTO events VALUES (?, 1, ?)", (added.lastrowid, lines))
        connection.execute(SUMMARIZE, (*summarized(Summary(), lines), added.lastrowid))
        connection.executemany(
            "INSERT OR IGNORE INTO run VALUES (?, ?, ?, ?)",
            [
                (one.user, run, one.conversation, one.changed)
                for run in map(started_run, one.events)
                if run is not None
            ],
        )
    return True


def unchanged(connection: sqlite3.Connection, before: float) -> int:
    """How many `prune` would delete."""
    count = "SELECT count(*) FROM conversation WHERE changed < ?"
    return int(connection.execute(count, (before,)).fetchone()[0])


def prune(connection: sqlite3.Connection, before: float) -> int:
    """Delete what was not changed since `before` (seconds since 1970); returns how many."""
    with transaction(connection):
        connection.execute(
            "DELETE FROM run WHERE EXISTS (SELECT 1 FROM conversation WHERE changed < ? "
            "AND conversation.user = run.user AND conversation.id = run.conversation)",
            (before,),
        )
        gone = connection.execute("DELETE FROM conversation WHERE changed < ?", (before,)).rowcount
    # While a server reads, the room stays in the file until later.
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("VACUUM")
    return gone
