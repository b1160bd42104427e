"""The ledger in an SQLite file of its own: what was used, and what calls that go on hold."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from pathlib import Path

from streamchat_relay.model import Internal
from streamchat_relay.relay.ports import Account, Amount, Taken
from streamchat_relay.stores.database import BUSY_S, move_aside, transaction

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS used (
    user TEXT NOT NULL,
    day TEXT NOT NULL,
    conversation TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    nano_usd INTEGER NOT NULL,
    PRIMARY KEY (user, day, conversation)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS used_by_conversation ON used (user, conversation);
CREATE TABLE IF NOT EXISTS held (
    user TEXT NOT NULL,
    run TEXT NOT NULL,
    day TEXT NOT NULL,
    conversation TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    nano_usd INTEGER NOT NULL,
    PRIMARY KEY (user, run)
) WITHOUT ROWID;
"""
_CHARGE = """
INSERT INTO used VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
SET tokens = max(0, tokens + excluded.tokens), nano_usd = max(0, nano_usd + excluded.nano_usd)
"""
# A process that was killed left them: what its calls really took nobody knows.
_LOST = """
INSERT INTO used SELECT user, day, conversation, sum(tokens), sum(nano_usd) FROM held
WHERE true GROUP BY user, day, conversation ON CONFLICT DO UPDATE
SET tokens = tokens + excluded.tokens, nano_usd = nano_usd + excluded.nano_usd
"""
_SUM = "SELECT coalesce(sum(tokens), 0), coalesce(sum(nano_usd), 0) FROM"
_USED_ON = f"{_SUM} used WHERE user = ? AND day = ?"
_HELD_ON = f"{_SUM} held WHERE user = ? AND day = ?"
_USED_IN = f"{_SUM} used WHERE user = ? AND conversation = ?"
_HELD_IN = f"{_SUM} held WHERE user = ? AND conversation = ?"


class SQLiteLedger:
    """One thread owns the file, so holds are decided one after another.

    `path` None keeps it in memory. Calls that a killed process held are charged in full when the
    file is opened; who still lives, where two servers of one user share the file, corrects that
    when it settles. A damaged file is moved aside. Raises `Internal` where there can be none.
    """

    def __init__(self, path: Path | None = None, *, log: logging.Logger | None = None) -> None:
        self._log = log or logging.getLogger(__name__)
        self._database = _opened(path, self._log)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="streamchat-ledger")

    async def hold(self, account: Account, decide: Callable[[Taken, Taken], Amount]) -> Amount:
        """See `relay.ports.Ledger`."""

        def write() -> Amount:
            with transaction(self._database):
                amount = decide(*self._taken(account.user, account.day, account.conversation))
                self._database.execute(
                    "INSERT INTO held VALUES (?, ?, ?, ?, ?, ?)",
                    (account.user, account.run, str(account.day), account.conversation, *amount),
                )
            return amount

        writing = self._thread.submit(write)
        try:
            return await asyncio.wrap_future(writing)
        except sqlite3.Error as error:
            raise Internal(
                f"What this answer would use cannot be written down ({error}), so it is not begun. "
                "Look at the disk of the Jupyter server.",
                retryable=True,
            ) from None
        except asyncio.CancelledError:
            # Whoever asked is gone, and will settle nothing.
            if not writing.cancel():
                writing.add_done_callback(lambda written: self._let_go(account, written))
            raise

    def settle(self, account: Account, held: Amount, used: Amount) -> None:
        """See `relay.ports.Ledger`."""

        def write() -> None:
            with transaction(self._database):
                found = self._database.execute(
                    "DELETE FROM held WHERE user = ? AND run = ?", (account.user, account.run)
                ).rowcount
                tokens, nano_usd = used
                if not found:
                    tokens, nano_usd = tokens - held.tokens, nano_usd - held.nano_usd
                if tokens or nano_usd:
                    self._database.execute(
                        _CHARGE,
                        (account.user, str(account.day), account.conversation, tokens, nano_usd),
                    )

        self._thread.submit(write).add_done_callback(self._look)

    async def taken(self, user: str, day: date, conversation: str) -> tuple[Taken, Taken]:
        """See `relay.ports.Ledger`."""
        return await asyncio.wrap_future(self._thread.submit(self._taken, user, day, conversation))

    async def close(self) -> None:
        """Write what is outstanding, then let go of the file."""
        await asyncio.wrap_future(self._thread.submit(self._database.close))
        self._thread.shutdown()

    def _taken(self, user: str, day: date, conversation: str) -> tuple[Taken, Taken]:
        def total(query: str, key: str) -> Amount:
            return Amount(*self._database.execute(query, (user, key)).fetchone())

        return (
            Taken(total(_USED_ON, str(day)), total(_HELD_ON, str(day))),
            Taken(total(_USED_IN, conversation), total(_HELD_IN, conversation)),
        )

    def _let_go(self, account: Account, written: Future[Amount]) -> None:
        if not written.cancelled() and written.exception() is None:
            self.settle(account, written.result(), Amount())

    def _look(self, written: Future[None]) -> None:
        error = written.exception()
        if error is not None:
            self._log.error(
                "What an answer used could not be written down (%s). What it held stays charged.",
                error,
            )


def _opened(path: Path | None, log: logging.Logger) -> sqlite3.Connection:
    try:
        return _connected(path)
    except (OSError, sqlite3.Error) as error:
        if path is not None and type(error) is sqlite3.DatabaseError:
            move_aside(path, str(error), log, what="What was used")
            return _connected(path)
        raise Internal(
            f"What is used cannot be written down in {path} ({error}), so it is forgotten when the "
            "server stops. Make that file writable."
        ) from None


def _connected(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made before SQLite does, so that there is no moment in which others could read it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    database = sqlite3.connect(path or ":memory:", check_same_thread=False, timeout=BUSY_S)
    try:
        database.executescript(_SCHEMA)
        with transaction(database):
            database.execute(_LOST)
            database.execute("DELETE FROM held")
    except BaseException:
        database.close()
        raise
    return database
