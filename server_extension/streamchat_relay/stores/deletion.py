"""Deletion: conversations that are hidden at once, can be restored for a while, and then are gone.

What is left of one that is gone is its id, so that nobody writes to it who still has it open.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import NamedTuple

from streamchat_relay.relay.ports import RESTORE_S
from streamchat_relay.stores.database import transaction
from streamchat_relay.stores.logs import Key

REFERENCE = re.compile(rb"blob:sha256/([0-9a-f]{64})")
"""How an event names an uploaded file."""

# One that is gone has no epoch, so nothing can be appended to it.
_FIRST = "SELECT min(deleted) FROM conversation WHERE deleted IS NOT NULL AND epoch <> ''"
_DUE = (
    "SELECT number, user, id, deleted FROM conversation "
    "WHERE deleted IS NOT NULL AND epoch <> '' AND deleted <= ?"
)


class Unused(NamedTuple):
    """A file that nothing refers to any more, and when that what did was deleted."""

    user: str
    sha256: str
    since: float


Forget = Callable[[Unused], None]
"""Deletes such a file, unless somebody has asked for it since."""


def delete(connection: sqlite3.Connection, key: Key, now: float) -> bool:
    """Hide a conversation; False where there is none."""
    with transaction(connection):
        found = connection.execute(
            "UPDATE conversation SET deleted = coalesce(deleted, ?) WHERE user = ? AND id = ?",
            (now, *key),
        )
    return found.rowcount > 0


def restore(connection: sqlite3.Connection, key: Key) -> bool:
    """Show it again; False where there is none, or where it is gone."""
    with transaction(connection):
        found = connection.execute(
            "UPDATE conversation SET deleted = NULL WHERE user = ? AND id = ? AND epoch <> ''", key
        )
    return found.rowcount > 0


def due(connection: sqlite3.Connection) -> float | None:
    """When the next one is to be gone, in seconds since 1970."""
    (first,) = connection.execute(_FIRST).fetchone()
    return None if first is None else float(first) + RESTORE_S


def purge(connection: sqlite3.Connection, now: float) -> list[Unused]:
    """Let go of what can be restored no more; returns the files that this leaves unused."""
    unused: list[Unused] = []
    with transaction(connection):
        rows = connection.execute(_DUE, (now - RESTORE_S,)).fetchall()
        for number, user, conversation, deleted in rows:
            named = {
                sha256
                for (data,) in connection.execute(
                    "SELECT data FROM events WHERE conversation = ?", (number,)
                )
                for sha256 in REFERENCE.findall(data)
            }
            connection.execute("DELETE FROM events WHERE conversation = ?", (number,))
            connection.execute("DELETE FROM words WHERE conversation = ?", (number,))
            connection.execute(
                "DELETE FROM run WHERE user = ? AND conversation = ?", (user, conversation)
            )
            connection.execute(
                "UPDATE conversation SET epoch = '', open_in = NULL, title = '', asked = '', "
                "messages = 0, model = '' WHERE number = ?",
                (number,),
            )
            unused += [
                Unused(user, sha256.decode(), deleted)
                for sha256 in named
                if not _is_used(connection, user, sha256)
            ]
    return unused


def cleaned(connection: sqlite3.Connection) -> bool:
    """Whether nothing of what is gone stands beside the file any more, where writes wait.

    Not while another process reads.
    """
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def _is_used(connection: sqlite3.Connection, user: str, sha256: bytes) -> bool:
    row = connection.execute(
        "SELECT 1 FROM events JOIN conversation ON number = conversation "
        "WHERE user = ? AND instr(data, ?) LIMIT 1",
        (user, b"blob:sha256/" + sha256),
    ).fetchone()
    return row is not None
