"""The spool: an unnamed temporary file for what a log need not keep in memory."""

from __future__ import annotations

import tempfile
import weakref
from typing import IO


class Spool:
    """Keeps bytes outside of memory for as long as this object lives; nobody else can open it."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._end = 0

    def put(self, data: bytes) -> int:
        """Keep these bytes; returns their place. Raises `OSError` where there is no room."""
        if self._file is None:
            # Unbuffered: what a crash loses was never to survive, and a buffer would be memory.
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed below
            weakref.finalize(self, self._file.close)
        place = self._end
        self._file.seek(place)
        if self._file.write(data) != len(data):
            raise OSError("the disk is full")
        self._end += len(data)
        return place

    def get(self, place: int, size: int) -> bytes:
        """The bytes that were put there."""
        assert self._file is not None, "nothing was put"
        self._file.seek(place)
        data = self._file.read(size)
        if len(data) != size:
            raise OSError("the temporary file was cut")
        return data
