"""Blobs: the files of prompts, kept once for each user under the hash of their bytes."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from streamchat_relay.model import Internal, TooLarge
from streamchat_relay.model.media import TEXT, sniffed
from streamchat_relay.relay.ports import Blob
from streamchat_relay.stores.deletion import REFERENCE, Unused

SPARED_S = 24 * 3600.0
"""How long a file that nothing refers to is kept: its prompt may still be written."""
HEAD_BYTES = 16
"""So many tell a picture, a PDF and audio from text, and nothing else is kept."""

_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)


def blob_directory(database: Path) -> Path:
    """Where the files of the conversations in this database are."""
    return database.with_name(f"{database.name}.files")


class FileBlobs:
    """Keeps each as a file that only its owner can read, in a directory for each user.

    `most_bytes` are those of all files of one user; None: as many as there is room for.
    """

    def __init__(
        self,
        directory: Path,
        *,
        most_bytes: int | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._directory = directory
        self._most_bytes = most_bytes
        self._now = now
        # Uploads come at once, each in a thread: what is being written by owner.
        self._lock = threading.Lock()
        self._coming: Counter[Path] = Counter()

    async def find(self, user: str, sha256: str) -> Blob | None:
        """What is kept, or None; it is then spared for a while, as its prompt may follow."""
        return await asyncio.to_thread(self._find, self._path(user, sha256))

    async def read(self, user: str, sha256: str) -> bytes | None:
        """Its bytes, or None where it is not kept."""
        return await asyncio.to_thread(self.bytes_of, user, sha256)

    async def keep(self, user: str, sha256: str, data: bytes) -> None:
        """Keep it; `sha256` is its hash.

        Raises `TooLarge` where the user's files would be too many, `Internal` where it cannot be.
        """
        try:
            await asyncio.to_thread(self._admit, self._path(user, sha256), data)
        except OSError as error:
            raise Internal(
                f"The file cannot be kept ({error.strerror or error}). Try again when there is "
                "room on the server's disk.",
                retryable=True,
            ) from None

    def bytes_of(self, user: str, sha256: str) -> bytes | None:
        """As `read`, for who has a thread."""
        try:
            return self._path(user, sha256).read_bytes()
        except OSError:
            return None

    def unused(self, connection: sqlite3.Connection) -> Iterator[Path]:
        """The files that no conversation of their user refers to, and that are not new."""
        before = self._now() - SPARED_S
        rows = connection.execute(
            "SELECT user, data FROM events JOIN conversation ON number = conversation"
        )
        used = {
            self._path(user, sha256.decode())
            for user, data in rows
            for sha256 in REFERENCE.findall(data)
        }
        for path in self._directory.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                if path not in used and path.stat().st_mtime < before:
                    yield path

    def forget(self, unused: Unused) -> None:
        """Delete it, unless somebody has asked for it since: a prompt may be about to name it."""
        path = self._path(unused.user, unused.sha256)
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime <= unused.since:
                path.unlink()

    def _path(self, user: str, sha256: str) -> Path:
        # A user's key may hold whatever a name may.
        owner = hashlib.sha256(user.encode(errors="surrogatepass")).hexdigest()[:32]
        return self._directory / owner / sha256

    def _find(self, path: Path) -> Blob | None:
        try:
            with path.open("rb") as file:
                head = file.read(HEAD_BYTES)
                size = os.fstat(file.fileno()).st_size
            now = self._now()
            os.utime(path, (now, now))
        except OSError:
            return None
        return Blob(sniffed(head) or TEXT, size)

    def _admit(self, path: Path, data: bytes) -> None:
        owner, size = path.parent, len(data)
        with self._lock:
            _check(_size(owner) + self._coming[owner], size, self._most_bytes)
            self._coming[owner] += size
        try:
            self._keep(path, data)
        finally:
            with self._lock:
                self._coming[owner] -= size

    def _keep(self, path: Path, data: bytes) -> None:
        # Each by itself: parents that are made on the way would have another mode.
        for directory in (self._directory.parent, self._directory, path.parent):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Under its own name only when all of it is there.
        made = path.with_name(f".{secrets.token_hex(8)}")
        try:
            descriptor = os.open(made, _NEW, 0o600)
            with open(descriptor, "wb") as file:  # noqa: PTH123 - of a descriptor
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            made.replace(path)
        except BaseException:
            made.unlink(missing_ok=True)
            raise


class MemoryBlobs:
    """Keeps them as long as the process lives; `most_bytes` as of `FileBlobs`."""

    def __init__(self, *, most_bytes: int | None = None) -> None:
        self._most_bytes = most_bytes
        self._kept: dict[tuple[str, str], bytes] = {}

    async def find(self, user: str, sha256: str) -> Blob | None:
        """What is kept, or None."""
        data = self._kept.get((user, sha256))
        return None if data is None else Blob(sniffed(data[:HEAD_BYTES]) or TEXT, len(data))

    async def read(self, user: str, sha256: str) -> bytes | None:
        """Its bytes, or None where it is not kept."""
        return self._kept.get((user, sha256))

    async def keep(self, user: str, sha256: str, data: bytes) -> None:
        """Keep it; raises `TooLarge` where the user's files would be too many."""
        there = sum(len(kept) for (owner, _), kept in self._kept.items() if owner == user)
        _check(there, len(data), self._most_bytes)
        self._kept[user, sha256] = data


def _size(directory: Path) -> int:
    """What the files of an owner take; one that is being written has no name yet."""
    total = 0
    with contextlib.suppress(FileNotFoundError), os.scandir(directory) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                with contextlib.suppress(FileNotFoundError):
                    total += entry.stat().st_size
    return total


def _check(there: int, size: int, most_bytes: int | None) -> None:
    if most_bytes is not None and there + size > most_bytes:
        raise TooLarge(
            f"Your files take {there / 2**20:.1f} MiB, and with this one they would be more than "
            f"the {most_bytes / 2**20:g} MiB that this server keeps for each user "
            "(c.StreamChat.max_files_mib). Delete conversations whose files you need no more; "
            "they go when these can be restored no longer."
        )
