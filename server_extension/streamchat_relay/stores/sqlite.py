"""The store in one SQLite file, written behind the hot path by a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from streamchat_relay.model import ConversationInfo, Internal
from streamchat_relay.relay.ports import StoredLog
from streamchat_relay.stores import deletion, logs
from streamchat_relay.stores import search as search_
from streamchat_relay.stores.database import open_database, transaction
from streamchat_relay.stores.folding import folded
from streamchat_relay.stores.lines import gathered
from streamchat_relay.stores.logs import Append, Key
from streamchat_relay.stores.words import searched

GATHER_S = 0.2
"""How long events are gathered for one transaction, and one waking of the thread."""
GATHER_BYTES = 1024 * 1024
"""How much is gathered at most."""
RETRY_S = 1.0
"""How long until events that could not be written are tried again."""
PURGE_AGAIN_S = 60.0
"""How long until what could not be let go of is tried again."""
LOOK_S = 600.0
"""How often a server that has deleted nothing looks whether another one has, which may be gone."""
REPLAY_S = 24 * 3600.0
"""How long after its end a run is kept delta by delta."""

_Appends = dict[Key, Append]
_Job = Callable[[sqlite3.Connection, Exception | None], None]


class SQLiteStore:
    """Keeps logs in a file that only its owner can read.

    One thread owns the database. Appends are gathered and handed to it several times a second; a
    load comes after the appends before it, so it sees everything. Methods are called on one event
    loop.

    A process that is killed may lose its last moments, which readers have seen already. Their
    cursors must not point into a log that went another way since. So a conversation carries the
    mark of the store that has it open, and whoever loads it with somebody else's mark gives it a
    new epoch. Where that somebody still lives (two servers of one user share the file), what it
    appends under the old epoch is refused: a conversation belongs to who loaded it last.

    Raises `Internal` when there can be no file at that place.
    """

    def __init__(
        self,
        path: Path,
        *,
        replay_s: float = REPLAY_S,
        now: Callable[[], float] = time.time,
        forget: deletion.Forget | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        self._path = path
        self._forget = forget
        self._replay_s = replay_s
        self._now = now
        self._log = log or logging.getLogger(__name__)
        self._mark = secrets.token_hex(8)
        self._closed = False
        self._taken: set[tuple[Key, str]] = set()
        self._gathered: _Appends = {}
        self._size = 0
        self._queue: queue.SimpleQueue[_Appends | _Job | None] = queue.SimpleQueue()
        connection = open_database(path, self._log)
        # When a deleted conversation is to be gone.
        self._due = deletion.due(connection)
        self._looked = now()
        self._thread = threading.Thread(
            target=self._write,
            args=(connection,),
            name="streamchat-store",
            daemon=True,
        )
        self._thread.start()

    async def load(self, user: str, conversation: str) -> StoredLog | None:
        """The log with everything appended so far, or None where there is none.

        Runs that ended long ago are folded first: nobody reads the conversation now.
        """
        key = (user, conversation)
        before = self._now() - self._replay_s
        if key in self._gathered:
            self._hand_over()
        found: logs.Opened | None = await self._ask(
            lambda connection: logs.take(connection, key, self._mark, before)
        )
        if found is None:
            return None
        return await self._fold(key, found) if found.old else found.log

    async def _fold(self, key: Key, found: logs.Opened) -> StoredLog:
        """Put the folded log in the place of the other, or leave that where it is."""
        lines = gathered(await folded(found.log.lines, found.old))
        log = StoredLog(epoch=secrets.token_hex(4), lines=lines, deleted=found.log.deleted)
        try:
            written: bool = await self._ask(
                lambda connection: logs.replace(connection, key, found, log)
            )
        except (Internal, sqlite3.Error) as error:
            # A full disk must not keep anybody from reading.
            self._log.warning("Conversation %s could not be folded: %s", key[1], error)
            return found.log
        return log if written else found.log

    def append(
        self, user: str, conversation: str, epoch: str, first: int, events: Sequence[bytes]
    ) -> None:
        """Keep encoded events, the first of them numbered `first`; returns at once."""
        if not self._gathered:
            asyncio.get_running_loop().call_later(GATHER_S, self._hand_over)
        key = (user, conversation)
        self._gathered.setdefault(key, Append(epoch, first, [])).events.extend(events)
        self._size += sum(map(len, events))
        if self._size > GATHER_BYTES:
            self._hand_over()

    async def saved(self) -> None:
        """Return when everything appended so far is written, or was found not to be writable."""
        self._hand_over()
        with contextlib.suppress(Internal):
            await self._ask(lambda _: None)

    async def find_run(self, user: str, run: str) -> str | None:
        """The conversation that holds this run."""

        def read(connection: sqlite3.Connection) -> str | None:
            row = connection.execute(
                "SELECT conversation FROM run WHERE user = ? AND id = ?", (user, run)
            ).fetchone()
            return None if row is None else str(row[0])

        self._hand_over()
        found: str | None = await self._ask(read)
        return found

    async def conversations(
        self,
        user: str,
        *,
        limit: int,
        before: tuple[float, str] | None = None,
        search: str = "",
    ) -> list[ConversationInfo]:
        """A user's conversations, the one used last first."""
        self._hand_over()
        found: list[ConversationInfo]
        wanted = searched(search)
        if not wanted:
            found = await self._ask(lambda one: logs.newest(one, user, limit, before))
            return found
        # In steps, between which others are served: what was never searched has to be read once.
        while not await self._ask(lambda one: search_.read(one, user)):
            pass
        found = await self._ask(lambda one: search_.find(one, user, wanted, limit, before))
        return found

    async def delete(self, user: str, conversation: str) -> bool:
        """Hide it; see `relay.ports.Directory`."""
        self._hand_over()

        def hide(connection: sqlite3.Connection) -> bool:
            hidden = deletion.delete(connection, (user, conversation), self._now())
            self._due = deletion.due(connection)
            return hidden

        hidden: bool = await self._ask(hide)
        return hidden

    async def restore(self, user: str, conversation: str) -> bool:
        """Show it again, where it is not gone."""
        restored: bool = await self._ask(lambda one: deletion.restore(one, (user, conversation)))
        return restored

    async def close(self) -> None:
        """Write what is outstanding, take the marks back, and let go of the file."""

        def unmark(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute(
                    "UPDATE conversation SET open_in = NULL WHERE open_in = ?", (self._mark,)
                )

        if self._closed:
            return
        self._hand_over()
        asking = self._ask(unmark)
        self._closed = True
        try:
            await asking
        except (Internal, sqlite3.Error) as error:
            # The marks stay: readers may have seen what the file does not have.
            self._log.error("The last moments of conversations may be lost: %s", error)
        self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _ask(self, read: Callable[[sqlite3.Connection], Any]) -> asyncio.Future[Any]:
        """What the thread finds when everything handed over before is written.

        Raises `Internal` when it could not be written: what the file says is not the truth then.
        """
        if self._closed:
            raise Internal("The Jupyter server is stopping.", retryable=True)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()

        def job(connection: sqlite3.Connection, fault: Exception | None) -> None:
            value = None
            if fault is None:
                try:
                    value = read(connection)
                except Exception as error:  # noqa: BLE001 - it belongs to who asked
                    fault = error
            else:
                fault = Internal(
                    f"The conversations in {self._path} cannot be saved ({fault}), so they cannot "
                    "be read now. Try again when there is room on the disk.",
                    retryable=True,
                )
            # A loop that is closed has nobody who waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, answer, value, fault)

        self._queue.put(job)
        return answer

    def _hand_over(self) -> None:
        """Give the thread what was gathered."""
        if self._gathered:
            self._queue.put(self._gathered)
            self._gathered, self._size = {}, 0

    def _write(self, connection: sqlite3.Connection) -> None:
        """The thread: writes what was gathered in one transaction, answers questions."""
        unwritten: list[_Appends] = []
        fault: Exception | None = None
        closing = False
        while not closing:
            self._purge(connection)
            items = self._items(RETRY_S if unwritten else self._until_due())
            unwritten += [item for item in items if isinstance(item, dict)]
            failing, fault = fault, self._save(connection, unwritten)
            if fault is None:
                unwritten = []
            elif failing is None:
                # Kept, and tried again: a full disk may have room by then.
                self._log.error("Conversations are not being saved: %s", fault)
            for item in items:
                if item is None:
                    closing = True
                elif not isinstance(item, dict):
                    item(connection, fault)
        connection.close()

    def _until_due(self) -> float:
        until = self._looked + LOOK_S if self._due is None else self._due
        return min(LOOK_S, max(0.0, until - self._now()))

    def _purge(self, connection: sqlite3.Connection) -> None:
        """Let go of what was deleted long enough ago, and of its files."""
        now = self._now()
        try:
            if self._due is None and now >= self._looked + LOOK_S:
                self._looked = now
                self._due = deletion.due(connection)
            if self._due is None or now < self._due:
                return
            for unused in deletion.purge(connection, self._now()):
                if self._forget is not None:
                    self._forget(unused)
            clean = deletion.cleaned(connection)
            self._due = deletion.due(connection) if clean else self._now() + PURGE_AGAIN_S
        except (sqlite3.Error, OSError) as error:
            self._due = self._now() + PURGE_AGAIN_S
            self._log.warning("Deleted conversations are still in %s: %s", self._path, error)

    def _items(self, timeout: float | None) -> list[_Appends | _Job | None]:
        """Everything that waits, so that many prompts at once share one transaction."""
        items: list[_Appends | _Job | None] = []
        with contextlib.suppress(queue.Empty):
            items.append(self._queue.get(timeout=timeout))
            while True:
                items.append(self._queue.get_nowait())
        return items

    def _save(self, connection: sqlite3.Connection, unwritten: list[_Appends]) -> Exception | None:
        """Write all of it or nothing; returns why it was nothing."""
        if not unwritten:
            return None
        now = self._now()
        try:
            with transaction(connection):
                for appends in unwritten:
                    for key, append in appends.items():
                        if not logs.write(connection, key, append, mark=self._mark, now=now):
                            self._tell_taken(key, append.epoch)
        except Exception as error:  # noqa: BLE001 - the thread serves everybody, so it goes on
            return error
        return None

    def _tell_taken(self, key: Key, epoch: str) -> None:
        if (key, epoch) not in self._taken:
            self._taken.add((key, epoch))
            self._log.warning(
                "Conversation %s was opened in another Jupyter server, which keeps it now, or was "
                "pruned or deleted. What is said in it here is not saved until it is opened here "
                "again.",
                key[1],
            )


def _settle(answer: asyncio.Future[Any], value: Any, error: Exception | None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(value)
