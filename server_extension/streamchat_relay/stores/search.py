"""Search: the conversations of a user that hold all of some words, in the SQLite file.

The words of a conversation are kept beside its events, and are read anew when it is searched for
the first time after it was written to. To look through all of them is then a scan of some MB,
which takes less time than an index is worth.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence

from streamchat_relay.model import ConversationInfo
from streamchat_relay.model.reduce import replace
from streamchat_relay.stores.database import transaction
from streamchat_relay.stores.summary import Summary
from streamchat_relay.stores.words import Words, words

READ_BYTES = 4 * 1024 * 1024
"""How much is read at a time."""

_UNREAD = (
    "SELECT number, title, asked FROM conversation LEFT JOIN words ON conversation = number "
    "WHERE user = ? AND deleted IS NULL AND folded IS NULL"
)
_FIND = (
    "SELECT id, changed, title, asked, messages, model, plain, folded FROM conversation "
    "JOIN words ON conversation = number "
    "WHERE user = ? AND (changed, id) < (?, ?) AND deleted IS NULL {} "
    "ORDER BY changed DESC, id DESC LIMIT ?"
)


def read(connection: sqlite3.Connection, user: str) -> bool:
    """Read the words of some conversations that have changed; whether these were all."""
    rows = connection.execute(_UNREAD, (user,)).fetchall()
    if not rows:
        return True
    size = 0
    with transaction(connection):
        for number, title, asked in rows:
            if size > READ_BYTES:
                return False
            data = connection.execute(
                "SELECT data FROM events WHERE conversation = ? ORDER BY first", (number,)
            ).fetchall()
            size += sum(len(lines) for (lines,) in data)
            told = words(Summary(title, asked), (lines for (lines,) in data))
            connection.execute(
                "INSERT OR REPLACE INTO words VALUES (?, ?, ?)", (number, told.folded, told.plain)
            )
    return True


def find(
    connection: sqlite3.Connection,
    user: str,
    wanted: Sequence[str],
    limit: int,
    before: tuple[float, str] | None,
) -> list[ConversationInfo]:
    """The conversations that hold all the wanted words, which are folded; newest first."""
    changed, conversation = before or (math.inf, "")
    query = _FIND.format("AND instr(folded, ?) " * len(wanted))
    rows = connection.execute(query, (user, changed, conversation, *wanted, limit))
    return [
        replace(Summary(*told).info(one, used), found=Words(plain, folded).found(wanted))
        for one, used, *told, plain, folded in rows
    ]
