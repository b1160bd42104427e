"""Logs in the database: taken by a store, written to, and replaced; each of it whole or not at all.

A conversation carries the mark of the store that took it last, and belongs to that one.
"""

from __future__ import annotations

import math
import secrets
import sqlite3
from typing import NamedTuple

from streamchat_relay.model import ConversationInfo
from streamchat_relay.relay.ports import StoredLog
from streamchat_relay.stores.database import SUMMARIZE, transaction
from streamchat_relay.stores.lines import TERMINALS, ended_run, gathered, started_run
from streamchat_relay.stores.summary import Summary, summarized, tells

Key = tuple[str, str]
"""A user, and a conversation of theirs."""

_FIND = "SELECT number, epoch, open_in, deleted FROM conversation WHERE user = ? AND id = ?"

_SUMMARY = "SELECT title, asked, messages, model FROM conversation WHERE number = ?"
_NEWEST = (
    "SELECT id, changed, title, asked, messages, model FROM conversation "
    "WHERE user = ? AND (changed, id) < (?, ?) AND deleted IS NULL "
    "ORDER BY changed DESC, id DESC LIMIT ?"
)


class Append(NamedTuple):
    """Events to append under an epoch, the first of them numbered `first`."""

    epoch: str
    first: int
    events: list[bytes]


class Opened(NamedTuple):
    """A log, and which of its runs ended so long ago that they are to be folded."""

    log: StoredLog
    old: frozenset[str]


def take(connection: sqlite3.Connection, key: Key, mark: str, before: float) -> Opened | None:
    """Put the mark on a conversation and read it; None where there is none.

    Where it has another's mark it gets a new epoch. Runs are old that ended before `before`.
    """
    # Most first prompts are in new conversations, and these need no lock to be missing.
    if connection.execute(_FIND, key).fetchone() is None:
        return None
    with transaction(connection):
        number, epoch, open_in, deleted = connection.execute(_FIND, key).fetchone()
        if not epoch:
            return Opened(StoredLog(epoch=epoch, lines=[], deleted=True), frozenset())
        if open_in not in {None, mark}:
            epoch = secrets.token_hex(4)
        if open_in != mark:
            connection.execute(
                "UPDATE conversation SET epoch = ?, open_in = ? WHERE number = ?",
                (epoch, mark, number),
            )
        rows = connection.execute(
            "SELECT data FROM events WHERE conversation = ? ORDER BY first", (number,)
        )
        lines = gathered(data for (data,) in rows)
        old = connection.execute(
            "SELECT id FROM run WHERE user = ? AND conversation = ? AND ended < ?", (*key, before)
        ).fetchall()
    log = StoredLog(epoch=epoch, lines=lines, deleted=deleted is not None)
    return Opened(log, frozenset(run for (run,) in old))


def replace(connection: sqlite3.Connection, key: Key, was: Opened, log: StoredLog) -> bool:
    """Put another log, in which the old runs are folded, in the place of the one that was taken.

    False, and nothing is changed, where another store has taken it since or it was pruned.
    """
    with transaction(connection):
        row = connection.execute(_FIND, key).fetchone()
        if row is None or row[1] != was.log.epoch:
            return False
        number = row[0]
        connection.execute(
            "UPDATE conversation SET epoch = ? WHERE number = ?", (log.epoch, number)
        )
        connection.execute("DELETE FROM events WHERE conversation = ?", (number,))
        first = 1
        for lines in log.lines:
            connection.execute("INSERT INTO events VALUES (?, ?, ?)", (number, first, lines))
            first += lines.count(b"\n") + 1
        connection.executemany(
            "UPDATE run SET ended = NULL WHERE user = ? AND id = ?",
            [(key[0], run) for run in was.old],
        )
    return True


def write(
    connection: sqlite3.Connection, key: Key, append: Append, *, mark: str, now: float
) -> bool:
    """Append within the caller's transaction; False where the log is no longer of this epoch."""
    user, conversation = key
    epoch, first, events = append
    row = connection.execute(_FIND, key).fetchone()
    if row is None:
        if first > 1:
            # It was pruned since.
            return False
        connection.execute(
            "INSERT INTO conversation (user, id, epoch, open_in, changed) VALUES (?, ?, ?, ?, ?)",
            (user, conversation, epoch, mark, now),
        )
        row = connection.execute(_FIND, key).fetchone()
    number, kept, _, _ = row
    if kept != epoch:
        return False
    connection.execute("UPDATE conversation SET changed = ? WHERE number = ?", (now, number))
    data = b"\n".join(events)
    connection.execute("INSERT OR REPLACE INTO events VALUES (?, ?, ?)", (number, first, data))
    if tells(data):
        known = connection.execute(_SUMMARY, (number,)).fetchone()
        connection.execute(SUMMARIZE, (*summarized(Summary(*known), data), number))
    ends = any(begin in data for begin in TERMINALS)
    if ends or tells(data):
        connection.execute("DELETE FROM words WHERE conversation = ?", (number,))
    # One look at the whole: most of what is written neither starts nor ends a run.
    if b'"start"' in data:
        connection.executemany(
            "INSERT OR IGNORE INTO run VALUES (?, ?, ?, NULL)",
            [(user, run, conversation) for run in map(started_run, events) if run is not None],
        )
    if ends:
        connection.executemany(
            "UPDATE run SET ended = ? WHERE user = ? AND id = ? AND conversation = ?",
            [(now, user, run, conversation) for run in map(ended_run, events) if run is not None],
        )
    return True


def newest(
    connection: sqlite3.Connection, user: str, limit: int, before: tuple[float, str] | None
) -> list[ConversationInfo]:
    """A user's conversations, the one changed last first; none of their events is read."""
    changed, conversation = before or (math.inf, "")
    rows = connection.execute(_NEWEST, (user, changed, conversation, limit))
    return [Summary(*told).info(one, used) for one, used, *told in rows]
